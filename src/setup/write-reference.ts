import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { featureEntries, kindEntries, pluginEntries } from '../plugins/catalogue.ts'
import { defaultDirectory } from '../plugins/choose.ts'
import { referencePages } from '../server/render/reference.ts'

/** `npm run reference`: writes docs/reference/, one page for each kind. Runs from build/src/setup, and writes into the source tree. */
const folder = new URL('../../../docs/reference/', import.meta.url)
const directory = defaultDirectory()
const pages = referencePages(kindEntries(directory), featureEntries(directory), pluginEntries(directory))
await mkdir(folder, { recursive: true })
for (const name of await readdir(folder)) if (!pages.has(name)) await rm(new URL(name, folder))
for (const [name, text] of pages) await writeFile(new URL(name, folder), text)
