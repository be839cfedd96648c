import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from './error.ts'

/** As `mkdir -p`. Not Node's own: where a folder can be neither made nor be missing (below /proc), that one tries for ever. Throws `StoreError` (`io`). */
export async function makePath(directory: string): Promise<void> {
  if (existsSync(directory)) return
  const parent = dirname(directory)
  if (parent !== directory) await makePath(parent)
  await mkdir(directory).catch((error: unknown) => {
    if (!existsSync(directory)) throw new StoreError('io', `the folder ${directory} cannot be made`, { cause: error })
  })
}
