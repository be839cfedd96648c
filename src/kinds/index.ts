import { host } from './host/index.ts'
import type { KindDefinition } from './kind.ts'
import { network } from './network/index.ts'
import { port } from './port/index.ts'
import { site } from './site/index.ts'
import { subnet } from './subnet/index.ts'

/** Every kind, one folder each. The order here is no order of evaluation: that comes from `after`. */
export const kinds: readonly KindDefinition[] = [site, network, subnet, port, host]
