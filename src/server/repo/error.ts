export type RepoErrorCode = 'no-root' | 'not-a-folder' | 'unreadable' | 'no-repository' | 'no-such-ref' | 'git-missing' | 'git-failed'

/** The world's failures at this edge: the folder or the repository as a whole cannot be read. A single bad file is an issue, never this. */
export class RepoError extends Error {
  override readonly name: string = 'RepoError'
  readonly code: RepoErrorCode

  constructor(code: RepoErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The `code` of an error of Node's file and process functions (`ENOENT`); undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
