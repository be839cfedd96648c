import type { ExitCode } from './exit.ts'
import type { Output } from './output.ts'
export async function demo(_options: { readonly keep: boolean }, _output: Output): Promise<ExitCode> {
  throw new Error('not yet')
}
