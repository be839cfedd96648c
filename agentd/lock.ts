import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from './log.ts'

/** The right to use a state directory, or a switch: one process at a time. */
export interface Lock {
  release(): Promise<void>
}

const LOCKED = 1
const MAX_HOLDER = 4096

/** Locks the state directory, made when it is missing. Throws when another process has the lock, naming it. */
export async function lockDirectory(dir: string, log: Log): Promise<Lock> {
  await mkdir(dir, { recursive: true, mode: 0o750 })
  return await lockFile(join(dir, 'agent.lock'), { what: `the state directory ${dir}`, log })
}

/**
 * Locks the switch, by a file in its run directory: agents with state directories of their own would undo each other's work all the same. Throws when another process has the
 * lock. Without the directory there is no switch yet, and none to lock.
 */
export async function lockSwitch(rundir: string, log: Log): Promise<Lock | undefined> {
  if (!existsSync(rundir)) {
    log('warn', 'there is no switch yet: a second agent on it would not be noticed', { rundir, fix: 'start Open vSwitch before the agent' })
    return undefined
  }
  return await lockFile(join(rundir, 'netloom-agentd.lock'), { what: `the switch in ${rundir}`, log })
}

/**
 * For as long as this process lives. flock(2), because the kernel frees it with the process, however that ends: there is no stale lock. Node has no flock, so flock(1) is run on the
 * open file: the lock belongs to the open file, which is ours and stays open. Where there is no flock(1), says so and goes on.
 */
async function lockFile(path: string, { what, log }: { readonly what: string; readonly log: Log }): Promise<Lock> {
  const file = await open(path, 'a+', 0o640)
  try {
    const status = await flock(file)
    if (status === LOCKED) throw new Error(heldMessage(what, await holderOf(file)))
    if (status !== 0)
      log('warn', `flock(1) does not work here: a second agent on ${what} would not be noticed`, { status, fix: 'install util-linux' })
    await sign(file).catch((error: unknown) => log('warn', 'who has the lock could not be written into it', { path, error: String(error) }))
    return { release: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** On a full disk the lock holds without it. */
async function sign(file: FileHandle): Promise<void> {
  await file.truncate()
  await file.write(`process ${process.pid}, since ${new Date().toISOString()}`)
}

/** flock's exit status; undefined where it cannot be run. */
async function flock(file: FileHandle): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const child = spawn('flock', ['--exclusive', '--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', file.fd] })
    child.once('error', () => resolve(undefined))
    child.once('close', (code) => resolve(code ?? undefined))
  })
}

/** What the holder wrote of itself; it may be about to, or its disk is full. */
async function holderOf(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HOLDER), 0, MAX_HOLDER, 0)
  return bytesRead === 0 ? 'a process that has not said which' : buffer.toString('utf8', 0, bytesRead)
}

function heldMessage(what: string, holder: string): string {
  return `E0608: another agent (${holder}) has ${what}, and two agents on one switch undo each other's work; stop that one first, or give this one a --state-dir and a --rundir of its own`
}
