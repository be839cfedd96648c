import { chunksOf } from '../../../../src/lib/chunks.ts'
import type { Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import type { Action } from '../flow/types.ts'
import { flowItem, output, resubmit, set, setField } from './build.ts'
import { cookieOfSet } from './cookie.ts'
import { floodPart, ORIGIN, target } from './registers.ts'
import { type Peer, toPeer } from './segment.ts'
import { DELIVER } from './stages.ts'
import type { TableName } from './tables.ts'
import { macMatch } from './words.ts'

/** A local receiver of copies. */
export interface Member {
  readonly port: Key
  /** Its number in the pool `port`. */
  readonly number: number
}

/** Everyone who gets a copy of a frame in one network. */
export interface FloodSet {
  /** `all`: broadcast and multicast. `unknown`: unicast whose receiver is not known. `mac`: the same to an address that only these ports may use. */
  readonly set: 'all' | 'unknown' | { readonly mac: string }
  readonly owner: Key
  readonly network: number
  readonly members: readonly Member[]
  readonly peers: readonly Peer[]
  readonly provider: boolean
  /** Copies for local ports go by who asked for them (`snoop.ts`). */
  readonly snooped?: boolean
}

/** Receivers in one flow. OVS refuses a flow over 64 kB, and one receiver more rewrites one part only. */
const PART_SIZE = 48

/** Flows that copy a frame to the members of a set. Local copies come first: what is set for tunnels and tags would stay on later ones. */
export function floodItems(flood: FloodSet): readonly Item[] {
  if (typeof flood.set === 'object') {
    const peers = [...flood.peers].sort((a, b) => a.number - b.number).flatMap(copyToPeer)
    return roots(
      flood,
      [...flood.members].sort((a, b) => a.number - b.number).flatMap((m) => copyTo(m)),
      towardsOthers(flood, peers),
    )
  }
  const set = flood.set
  const local = chunksOf(flood.members, (m) => m.number, PART_SIZE)
  const remote = chunksOf(flood.peers, (p) => p.number, PART_SIZE)
  const part = (side: 'local' | 'remote', chunk: number, owners: readonly Key[], actions: readonly Action[]): Item =>
    flowItem({
      table: 'flood_part',
      priority: 50,
      cookie: cookieOfSet(`flood ${flood.owner}`),
      owners,
      registers: { network: flood.network, flood_part: floodPart(set, side, chunk) },
      actions,
    })
  const jumps = (side: 'local' | 'remote', chunks: Iterable<number>): Action[] => [...chunks].flatMap((chunk) => jump(set, side, chunk))
  // Without a local receiver there is nothing to ask.
  const asked = flood.snooped === true && local.size > 0 ? [resubmit('snoop')] : []
  return [
    ...roots(flood, [...asked, ...jumps('local', local.keys())], towardsOthers(flood, jumps('remote', remote.keys()))),
    ...[...local].map(([chunk, members]) =>
      part(
        'local',
        chunk,
        members.map((m) => m.port),
        members.flatMap((m) => copyTo(m, flood.snooped === true ? 'snoop_copy' : DELIVER)),
      ),
    ),
    ...[...remote].map(([chunk, peers]) => part('remote', chunk, [flood.owner], peers.flatMap(copyToPeer))),
  ]
}

/** Where copying begins: frames of other hosts go to local ports only. */
function roots({ set, owner, network }: FloodSet, local: readonly Action[], onward: readonly Action[]): Item[] {
  const mac = typeof set === 'object' ? set.mac : undefined
  const base = mac === undefined ? 10 : 30
  const common = {
    table: set === 'all' ? ('flood' as const) : ('flood_unknown' as const),
    cookie: cookieOfSet(`flood ${owner}`),
    owners: [owner],
    ...(mac === undefined ? {} : { match: { eth_dst: macMatch(mac) } }),
  }
  const out: Item[] = []
  if (local.length > 0) out.push(flowItem({ ...common, priority: base, registers: { network }, actions: local }))
  if (onward.length > 0) {
    out.push(flowItem({ ...common, priority: base + 10, registers: { network, origin: ORIGIN.local }, actions: [...local, ...onward] }))
  }
  return out
}

function towardsOthers(flood: FloodSet, toPeers: readonly Action[]): readonly Action[] {
  if (flood.provider) return [set('target', target('provider', 0)), resubmit(DELIVER)]
  const key = flood.peers[0]?.key
  return key === undefined ? [] : [setField('tun_id', BigInt(key)), ...toPeers]
}

function copyTo(member: Member, next: TableName = DELIVER): Action[] {
  return [set('target', target('port', member.number)), resubmit(next)]
}

function copyToPeer(peer: Peer): Action[] {
  return [toPeer(peer.ip), output(peer.ofport)]
}

function jump(kind: 'all' | 'unknown', side: 'local' | 'remote', chunk: number): Action[] {
  return [set('flood_part', floodPart(kind, side, chunk)), resubmit('flood_part')]
}
