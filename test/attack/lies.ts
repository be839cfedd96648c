import type { Attack } from './attack.ts'
import { SOURCES, TYPES } from './lies-addresses.ts'
import { ARP, DISCOVERY } from './lies-neighbours.ts'
import { ROUTERS, SERVERS } from './lies-services.ts'

/** What a guest says that is not its to say, by topic: one test each. */
export const LIES: Readonly<Record<string, readonly Attack[]>> = {
  'source addresses': SOURCES,
  ARP,
  'neighbour discovery': DISCOVERY,
  'servers of DHCP and DHCPv6': SERVERS,
  'routers: advertisements and redirects, open and hidden': ROUTERS,
  'other ethertypes': TYPES,
}
