import type { Backend } from './backend.ts'
import { fakeBackend } from './fake/backend.ts'
import { ovsCompiler } from './ovs/compile/compile.ts'
import { openOvsDriver } from './ovs/driver/driver.ts'
import { runResponder } from './ovs/responder/run.ts'

/** Every backend whole, by the name `--backend` takes. */
export const BACKENDS: Readonly<Record<string, Backend>> = {
  ovs: { compiler: ovsCompiler, open: openOvsDriver, respond: runResponder },
  fake: fakeBackend,
}
