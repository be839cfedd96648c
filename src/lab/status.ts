import { readFile } from 'node:fs/promises'
import type { Key } from '../model/key.ts'
import { exec } from './exec.ts'
import { daemonPid } from './faults.ts'
import { type Lab, labOpen } from './lab.ts'
import { guestNetns, hostNetns, tapName } from './names.ts'
import { readRecord } from './record.ts'
import { findRemains, isClean } from './sweep.ts'

export interface LabStatus {
  readonly tag: string
  /** `half-made`: a run was killed; `up` makes it anew, `down` removes it. */
  readonly state: 'up' | 'half-made' | 'none'
  readonly hosts: readonly HostStatus[]
  readonly guests: readonly GuestStatus[]
}

export interface HostStatus {
  readonly name: string
  readonly netns: string
  readonly tunnel_ip?: string
  /** Both daemons run and vswitchd answers. */
  readonly switch: 'running' | 'stopped' | 'no answer'
  /** Resident memory of vswitchd, kB. */
  readonly memory_kb: number
}

export interface GuestStatus {
  readonly port: Key
  readonly host: string
  readonly netns: string
  /** `plugged`: Open vSwitch has given its interface a number. `by the agent`: the lab does not plug it. */
  readonly interface: 'plugged' | 'not plugged' | 'by the agent'
  readonly ofport?: number
}

/** What there is of a lab, read from the machine and from Open vSwitch, not from what was asked for. */
export async function labStatus(tag: string): Promise<LabStatus> {
  const lab = await labOpen(tag)
  if (lab !== undefined) {
    const hosts = await Promise.all(lab.spec.hosts.map(async (h) => await hostStatus(lab, h.name, h.tunnel_ip)))
    const ofports = new Map(
      await Promise.all(hosts.map(async (h) => [h.name, h.switch === 'running' ? await readOfports(lab, h.name) : new Map()] as const)),
    )
    return { tag, state: 'up', hosts, guests: guestStatus(lab, ofports) }
  }
  const half = (await readRecord(tag)) !== undefined || !isClean(await findRemains(tag))
  return { tag, state: half ? 'half-made' : 'none', hosts: [], guests: [] }
}

async function hostStatus(lab: Lab, name: string, tunnelIp: string | undefined): Promise<HostStatus> {
  const [db, vswitchd] = [await daemonPid(lab, name, 'ovsdb-server'), await daemonPid(lab, name, 'ovs-vswitchd')]
  const common = { name, netns: hostNetns(lab.tag, name), ...(tunnelIp === undefined ? {} : { tunnel_ip: tunnelIp }) }
  if (db === undefined || vswitchd === undefined) return { ...common, switch: 'stopped', memory_kb: 0 }
  const answered = await exec(lab, { host: name }, ['ovs-appctl', '--timeout=2', 'version'])
  const status = await readFile(`/proc/${vswitchd}/status`, 'utf8').catch(() => '')
  return { ...common, switch: answered.code === 0 ? 'running' : 'no answer', memory_kb: Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) }
}

/** Interface name → OpenFlow port, those that have one. */
async function readOfports(lab: Lab, host: string): Promise<Map<string, number>> {
  const listed = await exec(lab, { host }, [
    'ovs-vsctl',
    '--timeout=5',
    '--format=csv',
    '--no-headings',
    '--columns=name,ofport',
    'list',
    'Interface',
  ])
  const rows = listed.stdout.split('\n').map((line) => line.split(','))
  return new Map(rows.flatMap(([name, ofport]) => (name !== undefined && Number(ofport) > 0 ? [[name, Number(ofport)] as const] : [])))
}

function guestStatus(lab: Lab, ofports: ReadonlyMap<string, ReadonlyMap<string, number>>): GuestStatus[] {
  return lab.spec.guests.map((g): GuestStatus => {
    const common = { port: g.port, host: g.host, netns: guestNetns(lab.tag, g.port) }
    if (g.plug === 'agent') return { ...common, interface: 'by the agent' }
    const ofport = ofports.get(g.host)?.get(tapName(g))
    return ofport === undefined ? { ...common, interface: 'not plugged' } : { ...common, interface: 'plugged', ofport }
  })
}
