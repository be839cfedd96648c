import { StoreError } from '../server/store/error.ts'

/** What to do about a state file that cannot be used; undefined where its message says all. Nothing was written in any of these cases. */
export function storeHint(error: unknown): string | undefined {
  if (!(error instanceof StoreError)) return undefined
  switch (error.code) {
    case 'corrupt':
      return (
        'the file is damaged and was left as it is: put a backup in its place; without one, move it away with its -wal and -shm and start ' +
        '`netloom serve`, which asks the hosts what they hold and takes that over. They forward meanwhile'
      )
    case 'full':
    case 'io':
      return 'nothing was written: is the disk full (df), or may this user not write there? Then the same command again'
    default:
      return undefined
  }
}
