import type { JsonObject } from '../../src/model/brand.ts'
import type { Intent } from '../../src/model/intent.ts'
import type { Key } from '../../src/model/key.ts'
import type { LogEntry } from '../../src/model/log-entry.ts'
import type { IntentKey, Scope } from '../../src/model/scope.ts'

/**
 * A backend turns intents into its own tables. Two halves: `compile` is pure (the planner runs it too, through `compilers.ts`);
 * the driver owns the sockets. `converge/` knows neither flows nor rows: only items with a key, owners and a canonical text.
 */
export interface Compiler {
  readonly name: string
  /** Deterministic: equal input gives equal items, and allocations only ever grow or are freed, never move. */
  compile(input: CompileInput): Compiled
}

export interface CompileInput {
  readonly host: string
  readonly installation: string
  /** A complete set at exactly one target; one without any scope says that the host is to hold nothing of ours. Intent objects keep their identity while they do not change (memoise on them). */
  readonly intents: IntentSet
  readonly facts: Facts
  readonly allocations: AllocationTable
}

/** Scope → intents. */
export type IntentSet = ReadonlyMap<Scope, ReadonlyMap<IntentKey, Intent>>

/** What only the switch knows. Plain JSON; reported to the server so that the planner can compile. */
export interface Facts {
  readonly datapath_type: string
  readonly version: string
  readonly capabilities: readonly string[]
  /** By interface name. `ofport` absent: not (yet) assigned; `error`: OVS's own words. */
  readonly interfaces: Readonly<Record<string, InterfaceFact>>
  /** Names of bridges that exist and are not ours. */
  readonly bridges: readonly string[]
  /** IP address → network device that has it. Absent: not known (a prediction). */
  readonly addresses?: Readonly<Record<string, string>>
  /** Bridges of others that ports of ours lead to, by name. Absent: not known (a prediction). */
  readonly providers?: Readonly<Record<string, ProviderFact>>
  /** Why nobody answers what the switch itself cannot, though flows ask for it. Absent: somebody does, or nobody is asked, or it is not known. */
  readonly responder_fault?: string
}

/** What is certain of a bridge that belongs to others, whatever they want with it. */
export interface ProviderFact {
  /** Its flows drop every frame, every frame of ours, or every frame that comes in by its uplinks. Absent: some may pass, or nobody can tell. */
  readonly drops?: 'all' | 'ours' | 'theirs'
  /** The ports that lead on from it, sorted. `fault`: why nothing passes there, and what to type. */
  readonly uplinks: readonly { readonly name: string; readonly fault?: { readonly what: string; readonly todo: string } }[]
  /** Somebody said that it is meant to have no uplink. */
  readonly alone?: true
  /** Why its flows cannot be read. */
  readonly unread?: string
}

export interface InterfaceFact {
  readonly bridge: string
  readonly ofport?: number
  readonly iface_id?: string
  readonly attached_mac?: string
  /** Plugged by others, and its device is set down. Absent also where OVS does not see the device (it was moved into a namespace). */
  readonly down?: true
  readonly type: string
  readonly ours: boolean
  readonly error?: string
}

/** Numbers a backend had to choose: pool → name → number. Kept by the agent on disk, reported, used by the planner. */
export type AllocationTable = Readonly<Record<string, Readonly<Record<string, number>>>>

/** One thing the switch is to hold. Two items are the same when key and text are. */
export interface Item {
  /** Unique and stable, e.g. `row Port nl-3f…`, `flow br-int classify 100 in_port=3`. */
  readonly key: string
  /** Resources it exists for; shared flows have several. */
  readonly owners: readonly Key[]
  /** Canonical text: what a plan prints and what decides equality. Made on first use where that is dear. */
  readonly text: string
  /** The backend's own value. */
  readonly value: unknown
  /** Only of what was found: a setting that keeps another item from doing its work. Removing it sets it right. */
  readonly spoils?: Spoils
}

export interface Spoils {
  /** Key of the item that is as good as altered; its owners are the ones who suffer. */
  readonly key: string
  /** How the setting should be, in an operator's words. */
  readonly right: string
}

export interface Compiled {
  readonly items: ReadonlyMap<string, Item>
  readonly allocations: AllocationTable
  /** Per resource: what the backend can already say (unsupported, waiting for its interface, wrong on this host). Absent = fine. */
  readonly verdicts: ReadonlyMap<Key, Verdict>
  /** Every resource of this host whose status is to be reported. */
  readonly subjects: readonly Key[]
  /** What is known from facts to stop what was compiled, and is not ours. Absent: nothing. */
  readonly outside?: readonly Foreign[]
  /** What connections that the switch keeps are to be judged by: the backend's own, for its driver's `settle`. */
  readonly connections?: unknown
  /** What is to be done with what ports say of multicast groups: the backend's own, for its driver's `settle`. Absent: nothing. */
  readonly snooping?: unknown
  /** Whom the switches beyond this one are to hear of: the backend's own, for its driver's `settle`. */
  readonly announced?: unknown
  /** The switch sends packets to the responder. */
  readonly responder?: true
  /** What packets that the switch tells of are to be read by: the backend's own, for its driver's `prepare`. */
  readonly logging?: unknown
}

export type Verdict = { readonly state: 'WAITING' | 'DOWN'; readonly cause: string } | { readonly state: 'ERROR'; readonly cause: string }

/** The edge of a backend. One per agent process. */
export interface Driver {
  /** Facts as of now, from the driver's own replica (no I/O). */
  facts(): Facts
  /** What the switch holds of ours, from the replica kept by monitors; `fresh` reads everything again. */
  observe(options?: { readonly fresh?: boolean }): Promise<Observed>
  /** Called before anything of a run is written, with what is desired. Absent: the backend has nothing to get ready. */
  prepare?(compiled: Compiled): void
  /**
   * Writes the smallest change: rows in one transaction, wait for ofports, one flow bundle, paced row deletions; then reads back.
   * Never throws for one bad item: failures are data.
   */
  apply(delta: Delta): Promise<Outcome>
  /**
   * Called after each run, with what is desired: ends connections that it allows no more and that the switch would go on with by itself. Costs nothing where nothing was
   * taken away. Absent: the backend keeps none.
   */
  settle?(compiled: Compiled): Promise<void>
  /** Asks the switch something that costs nothing; rejects when it has not answered in time (more of it while it takes on a write of ours), or when nobody is there. */
  probe(timeoutMs: number): Promise<void>
  /** Called when the switch changed by another hand, or restarted, or an interface was plugged. Coalesced by the driver. */
  onChange(listener: (what: 'facts' | 'items') => void): void
  /** Called when a connection to the switch broke: a reason to ask it at once, no proof that it is gone. */
  onLost(listener: () => void): void
  ask(question: { readonly what: string; readonly [k: string]: unknown }): Promise<JsonObject>
  close(): Promise<void>
}

export interface Observed {
  /** As of now: may follow the switch from the next event on, so compare before anything is awaited. */
  readonly items: ReadonlyMap<string, Item>
  readonly foreign: readonly Foreign[]
  /** A part that cannot be read until something among the rest is put right; `items` is silent about it. Absent: everything was read. */
  readonly unread?: Unread
}

/** Not ours: listed, left alone. */
export interface Foreign {
  readonly where: string
  readonly text: string
  /** It keeps frames from what is ours: the host is in ERROR for as long as it is there. */
  readonly harm?: Harm
}

export interface Harm {
  /** What it does, and what to type. */
  readonly cause: string
  /** Keys of items of ours that see no frame any more; their owners are the ones who suffer. */
  readonly spoils: readonly string[]
}

export interface Unread {
  readonly concerns: (key: string) => boolean
  /** Why, and what to type. */
  readonly cause: string
}

export interface Delta {
  readonly add: readonly Item[]
  readonly change: readonly { readonly before: Item; readonly after: Item }[]
  readonly remove: readonly Item[]
}

export interface Outcome {
  /** Items by key that did not make it, with OVS's own words. They stay pending. */
  readonly failed: ReadonlyMap<string, string>
  /** Items put off to keep traffic flowing (paced deletions): still pending, not failed; the next run goes on with them. */
  readonly deferred: ReadonlySet<string>
  /** Items read back and found as written. */
  readonly verified: ReadonlySet<string>
  /** Milliseconds per stage. */
  readonly timings: Readonly<Record<string, number>>
}

/** One line in `agentd/backends/drivers.ts`. */
export interface Backend {
  readonly compiler: Compiler
  open(options: DriverOptions): Promise<Driver>
  /** What answers packets beside the agent, as a process of its own. Absent: the backend has none. */
  respond?(options: ResponderOptions): Promise<void>
}

export type ResponderOptions = Pick<DriverOptions, 'rundir' | 'log'>

export interface DriverOptions {
  readonly host: string
  readonly installation: string
  /** Directory of OVS's sockets (`/var/run/openvswitch`). */
  readonly rundir: string
  /** OVSDB endpoint; default `<rundir>/db.sock`. */
  readonly database?: string
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void
  /** Where a responder that this driver starts writes its log; nowhere if left out. */
  readonly responderLog?: string
  /** Called with what intents ask to be written down. Absent: nobody writes. */
  readonly onLogged?: (entry: LogEntry) => void
}
