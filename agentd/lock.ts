import { spawn } from 'node:child_process'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from './log.ts'

/** The right to use a state directory: one process at a time. */
export interface DirectoryLock {
  release(): Promise<void>
}

const LOCKED = 1
const MAX_HOLDER = 4096

/**
 * Locks the directory (made when it is missing) for as long as this process lives. flock(2), because the kernel frees it with the process, however that ends: there is
 * no stale lock. Node has no flock, so flock(1) is run on the open file: the lock belongs to the open file, which is ours and stays open. Throws when another process
 * has the lock, naming it; where there is no flock(1), says so and goes on.
 */
export async function lockDirectory(dir: string, log: Log): Promise<DirectoryLock> {
  await mkdir(dir, { recursive: true, mode: 0o750 })
  const file = await open(join(dir, 'agent.lock'), 'a+', 0o640)
  try {
    const status = await flock(file)
    if (status === LOCKED) throw new Error(heldMessage(dir, await holderOf(file)))
    if (status !== 0)
      log('warn', 'flock(1) does not work here: a second agent on this state directory would not be noticed', {
        status,
        fix: 'install util-linux',
      })
    await file.truncate()
    await file.write(`process ${process.pid}, since ${new Date().toISOString()}`)
    return { release: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** flock's exit status; undefined where it cannot be run. */
async function flock(file: FileHandle): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const child = spawn('flock', ['--exclusive', '--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', file.fd] })
    child.once('error', () => resolve(undefined))
    child.once('close', (code) => resolve(code ?? undefined))
  })
}

/** What the holder wrote of itself; it may be about to. */
async function holderOf(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HOLDER), 0, MAX_HOLDER, 0)
  return bytesRead === 0 ? 'a process that is just starting' : buffer.toString('utf8', 0, bytesRead)
}

function heldMessage(dir: string, holder: string): string {
  return `E0608: another agent (${holder}) has the state directory ${dir}, and two agents on one switch undo each other's work; stop that one first, or give this one a --state-dir and a --rundir of its own`
}
