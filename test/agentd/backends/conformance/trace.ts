import type { Departure } from '../../../../agentd/backends/fake/frame.ts'

/** Which device names stand for what. */
export interface Devices {
  /** A guest's device → the way out. */
  readonly guests: ReadonlyMap<string, Departure>
  /** A provider bridge's NIC → the bridge. */
  readonly nics: ReadonlyMap<string, string>
}

/** Reads what `ofproto/trace` ends with: where the datapath would send the packet. An action it does not know is an error, never skipped. */
export function departuresOf(trace: string, devices: Devices): readonly Departure[] {
  if (/^>>>>/m.test(trace)) throw new Error(`the switch complains:\n${trace}`)
  // One line for each part of the way: a frame that is looked up among connections begins anew behind it.
  const lines = [...trace.matchAll(/^Datapath actions: (.*)$/gm)].map(([, line = '']) => line)
  if (lines.length === 0) throw new Error(`no datapath actions in:\n${trace}`)
  const out: Departure[] = []
  for (const line of lines) if (line !== 'drop') walk(split(line), undefined, devices, out)
  return out
}

function walk(actions: readonly string[], tag: number | undefined, devices: Devices, out: Departure[]): void {
  let vlan = tag
  for (const action of actions) {
    const [, name = '', inner = ''] = /^([\w.-]+)(?:\((.*)\))?$/s.exec(action) ?? []
    const guest = devices.guests.get(action)
    const nic = devices.nics.get(action)
    if (guest !== undefined) out.push(guest)
    else if (nic !== undefined) out.push({ by: 'provider', bridge: nic, ...(vlan === undefined ? {} : { vlan }) })
    else if (name === 'clone') walk(split(inner), vlan, devices, out)
    else if (name === 'tnl_push') out.push(tunnel(inner))
    else if (name === 'push_vlan') vlan = Number(/vid=(\d+)/.exec(inner)?.[1])
    else if (name === 'pop_vlan') vlan = undefined
    else if (!['set', 'nic', 'ct', 'ct_clear', 'recirc'].includes(name) && !action.startsWith('br-'))
      throw new Error(`trace: unknown action ${action}`)
  }
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
