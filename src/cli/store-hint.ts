import { ControlError } from '../server/control/socket.ts'
import { StoreError } from '../server/store/error.ts'

const AS_SERVER = 'run it as the user that runs `netloom serve`'

/** What to do about a state file that cannot be used; undefined where its message says all. Nothing was written in any of these cases. */
export function storeHint(error: unknown): string | undefined {
  if (error instanceof ControlError && error.code === 'denied') return AS_SERVER
  if (!(error instanceof StoreError)) return undefined
  switch (error.code) {
    case 'corrupt':
      return (
        'the file is damaged and was left as it is: put a backup in its place; without one, move it away with its -wal and -shm and start ' +
        '`netloom serve`, which asks the hosts what they hold and takes that over. They forward meanwhile'
      )
    case 'emptied':
      return (
        'put a backup in its place. Without one, remove the file with its -wal and -shm to begin anew: history, plans, and the addresses and numbers that were ' +
        'chosen are lost then. `netloom serve` asks the hosts what they hold and takes that over; `netloom apply` without a server chooses anew. They forward meanwhile'
      )
    case 'lost':
      return 'put a backup in its place; without one, `netloom serve` asks the hosts what they hold and takes that over'
    case 'denied':
      return `${AS_SERVER}; or name a state file of your own: --state FILE`
    case 'changed':
      return 'nothing is wrong: the same command again'
    case 'full':
    case 'io':
      return 'nothing was written: is the disk full (df), or may this user not write there? Then the same command again'
    default:
      return undefined
  }
}
