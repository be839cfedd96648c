import type { Action } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { ANY, portFromWire, portToWire } from './constants.ts'
import { putActions } from './put-actions.ts'
import { readActions } from './read-actions.ts'

/** Groups: OpenFlow 1.4, 7.3.4.3. They cannot be in a bundle together with flows of OpenFlow 1.4 as OVS implements it. */
export interface Group {
  readonly group: number
  readonly type: GroupType
  readonly buckets: readonly Bucket[]
}

export type GroupType = 'all' | 'select' | 'indirect' | 'ff'
const TYPES: readonly GroupType[] = ['all', 'select', 'indirect', 'ff']

export interface Bucket {
  /** For `select`. */
  readonly weight?: number
  /** For `ff`: used while this port (or group) is up. */
  readonly watch_port?: number
  readonly watch_group?: number
  readonly actions: readonly Action[]
}

export type GroupCommand = 'add' | 'modify' | 'delete'
const COMMANDS: readonly GroupCommand[] = ['add', 'modify', 'delete']

export function putGroupMod(w: ByteWriter, command: GroupCommand, group: Group): void {
  w.u16(COMMANDS.indexOf(command))
  w.u8(TYPES.indexOf(group.type))
  w.u8(0)
  w.u32(group.group)
  if (command === 'delete') return
  for (const bucket of group.buckets) {
    const start = w.at
    w.u16(0)
    w.u16(bucket.weight ?? (group.type === 'select' ? 1 : 0))
    w.u32(bucket.watch_port === undefined ? ANY : portToWire(bucket.watch_port))
    w.u32(bucket.watch_group ?? ANY)
    w.zeros(4)
    putActions(w, bucket.actions)
    w.set16(start, w.at - start)
  }
}

export function readGroups(b: Buffer): Group[] {
  const groups: Group[] = []
  for (let at = 0; at + 8 <= b.length; ) {
    const length = Math.max(b.readUInt16BE(at), 8)
    const type = TYPES[b.readUInt8(at + 2)] ?? 'all'
    const buckets: Bucket[] = []
    for (let i = at + 8; i + 16 <= at + length; ) {
      const bucket = Math.max(b.readUInt16BE(i), 16)
      buckets.push(readBucket(b, i, i + bucket, type))
      i += bucket
    }
    groups.push({ group: b.readUInt32BE(at + 4), type, buckets })
    at += length
  }
  return groups
}

function readBucket(b: Buffer, at: number, end: number, type: GroupType): Bucket {
  const port = b.readUInt32BE(at + 4)
  const group = b.readUInt32BE(at + 8)
  return {
    ...(type === 'select' ? { weight: b.readUInt16BE(at + 2) } : {}),
    ...(port === ANY ? {} : { watch_port: portFromWire(port) }),
    ...(group === ANY ? {} : { watch_group: group }),
    actions: readActions(b, at + 16, end),
  }
}
