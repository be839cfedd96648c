import type { Departure } from '../../../../agentd/backends/fake/frame.ts'

/** Which device names stand for what. */
export interface Devices {
  /** A guest's device → the way out. */
  readonly guests: ReadonlyMap<string, Departure>
  /** A guest's device and a VLAN id, `vm-0 100` → the subport. */
  readonly tagged: ReadonlyMap<string, Departure>
  /** A provider bridge's NIC → the bridge. */
  readonly nics: ReadonlyMap<string, string>
}

/** Reads what `ofproto/trace` ends with: where the datapath would send the packet. An action it does not know is an error, never skipped. */
export function departuresOf(trace: string, devices: Devices, sentTag: number | undefined): readonly Departure[] {
  if (/^>>>>/m.test(trace)) throw new Error(`the switch complains:\n${trace}`)
  // One line for each part of the way: a frame that is looked up among connections begins anew behind it.
  const lines = [...trace.matchAll(/^Datapath actions: (.*)$/gm)].map(([, line = '']) => line)
  if (lines.length === 0) throw new Error(`no datapath actions in:\n${trace}`)
  const out: Departure[] = []
  // A tag that comes off and on again is left on; each part of the way begins with the tag that the frame had when it was looked up anew.
  const tags = [sentTag]
  for (const line of lines) {
    const tag = tags.shift()
    if (line !== 'drop') tags.push(...walk(split(line), tag, devices, out))
  }
  return out
}

/** Returns the tags with which the frame is looked up anew, in order. */
function walk(actions: readonly string[], tag: number | undefined, devices: Devices, out: Departure[]): (number | undefined)[] {
  const again: (number | undefined)[] = []
  let vlan = tag
  let as: Departure['as']
  const leaves = (way: Departure): number => out.push(as === undefined ? way : { ...way, as })
  for (const action of actions) {
    const [, name = '', inner = ''] = /^([\w.-]+)(?:\((.*)\))?$/s.exec(action) ?? []
    const guest = devices.guests.get(action)
    const nic = devices.nics.get(action)
    if (guest !== undefined) out.push(vlan === undefined ? guest : subport(action, vlan, devices))
    else if (nic !== undefined) leaves({ by: 'provider', bridge: nic, ...(vlan === undefined ? {} : { vlan }) })
    else if (name === 'clone') again.push(...walk(split(inner), vlan, devices, out))
    else if (name === 'check_pkt_len') again.push(...walk(split(/,le\((.*)\)$/.exec(inner)?.[1] ?? 'no answer'), vlan, devices, out))
    else if (name === 'recirc') again.push(vlan)
    else if (name === 'tnl_push') leaves(tunnel(inner))
    else if (name === 'set' && inner.startsWith('eth(')) as = { ...as, ...addresses(inner) } as Departure['as']
    else if (name === 'push_vlan') vlan = Number(/vid=(\d+)/.exec(inner)?.[1])
    else if (name === 'pop_vlan') vlan = undefined
    // `sample`: what goes to the responder, held against a meter.
    else if (!['set', 'nic', 'ct', 'ct_clear', 'meter', 'userspace', 'sample'].includes(name) && !action.startsWith('br-'))
      throw new Error(`trace: unknown action ${action}`)
  }
  return again
}

/** `eth(src=…,dst=…)`: either may be left out where it is not changed. */
function addresses(inner: string): Partial<NonNullable<Departure['as']>> {
  const [src, dst] = ['src', 'dst'].map((name) => new RegExp(`${name}=([0-9a-f:]{17})`).exec(inner)?.[1])
  return { ...(src === undefined ? {} : { src }), ...(dst === undefined ? {} : { dst }) }
}

function subport(device: string, vlan: number, { tagged }: Devices): Departure {
  const way = tagged.get(`${device} ${vlan}`)
  if (way === undefined) throw new Error(`trace: ${device} gets a frame with VLAN ${vlan}, which is none of its own`)
  return way
}

/** `tnl_port(…),header(…,ipv4(…,dst=192.0.2.2,…),udp(…),vxlan(flags=…,vni=0x64)),out_port(…)` */
function tunnel(inner: string): Departure {
  const to = /ipv[46]\(src=[^,]+,dst=([^,]+),/.exec(inner)?.[1]
  const vni = /(vxlan|geneve)\([^)]*vni=(0x[0-9a-f]+)/.exec(inner)
  const gre = /gre\(.*key=(0x[0-9a-f]+)/.exec(inner)
  if (to === undefined) throw new Error(`trace: no address in ${inner}`)
  if (vni !== null) return { by: 'tunnel', type: vni[1] === 'vxlan' ? 'vxlan' : 'geneve', key: Number(vni[2]), to }
  if (gre !== null) return { by: 'tunnel', type: 'gre', key: Number(gre[1]), to }
  throw new Error(`trace: unknown tunnel ${inner}`)
}

/** At commas outside parentheses. */
function split(text: string): string[] {
  const out: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++
    else if (text[i] === ')') depth--
    else if (text[i] === ',' && depth === 0) {
      out.push(text.slice(start, i))
      start = i + 1
    }
  }
  return [...out, text.slice(start)]
}
