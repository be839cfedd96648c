import type { ActionContext } from '../../plugins/callbacks.ts'

/** A call that is forgotten when the server ends: of an `abort` or `system` subscriber. Times in milliseconds since the epoch. */
export interface MemoryCall {
  readonly plugin: string
  readonly subscription: string
  /** What it is about: `abort update port a`, `agent/down h1`. */
  readonly about: string
  readonly revision: number
  readonly since: number
  readonly nextAt: number
  readonly attempts: number
  readonly error?: string
  act(context: ActionContext): Promise<void>
}

/** Calls that wait, in the order in which they were made; one that failed goes to the end. */
export class CallMemory {
  readonly #calls: Set<MemoryCall> = new Set()

  get waiting(): readonly MemoryCall[] {
    return [...this.#calls]
  }

  add(calls: Iterable<MemoryCall>): void {
    for (const call of calls) this.#calls.add(call)
  }

  due(now: number, except: ReadonlySet<string>): MemoryCall | undefined {
    for (const call of this.#calls) if (call.nextAt <= now && !except.has(nameOf(call))) return call
    return undefined
  }

  next(except: ReadonlySet<string>): number | undefined {
    let first: number | undefined
    for (const call of this.#calls) if (!except.has(nameOf(call))) first = Math.min(first ?? call.nextAt, call.nextAt)
    return first
  }

  settle(call: MemoryCall, failed?: { readonly error: string; readonly nextAt: number }): void {
    this.#calls.delete(call)
    if (failed !== undefined) this.#calls.add({ ...call, ...failed, attempts: call.attempts + 1 })
  }
}

/** How the state file and the runner name a subscription. */
export function nameOf({ plugin, subscription }: { readonly plugin: string; readonly subscription: string }): string {
  return `${plugin} ${subscription}`
}
