import { mkdir, open, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { LabError } from './errors.ts'
import { assertTag, labDir } from './names.ts'
import type { LabSpec } from './spec.ts'
import type { WireKind } from './wire.ts'

/** What a lab's folder says about it. Written before the first thing is made, so that a lab that was killed half-way is known as such. */
export interface LabRecord {
  readonly format: 1
  readonly tag: string
  /** `up`: all that `spec` says exists. `making`: some of it may. */
  readonly phase: 'making' | 'up'
  readonly spec: LabSpec
  readonly wire: WireKind
  /** ISO 8601. */
  readonly since: string
}

function recordFile(tag: string): string {
  return `${labDir(tag)}/lab.json`
}

/** Undefined when there is no such lab, or its record cannot be read (killed before the first write ended). */
export async function readRecord(tag: string): Promise<LabRecord | undefined> {
  assertTag(tag)
  const text = await readFile(recordFile(tag), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Replaces the record in one step: a reader sees the old one or the new one. */
export async function writeRecord(record: LabRecord): Promise<void> {
  const file = recordFile(record.tag)
  await mkdir(labDir(record.tag), { recursive: true })
  await writeFile(`${file}.new`, `${JSON.stringify(record, null, 1)}\n`)
  await rename(`${file}.new`, file)
}

/** Only the fields that decide what is done with it; the file is ours and stands in a folder that only root can write. */
function isRecord(value: unknown): value is LabRecord {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === 1 && 'spec' in value && 'phase' in value
}

/**
 * Runs `work` while no other process makes or removes this lab. The lock names its holder by pid and start time, so that one left by a
 * killed process holds nobody up.
 * @throws LabError `busy`.
 */
export async function withLock<T>(tag: string, work: () => Promise<T>): Promise<T> {
  assertTag(tag)
  const file = `${labDir(tag)}.lock`
  await take(tag, file)
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function take(tag: string, file: string): Promise<void> {
  const me = `${process.pid} ${(await startTime(process.pid)) ?? ''}`
  for (let attempt = 0; attempt < 5; attempt++) {
    await mkdir(labDir(tag).replace(/\/[^/]*$/, ''), { recursive: true })
    const made = await open(file, 'wx').catch(() => undefined)
    if (made !== undefined) {
      await made.writeFile(me)
      await made.close()
      return
    }
    const holder = await readFile(file, 'utf8').catch(() => '')
    const pid = Number(holder.split(' ')[0])
    // An empty file is one whose writer is between two system calls, or died there.
    const alive = holder !== '' && (await startTime(pid)) === holder.split(' ')[1]
    if (alive) throw new LabError('busy', `process ${pid} is working on lab ${tag}; wait for it, or end it`)
    if (holder !== '' || attempt > 2) await unlink(file).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new LabError('busy', `another process keeps taking the lock of lab ${tag} (${file})`)
}

/** Field 22 of /proc/PID/stat: tells a process from a later one with the same pid. Undefined when there is none. */
async function startTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}
