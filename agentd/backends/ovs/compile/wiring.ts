import type { AttachIntent, TrunkIntent } from '../../../../src/model/intent.ts'
import { compareText, displayKey, type Key } from '../../../../src/model/key.ts'
import type { Facts, InterfaceFact, Verdict } from '../../backend.ts'
import { BRIDGE, isReserved } from './names.ts'
import type { Numbers } from './numbers.ts'
import type { HostView } from './view.ts'

/** Where a port of this host is plugged, or why it is not. Without an ofport it gets no flow that lets a frame in or out. */
export interface Wiring {
  readonly ofport?: number
  /** Of a subport: the VLAN id of its frames at that ofport, which is its parent's. */
  readonly vlan?: number
  readonly verdict?: Verdict
}

/** The wiring of every port and trunk. An interface we make has the number we ask for until OVS says another. Subports are wired as their parent is. */
export function wire(
  { attaches, trunks }: Pick<HostView, 'attaches' | 'trunks'>,
  facts: Facts,
  numbers: Numbers,
): ReadonlyMap<Key, Wiring> {
  const byIfaceId = indexByIfaceId(facts)
  const subports = new Set(trunks.flatMap((t) => t.subports.map((s) => s.port)))
  const out = new Map<Key, Wiring>()
  const up = new Map<Key, boolean>()
  for (const attach of attaches) {
    up.set(attach.port, attach.admin_state_up)
    if (subports.has(attach.port)) continue
    if (attach.plug.by === 'external') out.set(attach.port, wireExternal(attach, byIfaceId.get(attach.id) ?? []))
    else out.set(attach.port, wireOwn(attach.plug.interface, facts, numbers))
  }
  for (const trunk of trunks) {
    const through = wireTrunk(trunk, out.get(trunk.parent), up.get(trunk.parent) === true)
    out.set(trunk.trunk, through)
    for (const { port, vlan_id } of trunk.subports)
      if (up.has(port)) out.set(port, through.ofport === undefined ? through : { ...through, vlan: vlan_id })
  }
  return out
}

/** How frames of subports come in; with a verdict that says what their parent lacks. */
function wireTrunk(trunk: TrunkIntent, parent: Wiring | undefined, parentUp: boolean): Wiring {
  if (!trunk.admin_state_up) return down(`admin_state_up of ${displayKey(trunk.trunk)} is false`)
  const name = displayKey(trunk.parent)
  if (parent === undefined) return error(`${name}, whose interface carries it, is not on this host`)
  if (!parentUp) return down(`admin_state_up of ${name}, whose interface carries it, is false`)
  if (parent.verdict === undefined) return parent
  return { ...parent, verdict: { ...parent.verdict, cause: `${name}, whose interface carries it: ${parent.verdict.cause}` } }
}

function down(cause: string): Wiring {
  return { verdict: { state: 'DOWN', cause } }
}

type Named = readonly [name: string, fact: InterfaceFact]

function wireExternal(attach: AttachIntent, candidates: readonly Named[]): Wiring {
  const [first, second] = candidates
  if (first === undefined)
    return { verdict: { state: 'WAITING', cause: `no interface with external_ids:iface-id=${attach.id} on ${BRIDGE}` } }
  const [name, fact] = first
  if (second !== undefined) {
    const names = candidates.map(([n]) => n).join(' and ')
    return error(
      `${names} both have external_ids:iface-id=${attach.id}: keep one (ovs-vsctl remove Interface ${second[0]} external_ids iface-id)`,
    )
  }
  if (fact.attached_mac !== undefined && fact.attached_mac.toLowerCase() !== attach.mac) {
    const command = `ovs-vsctl set Interface ${name} external_ids:attached-mac="${attach.mac}"`
    return error(
      `${name} has external_ids:attached-mac=${fact.attached_mac}, the port has ${attach.mac}: give the guest that MAC, then ${command}`,
    )
  }
  const at = wired(name, fact, undefined)
  if (at.verdict !== undefined || fact.down !== true) return at
  return {
    ...at,
    verdict: { state: 'WAITING', cause: `${name} is set down, and Netloom leaves it to whoever plugged it: ip link set ${name} up` },
  }
}

function wireOwn(name: string, facts: Facts, numbers: Numbers): Wiring {
  const predicted = numbers.of('ofport', name)
  if (isReserved(name)) return error(`${name} is a name of Netloom's own: give the port another interface`)
  return wireMade(name, predicted, facts)
}

/** An interface that we make, for a guest or towards other hosts. */
function wireMade(name: string, predicted: number, facts: Facts): Wiring {
  const fact = facts.interfaces[name]
  if (fact === undefined) return { ofport: predicted }
  if (!fact.ours) return error(`an interface ${name} exists and is not ours: rename it, or give the port another interface`)
  return wired(name, fact, predicted)
}

/** OVS writes -1 into ofport when it cannot open the device. */
function wired(name: string, fact: InterfaceFact, predicted: number | undefined): Wiring {
  if (fact.error !== undefined && fact.error !== '') return error(`${name}: ${fact.error} (ovs-vsctl list Interface ${name})`)
  const ofport = fact.ofport ?? predicted
  if (ofport === undefined || ofport < 1) return { verdict: { state: 'WAITING', cause: `${name} has no ofport yet` } }
  return { ofport }
}

function error(cause: string): Wiring {
  return { verdict: { state: 'ERROR', cause } }
}

function indexByIfaceId(facts: Facts): ReadonlyMap<string, readonly Named[]> {
  const out = new Map<string, Named[]>()
  for (const [name, fact] of Object.entries(facts.interfaces).sort(([a], [b]) => compareText(a, b))) {
    if (fact.iface_id === undefined || fact.bridge !== BRIDGE) continue
    const named: Named = [name, fact]
    const group = out.get(fact.iface_id)
    if (group === undefined) out.set(fact.iface_id, [named])
    else group.push(named)
  }
  return out
}

/** The number of an interface that carries frames between hosts: OVS's word, else what we ask for. Undefined while OVS cannot open it. */
export function carrierOfport(name: string, facts: Facts, numbers: Numbers): number | undefined {
  return wireMade(name, numbers.of('ofport', name), facts).ofport
}
