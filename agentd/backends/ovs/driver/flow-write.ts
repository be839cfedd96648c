import type { Item } from '../../backend.ts'
import type { FlowValue } from '../compile/values.ts'
import type { OpenFlowClient } from '../openflow/client.ts'
import { OpenFlowError } from '../openflow/error.ts'
import type { FlowMod } from '../openflow/flow-mod.ts'

export interface ItemMod {
  readonly item: Item
  readonly mod: FlowMod
}

/** One bundle; what the switch refuses goes to `failed` with its words, and the rest is tried again. */
export async function writeSome(client: OpenFlowClient, mods: readonly ItemMod[], failed: Map<string, string>): Promise<void> {
  try {
    await client.applyBundle(mods.map((m) => m.mod))
  } catch (error) {
    const refused = error instanceof OpenFlowError && error.code === 'refused' ? error.failures : []
    const bad = new Set(refused.flatMap((f) => (f.index === undefined ? [] : [f.index])))
    if (bad.size === 0) throw error
    for (const { index, text } of refused) {
      const at = index === undefined ? undefined : mods[index]
      if (at !== undefined) failed.set(at.item.key, text)
    }
    await writeSome(
      client,
      mods.filter((_, i) => !bad.has(i)),
      failed,
    )
  }
}

function flowOf(item: Item): FlowValue['flow'] {
  return (item.value as FlowValue).flow
}

export function removal(item: Item): FlowMod {
  return { command: 'delete_strict', flow: flowOf(item) }
}

/** A flow whose actions alone change keeps its counters. */
export function change({ before, after }: { readonly before?: Item; readonly after: Item }): FlowMod {
  const keepsCounters = before !== undefined && flowOf(before).cookie === flowOf(after).cookie
  return { command: keepsCounters ? 'modify_strict' : 'add', flow: flowOf(after) }
}
