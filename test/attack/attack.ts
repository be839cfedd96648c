import type { ExecutionContext } from 'ava'
import { ARENAS, type Arena, type Field, type Guest, gateway, guest, type Place, type Role, UPLINK } from './field.ts'

/** Who takes part in an attack. */
export interface Cast {
  readonly me: Guest
  /** The victim that the frames go to. */
  readonly to: Guest
  /** Somebody else of the network, whom the attacker may want to be. */
  readonly other: Guest
  readonly gw: Guest
  /** In every frame, wherever there is room. */
  readonly mark: Buffer
  /** Different in every attack: for what must not meet in one connection. */
  readonly sport: number
  readonly arena: Arena
}
export type Forge = (cast: Cast) => readonly Buffer[]

export interface Attack {
  readonly name: string
  readonly forge: Forge
  /** Frames of the same shape that arrive: they show that it is the lie that does not pass. Left out: the attack itself, by `free`, whom nobody holds. */
  readonly honest?: Forge
  readonly by?: readonly Role[]
}

interface Shot {
  readonly title: string
  readonly mark: Buffer
  /** How many of its frames carry the mark. */
  readonly marked: number
}

function shoot(field: Field, title: string, forge: Forge, [arena, from, to]: readonly [Arena, Role, Role]): Shot {
  const mark = field.mark()
  const cast: Cast = {
    me: guest(arena, from),
    to: guest(arena, to),
    other: guest(arena, to === 'shut-far' ? 'shut-near' : 'shut-far'),
    gw: gateway(arena),
    mark,
    sport: 20_000 + Number(mark.toString().slice(2, 6)),
    arena,
  }
  const frames = forge(cast)
  field.send(`${arena}-${from}`, frames)
  const marked = frames.filter((f) => f.includes(mark)).length
  if (marked === 0) throw new Error(`${title}: no frame carries the mark`)
  return { title: `${title}, ${from} → ${to} in ${arena}`, mark, marked }
}

/** Frames that go off together, and what is to be true of them: some are seen nowhere but at `except`, the others arrive at `places`. */
export class Volley {
  readonly #field: Field
  readonly #secret: { readonly shot: Shot; readonly except: readonly Place[] }[] = []
  readonly #open: { readonly shot: Shot; readonly places: readonly Place[] }[] = []

  constructor(field: Field) {
    this.#field = field
  }

  /** Frames that nobody must see: not the victim, not the uplink, nor anybody else. */
  nothing(name: string, forge: Forge, by: Role, to: Role): void {
    for (const arena of ARENAS) this.#secret.push({ shot: shoot(this.#field, name, forge, [arena, by, to]), except: [] })
  }

  /** Frames that may leave their host, and get to nobody. */
  unheard(name: string, forge: Forge, by: Role, to: Role): void {
    for (const arena of ARENAS) {
      const except = to.endsWith('-far') ? [UPLINK[arena]] : []
      this.#secret.push({ shot: shoot(this.#field, name, forge, [arena, by, to]), except })
    }
  }

  /** Frames that get to the receiver, over the uplink where it is on the other host. */
  arrives(name: string, forge: Forge, by: Role, to: Role): void {
    for (const arena of ARENAS) {
      const shot = shoot(this.#field, name, forge, [arena, by, to])
      this.#open.push({ shot, places: [`${arena}-${to}`, ...(to.endsWith('-far') ? [UPLINK[arena]] : [])] })
    }
  }

  /** A frame from anywhere that gets nowhere but to `except`. */
  secret(name: string, from: Place, forge: (mark: Buffer) => Buffer, except: readonly Place[] = []): void {
    this.#secret.push({ shot: this.#single(name, from, forge), except })
  }

  /** A frame from anywhere that gets to `places`. */
  shown(name: string, from: Place, forge: (mark: Buffer) => Buffer, places: readonly Place[]): void {
    this.#open.push({ shot: this.#single(name, from, forge), places })
  }

  #single(name: string, from: Place, forge: (mark: Buffer) => Buffer): Shot {
    const mark = this.#field.mark()
    this.#field.send(from, [forge(mark)])
    return { title: `${name}, from ${from}`, mark, marked: 1 }
  }

  async judge(t: ExecutionContext): Promise<void> {
    await this.#field.settle(() => this.#missing().length === 0)
    t.true(this.#open.length > 0)
    const seen = this.#field.sightings()
    const passed = this.#secret.flatMap(({ shot, except }) => {
      const found = seen.places(shot.mark).filter((p) => !except.includes(p))
      return found.length === 0 ? [] : [`${shot.title}: seen at ${found.join(', ')}`]
    })
    t.deepEqual({ passed, 'did not arrive': this.#missing() }, { passed: [], 'did not arrive': [] })
    t.log(`${this.#secret.length} attacks seen by nobody, ${this.#open.length} of the same shapes arrived`)
  }

  #missing(): string[] {
    const seen = this.#field.sightings()
    return this.#open.flatMap(({ shot, places }) =>
      places.flatMap((place) => {
        const count = seen.count(shot.mark, place)
        return count >= shot.marked ? [] : [`${shot.title}: ${count} of ${shot.marked} at ${place}`]
      }),
    )
  }
}

const OPEN: readonly Role[] = ['open-near', 'open-far']

/** Lies: what the guard at the attacker's own port is to stop. The victims hear everything. */
export function lie(volley: Volley, { name, forge, honest, by = ['evil'] }: Attack): void {
  for (const to of OPEN) {
    for (const role of by) volley.nothing(name, forge, role, to)
    if (honest === undefined) volley.arrives(`${name} (by one whom nobody holds)`, forge, 'free', to)
    else volley.arrives(`${name} (honest)`, honest, by[0] ?? 'evil', to)
  }
}

/** What no rule allows: the attacker's own rules keep it in, and so do the victim's, whoever sends it. */
export function forbidden(volley: Volley, { name, forge }: Attack): void {
  for (const to of OPEN) volley.nothing(name, forge, 'tight', to)
  for (const to of ['shut-near', 'shut-far'] as const) volley.unheard(name, forge, 'free', to)
  for (const to of OPEN) volley.arrives(name, forge, 'free', to)
}
