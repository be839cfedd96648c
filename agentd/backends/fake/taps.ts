import type { EndpointIntent, HostIntent, Intent, TapFlowIntent, TapIntent, TapMirrorIntent } from '../../../src/model/intent.ts'
import type { Key } from '../../../src/model/key.ts'
import type { Verdict } from '../backend.ts'
import type { Arrival, Departure } from './frame.ts'
import type { Listener } from './tables.ts'

/** What taps of a host follow from. */
interface Around {
  readonly offer: HostIntent | undefined
  readonly endpoints: readonly EndpointIntent[]
}

/** Everybody who listens to ports of this host, or whose port is here. */
export function listenersOf(host: string, intents: readonly Intent[], around: Around): readonly Listener[] {
  const flows = intents.filter((i) => i.type === 'tap_flow')
  return intents.flatMap((i) => {
    if (i.type === 'tap_mirror') return mirrorListeners(i)
    return i.type === 'tap' ? serviceListener(host, i, flows, around) : []
  })
}

function serviceListener(
  host: string,
  service: TapIntent,
  all: readonly TapFlowIntent[],
  { offer, endpoints }: Around,
): readonly Listener[] {
  const flows = all.filter((f) => f.tap === service.tap)
  const mine = flows.filter((f) => f.hosts.includes(host))
  const here = service.hosts.includes(host)
  if (flows.length === 0 || (mine.length === 0 && !here)) return []
  const { tunnel } = service
  const ends = (hosts: readonly string[]): readonly string[] =>
    tunnel === undefined || offer?.tunnel_ip === undefined
      ? []
      : endpoints.filter((e) => e.host !== host && hosts.includes(e.host)).map((e) => e.tunnel_ip)
  const away =
    mine.length === 0 || tunnel === undefined
      ? []
      : ends(service.hosts).map((to): Departure => ({ by: 'tunnel', type: tunnel.type, key: tunnel.key, to }))
  return [
    {
      table: 'listener',
      listener: service.tap,
      sent: mine.flatMap((f) => (f.direction === 'IN' ? [] : [f.port])),
      received: mine.flatMap((f) => (f.direction === 'OUT' ? [] : [f.port])),
      ways: [...(here ? [{ by: 'port', port: service.port } as const] : []), ...away],
      from:
        here && tunnel !== undefined ? ends(flows.flatMap((f) => f.hosts)).map((from): Arrival => ({ by: 'tunnel', ...tunnel, from })) : [],
    },
  ]
}

function mirrorListeners({ mirror, port, mirror_type, remote_ip, in: received, out: sent }: TapMirrorIntent): readonly Listener[] {
  const type = mirror_type === 'gre' ? 'gre' : 'erspan'
  return [...new Set([received, sent])].flatMap((key) =>
    key === undefined
      ? []
      : [
          {
            table: 'listener',
            listener: `${mirror} ${key}`,
            sent: sent === key ? [port] : [],
            received: received === key ? [port] : [],
            ways: [{ by: 'tunnel', type, key, to: remote_ip }],
            from: [],
          },
        ],
  )
}

/** What a tap is as well as: its port here. */
export function tapVerdicts(host: string, intents: readonly Intent[], verdicts: Map<Key, Verdict>): readonly Key[] {
  const flowing = new Set(intents.flatMap((i) => (i.type === 'tap_flow' ? [i.tap] : [])))
  const subjects = intents.flatMap((i): { readonly key: Key; readonly port: Key }[] => {
    if (i.type === 'tap') return i.hosts.includes(host) && flowing.has(i.tap) ? [{ key: i.tap, port: i.port }] : []
    if (i.type === 'tap_flow') return i.hosts.includes(host) ? [{ key: i.flow, port: i.port }] : []
    return i.type === 'tap_mirror' ? [{ key: i.mirror, port: i.port }] : []
  })
  for (const { key, port } of subjects) {
    const verdict = verdicts.get(port)
    if (verdict !== undefined) verdicts.set(key, verdict)
  }
  return subjects.map((s) => s.key)
}
