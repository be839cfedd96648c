import type { Compiler } from './backend.ts'
import { fakeCompiler } from './fake/compile.ts'
import { ovsCompiler } from './ovs/compile/compile.ts'

/** The pure halves of all backends, by name: the one door through which the planner shows rows and flows before anything is written. */
export const COMPILERS: Readonly<Record<'ovs' | 'fake', Compiler>> = { ovs: ovsCompiler, fake: fakeCompiler }
