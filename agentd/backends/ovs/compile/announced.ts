import type { AttachIntent } from '../../../../src/model/intent.ts'
import type { Key } from '../../../../src/model/key.ts'
import type { Action } from '../flow/types.ts'
import { resubmit, set, setField } from './build.ts'
import type { NetworkContext } from './network.ts'
import { ORIGIN, target } from './registers.ts'

/** A port of this host whose frames leave it by a provider network: switches on the way look for it where they last heard it. */
export interface Announced {
  readonly port: Key
  readonly mac: string
  /** The network's number. */
  readonly network: number
  /** Key of the flow by which its frames come in: with it the port is plugged. */
  readonly flow: string
}

/** Undefined: nobody out there has to be told. A guest that is still on its way here (`coming`) is heard where it runs, and its hypervisor says when it has moved. */
export function announcedPort(
  { port, mac }: AttachIntent,
  { number, provider }: Pick<NetworkContext, 'number' | 'provider'>,
  { coming, flow }: { readonly coming: ReadonlySet<Key>; readonly flow: string | undefined },
): Announced | undefined {
  return provider === undefined || flow === undefined || coming.has(port) ? undefined : { port, mac, network: number, flow }
}

/** Out by the provider network, past everything else: none of the ports here need to hear it. */
export function toProvider(network: number): readonly Action[] {
  return [setField('metadata', BigInt(network)), set('origin', ORIGIN.local), set('target', target('provider', 0)), resubmit('output')]
}
