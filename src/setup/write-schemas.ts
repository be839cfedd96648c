import { writeFile } from 'node:fs/promises'
import { bundleFiles } from '../../schemas/bundle.ts'
import { defaultDirectory } from '../plugins/choose.ts'

/** `npm run schemas`: writes what editors read. Runs from build/src/setup, and writes into the source tree. */
const schemas = new URL('../../../schemas/', import.meta.url)
for (const [name, text] of bundleFiles(defaultDirectory().kinds)) await writeFile(new URL(name, schemas), text)
