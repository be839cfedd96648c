import type { Backend } from './backend.ts'
import { fakeBackend } from './fake/backend.ts'
import { ovsCompiler } from './ovs/compile/compile.ts'
import { openOvsDriver } from './ovs/driver/driver.ts'

/** Every backend whole, by the name `--backend` takes. */
export const BACKENDS: Readonly<Record<string, Backend>> = {
  ovs: { compiler: ovsCompiler, open: openOvsDriver },
  fake: fakeBackend,
}
