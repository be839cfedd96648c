import { ascii } from '../../lib/text-table.ts'
import type { Palette } from './issue.ts'

/** The colours that plans and tables use; `picocolors` fits. */
export interface Colors extends Palette {
  green(text: string): string
}

export interface RenderStyle {
  /** Left out: no colour. */
  readonly color?: Colors
  /** Columns of the terminal; 120 if left out. */
  readonly width?: number
  /** Everything is shown: no grouping, no shortening, empty values and ids too. */
  readonly verbose?: boolean
  /** For terminals and logs that know no Unicode. */
  readonly ascii?: boolean
}

/** A style with everything decided. */
export interface Pen extends Colors {
  readonly width: number
  readonly verbose: boolean
  readonly arrow: string
  readonly ellipsis: string
  readonly times: string
  /** The last step: turns the finished text into what may be written. */
  finish(lines: readonly string[]): string
}

const same = (text: string): string => text
const PLAIN: Colors = { bold: same, dim: same, red: same, yellow: same, cyan: same, blue: same, green: same }

export function penOf(style: RenderStyle): Pen {
  const plain = style.ascii === true
  const { bold, dim, red, yellow, cyan, blue, green } = style.color ?? PLAIN
  return {
    ...{ bold, dim, red, yellow, cyan, blue, green },
    width: style.width ?? 120,
    verbose: style.verbose ?? false,
    arrow: plain ? '->' : '→',
    ellipsis: plain ? '...' : '…',
    times: plain ? 'x' : '✖',
    finish: (lines) => {
      const text = lines.map((line) => `${line}\n`).join('')
      return plain ? asciiWithColor(text) : text
    },
  }
}

/** Escape sequences of our own colours pass; `visible` has replaced all others. */
function asciiWithColor(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours' escape sequences
  const colours = /(\u001b\[[\d;]*m)/
  const parts = text.split(colours)
  return parts.map((part, i) => (i % 2 === 1 ? part : ascii(part))).join('')
}
