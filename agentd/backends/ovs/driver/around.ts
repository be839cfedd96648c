import type { Facts, Item } from '../../backend.ts'
import { endsState, localAddresses } from './datapath.ts'
import { tunnelAddresses } from './foreign.ts'
import type { Inventory } from './observe.ts'
import { Providers, type ProvidersOptions } from './providers.ts'

/** Between looks at what nobody tells of: addresses of this host, ports of bridges of others. */
const LOOK_MS = 2_000

export interface AroundOptions extends Omit<ProvidersOptions, 'onChange'> {
  readonly inventory: () => Inventory
  /** Something that matters to us is not as it was when it was last looked at. */
  readonly onChange: () => void
}

/** What is not our switch, and frames of ours depend on: where tunnels end, and bridges of others. */
export class Around {
  readonly #options: AroundOptions
  readonly #providers: Providers
  #timer: NodeJS.Timeout | undefined
  #seen = ''
  /** As last enumerated, and what the kernel said of our tunnels' ends then. */
  #addresses: Readonly<Record<string, string>> = {}
  #ends = ''
  #closed = false

  constructor(options: AroundOptions) {
    this.#options = options
    this.#providers = new Providers({ ...options, onChange: () => this.#compare() })
  }

  /** Looks again and again from now on. */
  start(): void {
    this.#timer = setTimeout(() => {
      void this.look(false).then(() => {
        if (!this.#closed) this.start()
      })
    }, LOOK_MS)
  }

  /** Rows changed. */
  follow(): void {
    this.#providers.follow(this.#options.inventory())
  }

  /** `fresh`: what monitors tell of is read again too. */
  async look(fresh: boolean): Promise<void> {
    await this.#providers.read(fresh)
    this.#compare()
  }

  facts(): Required<Pick<Facts, 'addresses' | 'providers'>> {
    this.#addresses = localAddresses()
    return { addresses: this.#addresses, providers: this.#providers.facts(this.#options.inventory()) }
  }

  /** What others told ports of ours on their bridges to refuse. */
  items(): ReadonlyMap<string, Item> {
    return this.#providers.items(this.#options.inventory())
  }

  async setRight(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    await this.#providers.setRight(items, failed)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#providers.close()
  }

  /** Addresses where no tunnel ends come and go with guests. */
  #compare(): void {
    if (this.#closed) return
    const inventory = this.#options.inventory()
    const own = [...tunnelAddresses(inventory, this.#options.installation)]
    // A host has an interface for each guest: all of them are enumerated only where something is other with those that matter.
    const state = endsState(own, this.#addresses)
    if (state !== this.#ends) {
      this.#addresses = localAddresses()
      this.#ends = endsState(own, this.#addresses)
    }
    const ends = own.map((ip) => [ip, this.#addresses[ip]])
    const providers = this.#providers.facts(inventory)
    const refused = [...this.items()].map(([key, item]) => [key, item.text])
    const seen = JSON.stringify([ends, providers, refused])
    if (seen === this.#seen) return
    this.#seen = seen
    this.#options.onChange()
  }
}
