import { OWNED_COLUMNS } from '../../agentd/backends/ovs/compile/rows.ts'
import type { Rig } from './rig.ts'

/** A flow as `dump-flows` shows it, apart from what only counts. */
export interface DumpedFlow {
  readonly duration: number
  readonly packets: number
}

/** Flows of br-int by their text without counters. */
export async function flowsOf(rig: Rig, host: string): Promise<ReadonlyMap<string, DumpedFlow>> {
  const out = new Map<string, DumpedFlow>()
  for (const line of (await rig.ofctl(host, '--no-names', 'dump-flows', 'br-int')).split('\n')) {
    if (!line.includes('actions=')) continue
    const duration = Number(/duration=([0-9.]+)s/.exec(line)?.[1])
    const packets = Number(/n_packets=(\d+)/.exec(line)?.[1])
    // Flows that the switch learned come and go by themselves.
    const text = line.trim().replace(/ duration=[^ ]+,| n_packets=[^ ]+,| n_bytes=[^ ]+,| idle_age=[^ ]+,| hard_age=[^ ]+,/g, '')
    if (!/hard_timeout=|idle_timeout=/.test(text.split(' actions=')[0] ?? '')) out.set(text, { duration, packets })
  }
  return out
}

/** Texts of the flows, sorted. */
export async function flowTexts(rig: Rig, host: string): Promise<readonly string[]> {
  return [...(await flowsOf(rig, host)).keys()].sort()
}

/**
 * Rows of bridges, ports and interfaces as far as somebody configured them; the ofports of br-int are part of it, identities are not, nor is the number that OVS
 * gives to our end of a patch on somebody else's bridge.
 */
export async function rowTexts(rig: Rig, host: string): Promise<string> {
  const list = async (table: string, columns: string): Promise<string> =>
    await rig.vsctl(host, '-f', 'csv', '--no-headings', `--columns=${columns}`, 'list', table)
  const tables = await Promise.all([
    list('Bridge', `name,${OWNED_COLUMNS.Bridge}`),
    list('Port', `name,${OWNED_COLUMNS.Port}`),
    list('Interface', `name,type,options,ofport,${OWNED_COLUMNS.Interface}`),
  ])
  const text = tables.map((t) => t.trim().split('\n').sort().join('\n')).join('\n')
  return text.replace(/^(nl-ex-[^,]*,patch,[^,]*),\d+/gm, '$1,N')
}

/** How often a host's configuration has been written. */
export async function nextConfig(rig: Rig, host: string): Promise<number> {
  return Number((await rig.vsctl(host, 'get', 'Open_vSwitch', '.', 'next_cfg')).trim())
}

/** Flows that were there before and have been written again since (their clock was set back), or are gone. */
export function rewritten(before: ReadonlyMap<string, DumpedFlow>, after: ReadonlyMap<string, DumpedFlow>): string[] {
  const out: string[] = []
  for (const [text, flow] of before) {
    const now = after.get(text)
    if (now === undefined) out.push(`gone: ${text}`)
    else if (now.duration < flow.duration || now.packets < flow.packets) out.push(`written again: ${text}`)
  }
  return out
}

/** Names of the network devices in the host's own namespace. */
export async function linkNames(rig: Rig, host: string): Promise<readonly string[]> {
  const text = await rig.on(host, 'ip', '-br', 'link')
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(/[@ ]/)[0] ?? '')
    .sort()
}

/** Everything that the hosts hold: one line for each flow, row and device. */
export async function everything(rig: Rig): Promise<ReadonlySet<string>> {
  const out = new Set<string>()
  for (const host of rig.hosts) {
    for (const flow of await flowTexts(rig, host)) out.add(`${host} flow ${flow}`)
    for (const row of (await rowTexts(rig, host)).split('\n')) out.add(`${host} row ${row}`)
    for (const link of await linkNames(rig, host)) out.add(`${host} link ${link}`)
  }
  return out
}

/** What is no longer as it was, one line each; empty when all is. */
export function differences(before: ReadonlySet<string>, after: ReadonlySet<string>, onlyHosts?: readonly string[]): string[] {
  const counts = (line: string): boolean => onlyHosts === undefined || onlyHosts.some((h) => line.startsWith(`${h} `))
  const gone = [...before].filter((l) => !after.has(l)).map((l) => `gone: ${l}`)
  const come = [...after].filter((l) => !before.has(l)).map((l) => `come: ${l}`)
  return [...gone, ...come].filter((l) => counts(l.slice(6)))
}
