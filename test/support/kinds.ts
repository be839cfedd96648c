import type { KindDefinition } from '../../src/kinds/kind.ts'
import { defaultDirectory } from '../../src/plugins/choose.ts'

/** The kinds of a server that names no plugins. */
export const kinds: readonly KindDefinition[] = defaultDirectory().kinds
