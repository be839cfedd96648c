/** The one table of exit codes (documented in README; never reused). */
export const EXIT = {
  /** Nothing to do, or everything done. */
  clean: 0,
  /** A mistake in the input, or the world failed. */
  error: 1,
  /** There are changes or drift (with `--detailed-exitcode`). */
  changes: 2,
  /** A guard refused. */
  refused: 3,
  /** Committed, but not every host has converged. */
  notConverged: 4,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with a message for people: said on stderr (or as JSON with `--json`), never a stack trace. */
export class CommandError extends Error {
  readonly exit: ExitCode
  readonly hint: string | undefined
  constructor(message: string, options: { readonly exit?: ExitCode; readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CommandError'
    this.exit = options.exit ?? EXIT.error
    this.hint = options.hint
  }
}
