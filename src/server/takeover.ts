import { listed } from '../lib/text.ts'
import type { Hello, Holds } from '../wire/messages.ts'
import type { World } from './engine/types.ts'
import type { Tree } from './load/tree.ts'
import type { ServerLog } from './server-log.ts'
import type { Store } from './store/types.ts'
import { contradictions } from './takeover/contradictions.ts'
import { indexSubnets, type SubnetIndex } from './takeover/subnets.ts'
import { type TakenOver, takenText, takeOver } from './takeover/take.ts'

/** An agent that lost its server says hello at least every 10 s: whoever lives has spoken by then. */
export const TAKE_OVER_MS = 15_000
const SHOWN = 3

export interface TakeOverOptions {
  /** Nothing was ever committed to this state file. */
  readonly empty: boolean
  /** What agents hold counts for nothing: nobody is waited for, nobody is withheld. */
  readonly fresh: boolean
  /** How long, from now on, the first revision waits for agents. */
  readonly waitMs: number
  /** Hosts that have reported to this state file before. */
  readonly known: Iterable<string>
  readonly store: Pick<Store, 'event'>
  readonly log: ServerLog
  /** The first revision may be made, after `mayCommit` said no. */
  readonly onReady: () => void
}

/**
 * Guards a running network against a server that lost its memory. Until the first revision is made, agents are asked what they hold; one that comes later and holds something
 * else stays as it is until an operator decides (decision 021).
 */
export interface TakeOver {
  /** An agent says hello, when the current world is this one. Returns what speaks against giving it a target now. */
  greet(hello: Hello, world: World): string | undefined
  /** False: a host that the tree declares may still speak; `onReady` follows. */
  mayCommit(tree: Tree): boolean
  /** Hosts that the first revision waits for, and for how many milliseconds at most. */
  awaited(tree: Tree): { readonly awaited: readonly string[]; readonly awaitedMs: number }
  /** Resolves when `mayCommit` would say yes. */
  heard(tree: Tree): Promise<void>
  /** What the first plan starts from; undefined once there is a revision, and where nobody holds anything. */
  taken(tree: Tree): TakenOver | undefined
  /** There is a revision now: its world, and what was declared. */
  committed(world: World, tree: Tree): void
  /** False: what this host reports is about another server's wishes. */
  isWelcome(host: string): boolean
  /** Hosts that stay as they are, and why. */
  readonly withheld: ReadonlyMap<string, string>
  close(): void
}

interface Waiter {
  readonly tree: Tree
  readonly done: () => void
}

export function createTakeOver(options: TakeOverOptions): TakeOver {
  const since = Date.now()
  const { log, fresh } = options
  const told = new Map<string, Holds | undefined>()
  /** Whom the last plan heard; who speaks between a plan and its commit comes too late. */
  let counted: ReadonlyMap<string, Holds | undefined> = new Map()
  const welcome = new Set(options.known)
  const withheld = new Map<string, string>()
  const waiters = new Set<Waiter>()
  let open = options.empty
  let asking: Waiter | undefined
  let subnets: { readonly world: World; readonly index: SubnetIndex } | undefined
  const timer = setTimeout(wake, open && !fresh ? options.waitMs : 0)
  timer.unref()

  function silent(tree: Tree): readonly string[] {
    if (!open || fresh || Date.now() - since >= options.waitMs) return []
    return declaredHosts(tree).filter((host) => !told.has(host))
  }

  function wake(): void {
    for (const waiter of waiters) {
      if (silent(waiter.tree).length > 0) continue
      waiters.delete(waiter)
      waiter.done()
    }
  }

  function judge({ host, holds }: Hello, world: World): string | undefined {
    if (fresh || holds === undefined) return undefined
    if (subnets?.world !== world) subnets = { world, index: indexSubnets(world.declared.values()) }
    const found = contradictions(holds, world, subnets.index)
    if (found.length === 0) return undefined
    const shown = [...found.slice(0, SHOWN), ...(found.length > SHOWN ? [`${found.length - SHOWN} more`] : [])]
    return `E0604: host ${host} holds values that this server did not give it (${listed(shown)}); write them into the repo to keep them, or start the server with --fresh to renumber them`
  }

  function say(host: string, why: string): void {
    if (withheld.get(host) === why) return
    withheld.set(host, why)
    log('warn', 'a host holds what another server gave it, and stays as it is', { host, why })
    options.store
      .event('withheld', { why }, { host })
      .catch((error: unknown) => log('error', 'an event could not be saved', { error: String(error) }))
  }

  function taken(tree: Tree): TakenOver | undefined {
    if (!open || fresh) return undefined
    counted = new Map(told)
    return join(counted, tree)
  }

  function join(hosts: typeof counted, tree: Tree): TakenOver | undefined {
    const holding = [...hosts].flatMap(([host, holds]): [string, Holds][] => (holds === undefined ? [] : [[host, holds]]))
    return holding.length === 0 ? undefined : takeOver(new Map(holding), tree.declared, since)
  }

  return {
    withheld,
    taken,
    greet(hello, world) {
      if (open) {
        told.set(hello.host, hello.holds)
        wake()
        return 'the server has no revision yet'
      }
      if (welcome.has(hello.host)) return undefined
      const why = judge(hello, world)
      if (why !== undefined) say(hello.host, why)
      else {
        welcome.add(hello.host)
        withheld.delete(hello.host)
      }
      return why
    },
    mayCommit(tree) {
      const hosts = silent(tree)
      if (hosts.length === 0) return true
      if (asking === undefined)
        log('info', 'there is no revision yet: hosts that run already may hold addresses of a state that was lost, and are asked first', {
          waiting_for: hosts,
          at_most_ms: options.waitMs - (Date.now() - since),
        })
      else waiters.delete(asking)
      asking = { tree, done: options.onReady }
      waiters.add(asking)
      return false
    },
    awaited: (tree) => ({ awaited: silent(tree), awaitedMs: Math.max(0, options.waitMs - (Date.now() - since)) }),
    heard: (tree) =>
      new Promise((done) => {
        waiters.add({ tree, done })
        wake()
      }),
    committed(world, tree) {
      if (!open) return
      tellTaken(log, join(counted, tree), world, fresh ? [] : declaredHosts(tree).filter((host) => !counted.has(host)))
      open = false
      for (const host of counted.keys()) welcome.add(host)
      wake()
    },
    isWelcome: (host) => fresh || welcome.has(host),
    close() {
      clearTimeout(timer)
      if (asking !== undefined) waiters.delete(asking)
      open = false
      wake()
    },
  }
}

/** Names of the hosts in a tree, sorted. */
export function declaredHosts(tree: Tree): string[] {
  const hosts: string[] = []
  for (const { kind, name } of tree.declared.values()) if (kind === 'host') hosts.push(name)
  return hosts.sort()
}

function tellTaken(log: ServerLog, taken: TakenOver | undefined, world: World, silent: readonly string[]): void {
  const text = taken === undefined ? undefined : takenText(taken, world)
  if (text !== undefined) log('info', `taken over from agents: ${text}`)
  for (const dispute of taken?.disputes ?? []) log('warn', `agents contradict each other: ${dispute}`)
  if (silent.length > 0)
    log('warn', 'hosts did not say what they hold before the first revision; one that holds something else will stay as it is', {
      hosts: silent,
    })
}
