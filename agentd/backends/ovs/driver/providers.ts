import type { DriverOptions, Facts, Item } from '../../backend.ts'
import type { SettingValue } from '../compile/values.ts'
import { ownRow, refusalItems } from './bridge-settings.ts'
import { type Inventory, otherProtocols } from './observe.ts'
import { ProviderBridge } from './provider-bridge.ts'
import { providerFact, providersIn } from './provider-fact.ts'

export interface ProvidersOptions extends Pick<DriverOptions, 'rundir' | 'installation' | 'log'> {
  readonly onChange: () => void
}

/** The bridges of others that patches of ours lead to. */
export class Providers {
  readonly #options: ProvidersOptions
  readonly #bridges: Map<string, ProviderBridge> = new Map()
  #names: ReadonlySet<string> = new Set()

  constructor(options: ProvidersOptions) {
    this.#options = options
  }

  /** Begins and ends to look at bridges, as ports of ours come and go on them. */
  follow(inventory: Inventory): void {
    this.#names = providersIn(inventory, this.#options.installation)
    const readable = new Set([...this.#names].filter((name) => otherProtocols(inventory, name) === undefined))
    for (const [name, bridge] of this.#bridges) {
      if (readable.has(name)) continue
      this.#bridges.delete(name)
      void bridge.close()
    }
    const { rundir, log, onChange } = this.#options
    for (const name of readable) {
      if (this.#bridges.has(name)) continue
      const bridge = new ProviderBridge({ name, path: `${rundir}/${name}.mgmt`, log, onChange })
      this.#bridges.set(name, bridge)
      void bridge.read(false)
    }
  }

  async read(fresh: boolean): Promise<void> {
    await Promise.all([...this.#bridges.values()].map(async (bridge) => await bridge.read(fresh)))
  }

  facts(inventory: Inventory): NonNullable<Facts['providers']> {
    return Object.fromEntries(
      [...this.#names].sort().map((name) => [name, providerFact(name, inventory, this.#bridges.get(name)?.state())]),
    )
  }

  /** What others told our ports there to refuse. */
  items(inventory: Inventory): ReadonlyMap<string, Item> {
    const ours = (port: Parameters<typeof ownRow>[0]): string | undefined => ownRow(port, inventory, this.#options.installation)
    return new Map([...this.#bridges].flatMap(([name, bridge]) => [...refusalItems(name, bridge.state()?.ports.values() ?? [], ours)]))
  }

  /** Sets right those of `items` that are on these bridges. */
  async setRight(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    for (const [name, bridge] of this.#bridges) {
      const here = items.filter((i) => (i.value as SettingValue).bridge === name)
      if (here.length > 0) await bridge.setRight(here, failed)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#bridges.values()].map(async (bridge) => await bridge.close()))
  }
}
