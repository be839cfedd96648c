import { setTimeout as sleep } from 'node:timers/promises'
import type { ActionContext } from '../../plugins/callbacks.ts'

/** How a call went. `hangs`: it has not ended in time; the promise settles when it does. */
export type Attempt =
  | { readonly how: 'done' }
  | { readonly how: 'failed'; readonly error: string }
  | { readonly how: 'hangs'; readonly error: string; readonly end: Promise<void> }
  | { readonly how: 'stopped' }

export interface AttemptOptions {
  readonly limitMs: number
  /** How long a call may take to end after `signal` has been aborted. */
  readonly graceMs: number
  /** Aborted when the server stops. */
  readonly signal: AbortSignal
  readonly context: Omit<ActionContext, 'signal'>
}

/** Calls a subscriber and waits for it, but not for ever. Never throws. */
export async function attempt(act: (context: ActionContext) => Promise<void>, options: AttemptOptions): Promise<Attempt> {
  const { limitMs, graceMs, signal, context } = options
  if (signal.aborted) return { how: 'stopped' }
  const tooLong = new AbortController()
  const over = new AbortController()
  const acting = callIt(act, { ...context, signal: AbortSignal.any([signal, tooLong.signal]) })
  const waiting = wait(limitMs, graceMs, [signal, over.signal])
  const first = await Promise.race([acting, waiting])
  over.abort()
  if (first === 'stopped') return { how: 'stopped' }
  if (first !== 'late') return first
  tooLong.abort(new Error('this call has taken too long'))
  return { how: 'hangs', error: `it did not end within ${limitMs / 1000} s`, end: acting.then(() => undefined) }
}

async function callIt(act: (context: ActionContext) => Promise<void>, context: ActionContext): Promise<Attempt> {
  try {
    await act(context)
    return { how: 'done' }
  } catch (error) {
    return { how: 'failed', error: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '' }
  }
}

async function wait(limitMs: number, graceMs: number, [stop, over]: readonly [AbortSignal, AbortSignal]): Promise<'late' | 'stopped'> {
  const any = AbortSignal.any([stop, over])
  await sleep(limitMs, undefined, { signal: any }).catch(() => undefined)
  if (!any.aborted) return 'late'
  if (!over.aborted) await sleep(graceMs, undefined, { signal: over }).catch(() => undefined)
  return 'stopped'
}
