import { existsSync } from 'node:fs'
import { daemonPid } from './daemons.ts'
import { guestNetns, hostDir, hostNetns, labDir, wireNetns } from './names.ts'
import type { LabRecord } from './record.ts'
import { wireDir } from './wire.ts'

/** What does not run of a lab whose record says that it is up. */
export interface Dead {
  /** Why the wire is gone, and with it everything; undefined: it is there. */
  readonly wire: string | undefined
  /** Host → why it cannot go on. */
  readonly hosts: ReadonlyMap<string, string>
}

/** Looks at the machine, not at the record: a lab's processes may have been killed, and its namespaces removed, behind its back. */
export async function findDead({ tag, wire, spec }: LabRecord): Promise<Dead> {
  const hosts = new Map<string, string>()
  for (const { name } of spec.hosts) {
    const guests = spec.guests.filter((g) => g.host === name).map((g) => guestNetns(tag, g.port))
    const why = (await switchFault(hostDir(tag, name))) ?? netnsFault([hostNetns(tag, name), ...guests])
    if (why !== undefined) hosts.set(name, why)
  }
  const switched = wire === 'ovs' ? await switchFault(wireDir(labDir(tag))) : undefined
  return { wire: switched ?? netnsFault([wireNetns(tag)]), hosts }
}

async function switchFault(dir: string): Promise<string | undefined> {
  for (const daemon of ['ovsdb-server', 'ovs-vswitchd'] as const)
    if ((await daemonPid(dir, daemon)) === undefined) return `its ${daemon} does not run`
  return undefined
}

function netnsFault(names: readonly string[]): string | undefined {
  const gone = names.find((name) => !existsSync(`/run/netns/${name}`))
  return gone === undefined ? undefined : `namespace ${gone} is gone`
}
