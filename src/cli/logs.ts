import { open, readFile, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRecord } from '../lib/json.ts'
import { DEFAULT_PROJECT, type Key, keyParts } from '../model/key.ts'
import { isPacket, type LogLine } from '../model/log-entry.ts'
import { renderLogLine } from '../server/render/log-line.ts'
import { securityLogPath } from '../server/security-log.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'

export interface LogsOptions {
  readonly stateFile: string
  /** A port or security group: `name` or `project/name`. Absent: all. */
  readonly of?: string
  readonly limit: number
  /** Goes on until interrupted. */
  readonly follow: boolean
}

const POLL_MS = 200

/** `netloom logs [PORT|GROUP] [--follow]`: what security groups let pass and what they did not, each with its rule, place and commit. Reads the server's record; needs no server. */
export async function logs(options: LogsOptions, output: Output): Promise<ExitCode> {
  const path = securityLogPath(options.stateFile)
  const wanted = (line: LogLine): boolean => concerns(line, options.of)
  const current = await readFile(path, 'utf8').catch(absent)
  const older = await readFile(`${path}.1`, 'utf8').catch(absent)
  const lines = [...linesOf(older), ...linesOf(current)].filter(wanted).slice(-options.limit)
  const style = styleOf(output)
  if (!options.follow) {
    output.result({ lines }, () =>
      lines.length === 0 ? nothingText(options.of) : lines.map((line) => renderLogLine(line, style)).join('\n'),
    )
    return EXIT.clean
  }
  const tell = (line: LogLine): void => void process.stdout.write(`${output.json ? JSON.stringify(line) : renderLogLine(line, style)}\n`)
  for (const line of lines) tell(line)
  await follow(path, Buffer.byteLength(current), (text) => {
    for (const line of linesOf(text)) if (wanted(line)) tell(line)
  })
  return EXIT.clean
}

/** Hands over whole lines that come to the file; one that is begun anew is read from its beginning. Until SIGINT or SIGTERM. */
async function follow(path: string, from: number, take: (text: string) => void): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  let at = from
  while (!stop.signal.aborted) {
    const size = await stat(path).then(
      (s) => s.size,
      () => 0,
    )
    if (size < at) at = 0
    if (size > at) at += await readFrom(path, at, take)
    await sleep(POLL_MS, undefined, { signal: stop.signal }).catch(() => {})
  }
}

/** Bytes of the whole lines that were read. */
async function readFrom(path: string, at: number, take: (text: string) => void): Promise<number> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1024 * 1024), 0, 1024 * 1024, at)
    const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1
    if (end > 0) take(buffer.toString('utf8', 0, end))
    return end
  } finally {
    await file.close()
  }
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return ''
  throw error
}

/** What is no line of ours (a write that was cut short) is passed over. */
function linesOf(text: string): LogLine[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return []
    try {
      const value: unknown = JSON.parse(line)
      return isRecord(value) && typeof value['time'] === 'string' ? [value as unknown as LogLine] : []
    } catch {
      return []
    }
  })
}

function concerns(line: LogLine, of: string | undefined): boolean {
  if (of === undefined) return true
  if (!isPacket(line)) return false
  return [line.port, ...line.groups].some((key) => isCalled(key, of))
}

function isCalled(key: Key, name: string): boolean {
  const parts = keyParts(key)
  return name === `${parts.project}/${parts.name}` || (name === parts.name && parts.project === DEFAULT_PROJECT)
}

function nothingText(of: string | undefined): string {
  return of === undefined
    ? 'nothing was logged: which connections are is said by `logs` in the repository (netloom kinds log)'
    : `nothing was logged of ${of}`
}
