import type { Item } from '../../backend.ts'
import { linkItem } from '../compile/links.ts'
import type { LinkValue } from '../compile/values.ts'
import { makeLink, readLink, removeLink, settleLink } from './links.ts'

/** Guest devices that this agent made, as last seen. Kernel links have no owner mark: what is not remembered is asked for again, which changes nothing where it stands. */
export class LinkKeeper {
  readonly #items: Map<string, Item> = new Map()

  items(): ReadonlyMap<string, Item> {
    return this.#items
  }

  /** Before the rows: pairs whose end the bridge is to take. */
  async make(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    for (const item of items) await attempt(item, failed, () => makeLink(linkOf(item)))
  }

  /** After the rows: devices that OVS made are there now. */
  async settle(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    for (const item of items) {
      if (failed.has(item.key)) continue
      await attempt(item, failed, () => settleLink(linkOf(item)))
      await this.#read(item)
    }
  }

  async remove(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    for (const item of items) {
      await attempt(item, failed, () => removeLink(linkOf(item)))
      if (!failed.has(item.key)) this.#items.delete(item.key)
    }
  }

  /** Reads every known link again. */
  async refresh(): Promise<void> {
    for (const item of [...this.#items.values()]) await this.#read(item)
  }

  async #read(item: Item): Promise<void> {
    const now = await readLink(linkOf(item))
    if (now === undefined) this.#items.delete(item.key)
    else this.#items.set(item.key, linkItem(item.owners, now))
  }
}

function linkOf(item: Item): LinkValue['link'] {
  return (item.value as LinkValue).link
}

async function attempt(item: Item, failed: Map<string, string>, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    failed.set(item.key, error instanceof Error ? error.message : String(error))
  }
}
