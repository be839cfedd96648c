import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { labStateFile, startLabAgent, startLabServer } from '../../src/cli/lab-session.ts'
import { labSpecOf } from '../../src/cli/lab-spec.ts'
import { lookOffline } from '../../src/cli/offline.ts'
import { askServer, type StatusAnswer } from '../../src/cli/status.ts'
import { execOk } from '../../src/lab/exec.ts'
import { Guests } from '../../src/lab/guests.ts'
import { type Lab, labDown, labUp } from '../../src/lab/lab.ts'
import { hostDir } from '../../src/lab/names.ts'
import { describeWrong, type ExpectedPair, proveAll } from '../../src/lab/prove.ts'
import type { LabSpec } from '../../src/lab/spec.ts'
import { type Key, makeKey } from '../../src/model/key.ts'
import type { ObjectStatus } from '../../src/model/status.ts'
import { askControl } from '../../src/server/control/socket.ts'
import { hostStates } from '../../src/server/render/fleet.ts'
import { controlPath } from '../../src/server/serve.ts'
import { netloom } from '../cli/netloom.ts'
import { testTag } from '../support/tag.ts'
import { FIRST } from './repo.ts'
import { describe, end, PATIENCE_MS, until } from './wait.ts'

const HEARTBEAT_MS = 300

export function port(name: string): Key {
  return makeKey('port', 'default', name)
}

const MADE = [port('made'), port('made-v'), port('made-i')]

/** The ports of `made` are ACTIVE on that host. */
export function areMade(answer: StatusAnswer, host: string): boolean {
  return MADE.every((p) => answer.fleet.status.some((s) => s.key === p && s.host === host && s.state === 'ACTIVE'))
}

/** Nobody (or not that host) speaks of them any more. */
export function areGone(answer: StatusAnswer, host?: string): boolean {
  return !answer.fleet.status.some((s) => MADE.includes(s.key) && (host === undefined || s.host === host))
}

interface ShownRouter {
  readonly attributes: { readonly legs: readonly { readonly network: string; readonly mac_address: string }[] }
}

/** A repository, a lab that is made from it, one server process and one agent process per host. `close` leaves nothing, in whatever state things are. */
export class Rig {
  readonly tag: string = testTag()
  readonly dir: string
  readonly stateFile: string
  #lab: Lab | undefined
  #guests: Guests | undefined
  #server = 0
  readonly #agents: Map<string, number> = new Map()

  private constructor(dir: string) {
    this.dir = dir
    this.stateFile = labStateFile(this.tag)
  }

  /** `started`: which processes run at once; the lab's hosts and guests are there in any case. */
  static async up(files: Readonly<Record<string, string>> = FIRST, started: 'all' | 'agents' | 'none' = 'all'): Promise<Rig> {
    const rig = new Rig(await mkdtemp(join(tmpdir(), 'nl-faults-')))
    try {
      for (const [name, text] of Object.entries(files)) await rig.write(name, text)
      await rig.follow()
      if (started !== 'none') for (const host of rig.hosts) await rig.startAgent(host)
      if (started === 'all') {
        await rig.startServer()
        await rig.settled()
      }
      return rig
    } catch (error) {
      await rig.close()
      throw error
    }
  }

  get lab(): Lab {
    if (this.#lab === undefined) throw new Error('the lab is not up')
    return this.#lab
  }

  get guests(): Guests {
    this.#guests ??= new Guests(this.lab)
    return this.#guests
  }

  get hosts(): readonly string[] {
    return this.lab.spec.hosts.map((h) => h.name)
  }

  /** Saves a file as editors do that write beside it and rename. */
  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.dir, `.${name}.tmp`), text)
    await rename(join(this.dir, `.${name}.tmp`), join(this.dir, name))
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.dir, name))
  }

  /** Hosts and guests as the repository now asks for, changed by `edit` where the lab is to differ. */
  async follow(edit: (spec: LabSpec) => LabSpec = (spec) => spec): Promise<void> {
    await mkdir(join(this.stateFile, '..'), { recursive: true })
    const look = await lookOffline(this.dir, this.stateFile, 'plan')
    try {
      const world = look.proposal.ready?.step.world
      if (world === undefined) throw new Error(`the rig's repository has mistakes: ${JSON.stringify(look.proposal.issues)}`)
      const guests = this.#guests
      this.#guests = undefined
      await guests?.close()
      this.#lab = await labUp(this.tag, edit(labSpecOf(world)))
    } finally {
      await look.store.close()
    }
  }

  /** `manual`: nothing is applied before `netloom apply`. */
  async startServer(manual = false): Promise<void> {
    this.#server = await startLabServer(this.lab, this.dir, { manual, fresh: false, heartbeatMs: HEARTBEAT_MS })
  }

  /** What happens to a server whose disk died: it runs no more, and remembers nothing. */
  async loseState(): Promise<void> {
    await this.stopServer('SIGKILL')
    for (const suffix of ['', '-wal', '-shm']) await rm(`${this.stateFile}${suffix}`, { force: true })
  }

  async serverLog(): Promise<string> {
    return await readFile(join(this.stateFile, '..', 'server.log'), 'utf8').catch(() => '')
  }

  async stopServer(signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    await end(this.#server, signal)
    this.#server = 0
  }

  async startAgent(host: string): Promise<void> {
    this.#agents.set(host, await startLabAgent(this.lab, host))
  }

  async stopAgent(host: string, signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    await end(this.#agents.get(host) ?? 0, signal)
    this.#agents.delete(host)
  }

  /** Starts an agent again and waits until this life of it has reported that all is well. */
  async agentBack(host: string): Promise<number> {
    const before = await this.#epoch(host)
    await this.startAgent(host)
    return await this.until(
      `the agent of ${host} is back`,
      (a) => a.fleet.agents.find((g) => g.host === host)?.epoch !== before && this.isSettled(a),
    )
  }

  async #epoch(host: string): Promise<string | undefined> {
    return (await this.status())?.fleet.agents.find((a) => a.host === host)?.epoch
  }

  agentPid(host: string): number {
    return this.#agents.get(host) ?? 0
  }

  /** `netloom COMMAND … --state` of this rig, `--json`: what it printed. Throws where the command fails. */
  async netloom<T>(...args: readonly string[]): Promise<T> {
    const { code, out, err } = await netloom(...args, '--state', this.stateFile, '--json')
    if (code !== 0) throw new Error(`netloom ${args.join(' ')}: exit ${code}: ${out.slice(0, 600)}${err}`)
    return JSON.parse(out) as T
  }

  /** What the server says; undefined when it does not run. */
  async status(): Promise<StatusAnswer | undefined> {
    return await askServer(this.stateFile)
  }

  /** Every host's own reading of its switch against what it should hold, made now. */
  async drift(): Promise<readonly { readonly host: string; readonly items?: readonly DriftLine[] }[]> {
    return (await askControl(controlPath(this.stateFile), { command: 'drift' }))['hosts'] as never
  }

  object(answer: StatusAnswer, key: Key, host?: string): ObjectStatus | undefined {
    return answer.fleet.status.find((s) => s.key === key && (host === undefined || s.host === host))
  }

  /** Waits until the server says so. Resolves to the milliseconds it took; rejects with the last answer. */
  async until(what: string, holds: (answer: StatusAnswer) => boolean, timeoutMs: number = PATIENCE_MS): Promise<number> {
    let last: StatusAnswer | undefined
    try {
      return await until(
        what,
        async () => {
          last = await this.status()
          return last !== undefined && holds(last)
        },
        timeoutMs,
      )
    } catch (error) {
      throw new Error(`${String(error)}\n${describe(last)}\n${await this.tails()}`)
    }
  }

  /** As `until`, for what is seen on the hosts themselves. */
  async seen(what: string, holds: () => Promise<boolean>, timeoutMs: number = PATIENCE_MS): Promise<number> {
    try {
      return await until(what, holds, timeoutMs)
    } catch (error) {
      throw new Error(`${String(error)}\n${describe(await this.status())}\n${await this.tails()}`)
    }
  }

  /** Waits until the repository is applied, and every host holds what it was told and says that all ports which others plug are ACTIVE. */
  async settled(timeoutMs: number = PATIENCE_MS): Promise<number> {
    return await this.until('every host is at its target, every port ACTIVE', (a) => this.isSettled(a), timeoutMs)
  }

  isSettled(answer: StatusAnswer): boolean {
    const states = hostStates({ ...answer.fleet, targets: new Map(answer.fleet.targets) })
    const plugged = this.lab.spec.guests.filter((g) => g.plug !== 'agent')
    const known = plugged.every((g) => this.object(answer, g.port, g.host)?.state === 'ACTIVE')
    return answer.repo === 'clean' && known && states.every((s) => s.sync === 'Synced' && s.health === 'Healthy')
  }

  /** Waits until the repository's present content is a revision (or is none, because nothing differs). */
  async committed(revision: number): Promise<void> {
    await this.until(`revision ${revision} is committed`, (a) => a.fleet.revision >= revision)
  }

  /** The MAC of a router on a network. */
  async legMac(router: string, network: string): Promise<string> {
    const { attributes } = await this.netloom<ShownRouter>('show', 'router', router, this.dir)
    return attributes.legs.find((leg) => leg.network === network)?.mac_address ?? ''
  }

  /** Runs a program on a host, where `ovs-*` act on that host's switch. */
  async on(host: string, ...argv: readonly string[]): Promise<string> {
    return await execOk(this.lab, { host }, argv)
  }

  async vsctl(host: string, ...words: readonly string[]): Promise<string> {
    return await this.on(host, 'ovs-vsctl', '--timeout=20', ...words)
  }

  async ofctl(host: string, ...words: readonly string[]): Promise<string> {
    return await this.on(host, 'ovs-ofctl', '-O', 'OpenFlow14', ...words)
  }

  /**
   * What is wrong between the guests that others plug (ping, TCP and UDP with payload): each must reach the next one of its network, which sits on another host, and
   * must not reach one of the other network.
   */
  async wrong(): Promise<readonly string[]> {
    const there = new Set(this.lab.spec.guests.map((g) => g.port))
    const blue = ['web-1', 'web-2', 'web-3', 'db-1', 'db-2'].map(port).filter((p) => there.has(p))
    const red = ['vault-1', 'vault-2', 'vault-3'].map(port)
    const ring = (list: readonly Key[]): ExpectedPair[] =>
      list.map((from, n) => ({ from, to: list[(n + 1) % list.length] ?? from, reach: true }))
    const apart = red.map((to, n): ExpectedPair => ({ from: blue[n] ?? to, to, reach: false }))
    return describeWrong(await proveAll(this.lab, [...ring(blue), ...ring(red), ...apart], { silence_ms: 300 }))
  }

  async agentLog(host: string): Promise<readonly LogLine[]> {
    const text = await readFile(join(hostDir(this.tag, host), 'agent.log'), 'utf8').catch(() => '')
    return text
      .split('\n')
      .filter((l) => l !== '')
      .map((l) => (l.startsWith('{') ? (JSON.parse(l) as LogLine) : { msg: l }))
  }

  /** The ends of all logs, for a failure that is to be understood from what the test printed. */
  async tails(): Promise<string> {
    const server = await this.serverLog()
    const agents = await Promise.all(
      this.hosts.map(
        async (h) =>
          `${h}:\n${(await this.agentLog(h))
            .slice(-12)
            .map((l) => JSON.stringify(l))
            .join('\n')}`,
      ),
    )
    return [`server:\n${server.split('\n').slice(-8).join('\n')}`, ...agents].join('\n')
  }

  async close(): Promise<void> {
    await this.#guests?.close()
    for (const pid of [this.#server, ...this.#agents.values()]) await end(pid, 'SIGKILL')
    await labDown(this.tag)
    await rm(this.dir, { recursive: true, force: true })
  }
}

export interface DriftLine {
  readonly kind: string
  readonly where: string
  readonly action: string
  readonly owners: readonly Key[]
}

export interface LogLine {
  readonly msg?: string
  readonly level?: string | number
  readonly [field: string]: unknown
}
