import { accessSync, constants, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { StoreError } from './error.ts'

/** Throws `StoreError` (`denied`) when this user cannot see, read or (`write`) change the state file. SQLite's own words are of a database that is read-only. */
export function checkRights(file: string, access: 'read' | 'write'): void {
  const folder = dirname(file)
  // Changing the file takes the right to make its log beside it.
  const needs: readonly (readonly [string, number, string])[] = [
    [folder, constants.X_OK, 'look into'],
    [file, constants.R_OK, 'read'],
    ...(access === 'read'
      ? []
      : ([
          [file, constants.W_OK, 'write'],
          [folder, constants.W_OK, 'write into'],
        ] as const)),
  ]
  for (const [path, right, doing] of needs) {
    const code = refusal(path, right)
    if (code === 'EROFS') throw new StoreError('denied', `the state file ${file} is on a file system that is mounted read-only`)
    if (code === 'EACCES' || code === 'EPERM')
      throw new StoreError('denied', `E0811: user ${userName()} may not ${doing} ${path}${ownerOf(path)}`)
  }
}

function refusal(path: string, right: number): string | undefined {
  try {
    accessSync(path, right)
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}

/** Whose it is, by number: names are another file's business, and may be of another machine. */
function ownerOf(path: string): string {
  try {
    const { uid, mode } = statSync(path)
    return `, which is user ${uid}'s (mode ${(mode & 0o777).toString(8)})`
  } catch {
    return ''
  }
}
