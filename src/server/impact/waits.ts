import type { AllocationTable, Compiled, IntentSet, InterfaceFact } from '../../../agentd/backends/compilers.ts'
import type { AttachIntent } from '../../model/intent.ts'
import { compareText, type Key } from '../../model/key.ts'
import { compilerFor, type Known } from './known.ts'

/** An item whose text has a place left open. */
export interface Placed {
  readonly item: string
  readonly text: string
}

/** Flows that cannot be written before somebody plugs the interface of a port: its number, which only the switch gives, stands as `<ofport>`. */
export interface Wait {
  readonly port: Key
  readonly cause: string
  readonly items: readonly Placed[]
}

export interface WaitingInput {
  readonly host: string
  readonly installation: string
  readonly intents: IntentSet
  readonly known: Known
}

export interface WithWaits {
  readonly compiled: Compiled
  readonly allocations: AllocationTable
  readonly waits: ReadonlyMap<Key, Wait>
}

/** A flow that names a port of the switch; nothing else in a flow looks like this. */
const PORT_WORD = /(in_port=|output:)(\d+)/g

/** What a host will hold, and beside it what each port that nobody has plugged yet will add once somebody does. */
export function waitingFor({ known, ...rest }: WaitingInput): WithWaits {
  const compiler = compilerFor(known)
  const { facts, allocations } = known
  const compiled = compiler.compile({ ...rest, facts, allocations })
  const plain = { compiled, allocations: compiled.allocations }
  const absent = unplugged(rest.intents, compiled, known)
  if (absent.length === 0 || compiler.name !== 'ovs') return { ...plain, waits: new Map() }
  const free = freeNumbers(known, absent.length)
  const guests = absent.map((attach, n): [string, InterfaceFact] => [`<${attach.id}>`, guest(attach, free[n] ?? 0)])
  const numbers = new Set(free.map(String))
  const plugged = compiler.compile({
    ...rest,
    facts: { ...facts, interfaces: { ...facts.interfaces, ...Object.fromEntries(guests) } },
    allocations: compiled.allocations,
  })
  const open = (text: string): string =>
    text.replace(PORT_WORD, (whole, word: string, n: string) => (numbers.has(n) ? `${word}<ofport>` : whole))
  const items = new Map(absent.map((a) => [a.port, [] as Placed[]]))
  for (const [key, item] of plugged.items) {
    if (compiled.items.get(key)?.text === item.text) continue
    for (const owner of item.owners) items.get(owner)?.push({ item: open(key), text: open(item.text) })
  }
  const waits = absent.map(({ port }): [Key, Wait] => {
    const cause = compiled.verdicts.get(port)?.cause ?? ''
    return [port, { port, cause, items: (items.get(port) ?? []).sort((a, b) => compareText(a.item, b.item)) }]
  })
  return { ...plain, waits: new Map(waits) }
}

/** Ports that others plug and that would work if there were an interface for them. */
function unplugged(intents: IntentSet, { verdicts }: Compiled, { facts }: Known): readonly AttachIntent[] {
  const there = new Set(Object.values(facts.interfaces).map((i) => i.iface_id))
  const all = [...intents.values()].flatMap((scope) => [...scope.values()])
  return all.filter(
    (i): i is AttachIntent =>
      i.type === 'attach' && i.plug.by === 'external' && !there.has(i.id) && verdicts.get(i.port)?.state === 'WAITING',
  )
}

function guest({ id }: AttachIntent, ofport: number): InterfaceFact {
  return { bridge: 'br-int', ofport, iface_id: id, type: '', ours: false }
}

/** Numbers that no interface has, to tell the flows of ports that have none. */
function freeNumbers({ facts }: Known, wanted: number): readonly number[] {
  const taken = new Set(Object.values(facts.interfaces).map((i) => i.ofport))
  const free: number[] = []
  for (let n = 1; free.length < wanted; n++) if (!taken.has(n)) free.push(n)
  return free
}
