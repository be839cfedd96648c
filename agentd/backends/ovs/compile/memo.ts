import type { Item } from '../../backend.ts'
import { MadeMembers } from './members.ts'

/**
 * Remembers what an intent was compiled to. Intents keep their identity while they do not change, so after one change all others cost a look-up
 * each. `slot` tells apart several results of one intent; `context` is everything else that the result depends on (numbers, addresses), as text.
 */
export class Memo {
  readonly members: MadeMembers = new MadeMembers()
  readonly #known = new WeakMap<object, Map<string, { readonly context: string; readonly items: readonly Item[] }>>()

  items(subject: object, slot: string, context: string, compile: () => readonly Item[]): readonly Item[] {
    let slots = this.#known.get(subject)
    if (slots === undefined) {
      slots = new Map()
      this.#known.set(subject, slots)
    }
    const known = slots.get(slot)
    if (known?.context === context) return known.items
    const items = compile()
    slots.set(slot, { context, items })
    return items
  }
}
