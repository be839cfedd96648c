import { mapBounded } from '../../../../src/lib/bounded.ts'
import { groupBy } from '../../../../src/lib/group-by.ts'
import type { Item } from '../../backend.ts'
import { type Link, linkItem } from '../compile/links.ts'
import type { LinkValue } from '../compile/values.ts'
import { ExecError } from './exec.ts'
import { devicesIn, ipBatch, netnsExists, transmitOffloadOff } from './ip.ts'
import { type Devices, linkAsFound, makeLines, moveLines, removeLines, settleLines } from './links.ts'

/** Namespaces that are worked on at a time. */
const PARALLEL = 4

/**
 * Guest devices that this agent made, as last seen. Kernel links have no owner mark: what is not remembered is asked for again, which changes nothing where it stands.
 * Everything is done for many links by one run of `ip` in each namespace: vswitchd looks at its whole configuration again whenever a device changes, and a hundred
 * changes one by one keep it from forwarding.
 */
export class LinkKeeper {
  readonly #items: Map<string, Item> = new Map()

  items(): ReadonlyMap<string, Item> {
    return this.#items
  }

  /** Before the rows: pairs whose end the bridge is to take. */
  async make(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    for (const item of items) {
      const { netns } = linkOf(item)
      if (netns !== undefined && !netnsExists(netns)) failed.set(item.key, `there is no network namespace ${netns} (ip netns add ${netns})`)
    }
    await bring(undefined, good(items, failed), makeLines, failed)
  }

  /** After the rows: devices that OVS made are there now. */
  async settle(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    await bring(undefined, good(items, failed), moveLines, failed)
    await mapBounded([...groupBy(good(items, failed), netnsOf)], PARALLEL, async ([netns, group]) => {
      await bring(netns, group, settleLines, failed)
      await this.#offload(netns, good(group, failed), failed)
      await this.#read(netns, group)
      for (const item of good(group, failed)) if (!this.#items.has(item.key)) failed.set(item.key, missing(linkOf(item)))
    })
  }

  async remove(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    if (items.length === 0) return
    await bring(undefined, items, removeLines, failed)
    for (const item of good(items, failed)) this.#items.delete(item.key)
  }

  /** Reads every known link again, or those for which `which` holds. */
  async refresh(which: (link: Link) => boolean = () => true): Promise<void> {
    const items = [...this.#items.values()].filter((i) => which(linkOf(i)))
    await mapBounded([...groupBy(items, netnsOf)], PARALLEL, async ([netns, group]) => await this.#read(netns, group))
  }

  /** Once in this agent's life: nobody can see by the way whether an earlier one had come so far. */
  async #offload(netns: string | undefined, items: readonly Item[], failed: Map<string, string>): Promise<void> {
    const fresh = items.filter((i) => linkOf(i).type === 'veth' && !this.#items.has(i.key))
    if (fresh.length === 0) return
    try {
      await transmitOffloadOff(
        netns,
        fresh.map((i) => linkOf(i).guest),
      )
    } catch (error) {
      for (const item of fresh) failed.set(item.key, wordsOf(error))
    }
  }

  async #read(netns: string | undefined, group: readonly Item[]): Promise<void> {
    const none: Devices = new Map()
    // A namespace may go at any moment, and its devices with it.
    const guests = await devicesIn(netns).catch(() => none)
    const host = netns === undefined ? guests : await devicesIn(undefined)
    for (const item of group) {
      const found = linkAsFound(linkOf(item), guests, host)
      if (found === undefined) this.#items.delete(item.key)
      else this.#items.set(item.key, linkItem(item.owners, found))
    }
  }
}

/** Runs what each link needs, all at once; where that fails, each link that still needs something by itself, so that `failed` has its own words. */
async function bring(
  netns: string | undefined,
  items: readonly Item[],
  linesOf: (link: Link, devices: Devices) => readonly string[],
  failed: Map<string, string>,
): Promise<void> {
  if (items.length === 0) return
  try {
    const devices = await devicesIn(netns)
    const lines = items.flatMap((i) => linesOf(linkOf(i), devices))
    if (lines.length > 0) await ipBatch(netns, lines)
  } catch {
    for (const item of items) await bringOne(netns, item, linesOf, failed)
  }
}

async function bringOne(
  netns: string | undefined,
  item: Item,
  linesOf: (link: Link, devices: Devices) => readonly string[],
  failed: Map<string, string>,
): Promise<void> {
  let lines: readonly string[] = []
  try {
    lines = linesOf(linkOf(item), await devicesIn(netns))
    if (lines.length > 0) await ipBatch(netns, lines)
  } catch (error) {
    failed.set(item.key, [...lines.map((l) => `ip ${l}`), wordsOf(error)].join('; '))
  }
}

function linkOf(item: Item): Link {
  return (item.value as LinkValue).link
}

function netnsOf(item: Item): string | undefined {
  return linkOf(item).netns
}

function good(items: readonly Item[], failed: ReadonlyMap<string, string>): Item[] {
  return items.filter((i) => !failed.has(i.key))
}

function missing({ guest, netns }: Link): string {
  return `no device ${guest}${netns === undefined ? '' : ` in network namespace ${netns}`}`
}

/** Without the numbers of lines that nobody sees. */
function wordsOf(error: unknown): string {
  if (error instanceof ExecError) return error.said.replace(/\s*Command failed -:\d+/g, '')
  return error instanceof Error ? error.message : String(error)
}
