import type { Compiler } from './backend.ts'
import { fakeCompiler } from './fake/compile.ts'
import { ovsCompiler } from './ovs/compile/compile.ts'

/** The words of the contract that the planner needs: it may import nothing else of the agent. */
export type { AllocationTable, Compiled, Compiler, Facts, IntentSet, InterfaceFact } from './backend.ts'
/** How a flow leads back to the resource it is for. */
export { COOKIE_PREFIX, type CookieUse, cookiesOf, PIPELINE_COOKIE } from './ovs/compile/cookie.ts'

/** The pure halves of all backends, by name: the one door through which the planner shows rows and flows before anything is written. */
export const COMPILERS: Readonly<Record<'ovs' | 'fake', Compiler>> = { ovs: ovsCompiler, fake: fakeCompiler }
