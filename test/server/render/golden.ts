import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** Expected texts live beside the sources, not beside what was built from them. */
const CASES = join(import.meta.dirname.replace(/\/build\/test\//, '/test/'), 'cases')

/** Compares with `test/server/render/cases/<name>`; `UPDATE=1` writes it instead. */
export function golden(t: ExecutionContext, name: string, text: string): void {
  const file = join(CASES, name)
  if (process.env['UPDATE'] === '1') {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  t.is(text, readFileSync(file, 'utf8'), name)
}
