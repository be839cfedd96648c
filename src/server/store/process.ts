import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process, told apart from a later one with the same pid: `boot` and `started` are Linux's, empty where /proc has none. */
export interface ProcessId {
  readonly pid: number
  readonly host: string
  /** /proc/sys/kernel/random/boot_id */
  readonly boot: string
  /** Field 22 of /proc/<pid>/stat (proc_pid_stat(5)): start time in clock ticks since boot. */
  readonly started: string
}

export function thisProcess(): ProcessId {
  return { pid: process.pid, host: hostname(), boot: bootId(), started: startedAt(process.pid) }
}

/** What can be said of a process from here. On another machine: nothing. Where /proc is missing a pid in use says nothing either. */
export function lifeOf(id: ProcessId): 'alive' | 'dead' | 'unknown' {
  if (id.host !== hostname()) return 'unknown'
  if (id.boot !== bootId()) return 'dead'
  if (id.started !== '') return startedAt(id.pid) === id.started ? 'alive' : 'dead'
  return signalable(id.pid) ? 'unknown' : 'dead'
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id')
}

function startedAt(pid: number): string {
  const stat = read(`/proc/${pid}/stat`)
  // The command's name is in parentheses and may hold anything, so count from the last one; `started` is the 20th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie has written its last; waiting for its parent to reap it would be waiting for nothing.
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function signalable(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
