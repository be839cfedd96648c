import type { Backend } from '../backend.ts'
import { fakeCompiler } from './compile.ts'
import { type FakeSwitch, FakeSwitchState, openFakeDriver } from './driver.ts'

/** The model backend, with hands to reach its switches. */
export interface FakeBackend extends Backend {
  /** The switch of a host: made on first use, kept when drivers come and go. */
  switchOf(host: string): FakeSwitch
}

/** A set of model switches of its own: two tests never share one. */
export function createFakeBackend(): FakeBackend {
  const switches = new Map<string, FakeSwitchState>()
  const switchOf = (host: string): FakeSwitchState => {
    const known = switches.get(host) ?? new FakeSwitchState(host)
    switches.set(host, known)
    return known
  }
  return {
    compiler: fakeCompiler,
    switchOf,
    async open(options) {
      return openFakeDriver(switchOf(options.host), options)
    },
  }
}

/** The one that `--backend fake` opens: switches live as long as the process. */
export const fakeBackend: FakeBackend = createFakeBackend()
