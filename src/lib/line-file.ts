/** What a line file needs of a file system: `node:fs/promises` has it. */
export interface LineFiles {
  mkdir(path: string, options: { readonly recursive: true; readonly mode: number }): Promise<unknown>
  appendFile(path: string, text: string, options: { readonly mode: number }): Promise<void>
  stat(path: string): Promise<{ readonly size: number }>
  rename(from: string, to: string): Promise<void>
}

export interface LineFileOptions {
  readonly path: string
  /** What is full becomes `<path>.1`, in place of the one before: the two together hold at most twice as much. */
  readonly maxBytes: number
  readonly files: LineFiles
  readonly setTimer: (ms: number, fn: () => void) => { cancel(): void }
  /** Called when writing begins to fail, and with how many lines were lost once it works again. */
  readonly onTrouble: (trouble: { readonly error: string } | { readonly lost: number }) => void
}

/** Lines that are appended to a file, a moment later and together. Never waited for: what cannot be written is lost, and counted. */
export interface LineFile {
  add(line: string): void
  /** Writes what is left. */
  close(): Promise<void>
}

const GATHER_MS = 100
/** Lines that wait; more are lost. */
const MOST = 10_000
const FILE_MODE = 0o640
const FOLDER_MODE = 0o750

export function openLineFile({ path, maxBytes, files, setTimer, onTrouble }: LineFileOptions): LineFile {
  let waiting: string[] = []
  let size: number | undefined
  let lost = 0
  let failing = false
  let timer: { cancel(): void } | undefined
  let running: Promise<void> = Promise.resolve()

  async function write(lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${line}\n`).join('')
    const bytes = new TextEncoder().encode(text).length
    if (size === undefined) {
      await files.mkdir(path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '.', { recursive: true, mode: FOLDER_MODE })
      size = await sizeOf(path, files)
    }
    if (size > 0 && size + bytes > maxBytes) {
      await files.rename(path, `${path}.1`)
      size = 0
    }
    await files.appendFile(path, text, { mode: FILE_MODE })
    size += bytes
  }

  async function flush(): Promise<void> {
    timer = undefined
    const lines = waiting
    waiting = []
    if (lines.length === 0) return
    try {
      await write(lines)
      if (lost > 0) onTrouble({ lost })
      lost = 0
      failing = false
    } catch (error) {
      // Somebody may have taken the file or its folder away: it is looked at again.
      size = undefined
      lost += lines.length
      if (!failing) onTrouble({ error: String(error) })
      failing = true
    }
  }

  const flushNext = (): Promise<void> => (running = running.then(flush))
  return {
    add(line) {
      if (waiting.length >= MOST) {
        lost++
        return
      }
      waiting.push(line)
      timer ??= setTimer(GATHER_MS, () => void flushNext())
    },
    async close() {
      timer?.cancel()
      await flushNext()
    },
  }
}

async function sizeOf(path: string, files: LineFiles): Promise<number> {
  return await files.stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
