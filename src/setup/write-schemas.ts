import { writeFile } from 'node:fs/promises'
import { bundleFiles } from '../../schemas/bundle.ts'
import { kinds } from '../kinds/index.ts'

/** `npm run schemas`: writes what editors read. Runs from build/src/setup, and writes into the source tree. */
const schemas = new URL('../../../schemas/', import.meta.url)
for (const [name, text] of bundleFiles(kinds)) await writeFile(new URL(name, schemas), text)
