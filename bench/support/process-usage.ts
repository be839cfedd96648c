import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Resident memory of a process, megabytes. */
export function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kb) / 1024
}

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Processor time that a process has used, milliseconds; all its threads (proc(5): utime and stime). */
export function cpuMs(pid: number): number {
  return cpuOf(`/proc/${pid}/stat`)
}

/** The same of its main thread alone. */
export function mainThreadCpuMs(pid: number): number {
  return cpuOf(`/proc/${pid}/task/${pid}/stat`)
}

function cpuOf(file: string): number {
  const stat = readFileSync(file, 'utf8')
  // The name in parentheses may hold anything; fields are counted after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1000
}
