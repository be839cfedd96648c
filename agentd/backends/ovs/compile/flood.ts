import { chunksOf } from '../../../../src/lib/chunks.ts'
import type { Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import type { Action } from '../flow/types.ts'
import { flowItem, output, resubmit, set, setField } from './build.ts'
import { cookieOfSet } from './cookie.ts'
import { floodPart, ORIGIN, target } from './registers.ts'
import { type Peer, toPeer } from './segment.ts'
import { DELIVER } from './stages.ts'

/** A local receiver of copies. */
export interface Member {
  readonly port: Key
  /** Its number in the pool `port`. */
  readonly number: number
}

/** Everyone who gets a copy of a frame in one network. */
export interface FloodSet {
  /** `all`: broadcast and multicast. `unknown`: unicast whose receiver is not known. */
  readonly set: 'all' | 'unknown'
  readonly owner: Key
  readonly network: number
  readonly members: readonly Member[]
  readonly peers: readonly Peer[]
  readonly provider: boolean
}

/** Receivers in one flow. OVS refuses a flow over 64 kB, and one receiver more rewrites one part only. */
const PART_SIZE = 48

/** Flows that copy a frame to the members of a set. Local parts come first: what is set for tunnels and tags would stay on later copies. */
export function floodItems(flood: FloodSet): readonly Item[] {
  const local = chunksOf(flood.members, (m) => m.number, PART_SIZE)
  const remote = chunksOf(flood.peers, (p) => p.number, PART_SIZE)
  const cookie = cookieOfSet(`flood ${flood.owner}`)
  const table = flood.set === 'all' ? 'flood' : 'flood_unknown'
  const { network } = flood
  const root = (priority: number, origin: number | undefined, actions: readonly Action[]): Item =>
    flowItem({
      table,
      priority,
      cookie,
      owners: [flood.owner],
      registers: { network, ...(origin === undefined ? {} : { origin }) },
      actions,
    })
  const part = (side: 'local' | 'remote', chunk: number, owners: readonly Key[], actions: readonly Action[]): Item =>
    flowItem({
      table: 'flood_part',
      priority: 50,
      cookie,
      owners,
      registers: { network, flood_part: floodPart(flood.set, side, chunk) },
      actions,
    })

  const toLocal = [...local.keys()].flatMap((chunk) => jump(flood.set, 'local', chunk))
  const out: Item[] = []
  const onward = towardsOthers(flood, [...remote.keys()])
  if (toLocal.length > 0) out.push(root(10, undefined, toLocal))
  if (onward.length > 0) out.push(root(20, ORIGIN.local, [...toLocal, ...onward]))
  for (const [chunk, members] of local) {
    const copies = members.flatMap((m) => [set('target', target('port', m.number)), resubmit(DELIVER)])
    out.push(
      part(
        'local',
        chunk,
        members.map((m) => m.port),
        copies,
      ),
    )
  }
  for (const [chunk, peers] of remote)
    out.push(
      part(
        'remote',
        chunk,
        [flood.owner],
        peers.flatMap((p) => [toPeer(p.ip), output(p.ofport)]),
      ),
    )
  return out
}

function towardsOthers(flood: FloodSet, chunks: readonly number[]): Action[] {
  if (flood.provider) return [set('target', target('provider', 0)), resubmit(DELIVER)]
  const key = flood.peers[0]?.key
  if (key === undefined) return []
  return [setField('tun_id', BigInt(key)), ...chunks.flatMap((chunk) => jump(flood.set, 'remote', chunk))]
}

function jump(kind: FloodSet['set'], side: 'local' | 'remote', chunk: number): Action[] {
  return [set('flood_part', floodPart(kind, side, chunk)), resubmit('flood_part')]
}
