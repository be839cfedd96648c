import pc from 'picocolors'
import type { RenderStyle } from '../server/render/style.ts'

/** Where a command's words go. Colour only on a TTY without NO_COLOR; with `--json` exactly one JSON document on stdout. */
export interface Output {
  readonly json: boolean
  readonly color: boolean
  /** Columns of the terminal; 100 when there is none. */
  readonly width: number
  /** Lines may be drawn again in place: a terminal, and nobody asked for plain text. */
  readonly interactive: boolean
  /** The command's result: JSON data, and how to say it to people. */
  result(data: object, text: () => string): void
  /** Progress and remarks for people: stderr, silent with `--json`. */
  say(line: string): void
  /** Straight to stdout, silent with `--json`. */
  print(text: string): void
}

export const FORMAT_VERSION: string = '1.0'

export interface OutputOptions {
  readonly json: boolean
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: NodeJS.ProcessEnv
}

export function createOutput(options: OutputOptions): Output {
  const { json, stdout, stderr, env } = options
  const plain = json || stdout.isTTY !== true || env['TERM'] === 'dumb'
  return {
    json,
    color: !plain && pc.isColorSupported && env['NO_COLOR'] === undefined,
    width: stdout.columns ?? 100,
    interactive: !plain && env['CI'] === undefined && env['NO_COLOR'] === undefined,
    result(data, text) {
      stdout.write(json ? `${JSON.stringify({ format_version: FORMAT_VERSION, ...data })}\n` : `${text()}\n`)
    },
    say(line) {
      if (!json) stderr.write(`${line}\n`)
    },
    print(text) {
      if (!json) stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    },
  }
}

/** How renderers are to write for this output. */
export function styleOf(output: Output): RenderStyle {
  return { width: output.width, ...(output.color ? { color: pc } : {}) }
}
