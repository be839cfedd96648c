import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { udp } from '../../src/lab/frame-build.ts'
import { FrameSocket } from '../../src/lab/frames.ts'
import { nowMs } from '../../src/lab/guest/clock.ts'
import { ALSO, BASE, EDITS, type Edit, FILES, FORBIDDEN, MAC, type Repo, SPOOFED, textOf } from './hitless-edits.ts'
import { port, Rig } from './rig.ts'
import { startStreams, startTalks, type Talk, type Told, talkText } from './streams.ts'

/*
 * Every kind of change is applied and taken back while guests talk. What both states allow loses no packet, and what neither allows gets through with none. A machine that does
 * other work loses packets by itself, so a change that cost one is made again; and through a tunnel vswitchd itself loses a few whenever links of the host change.
 */

let rig: Rig
test.before(async () => {
  rig = await Rig.up(FILES(BASE))
})
test.after.always(async () => await rig?.close())

const NEAR = { from: 'a', to: 'b', address: '10.10.0.12' }
const NEAR_6 = { ...NEAR, address: 'fd00:10::12' }
const FAR = { from: 'a', to: 'c', address: '10.10.0.13' }
const FAR_6 = { ...FAR, address: 'fd00:10::13' }
const VLAN = { from: 'va', to: 'vc', address: '10.20.0.13' }
const VLAN_6 = { ...VLAN, address: 'fd00:20::13' }
const PAIRS = [NEAR, NEAR_6, FAR, FAR_6, VLAN, VLAN_6]
const TALKS: readonly Talk[] = [
  ...PAIRS.map((p): Talk => ({ ...p, by: 'udp', pps: 150 })),
  ...PAIRS.map((p): Talk => ({ ...p, by: 'new', pps: 40 })),
  ...PAIRS.map((p): Talk => ({ ...p, by: 'ping', pps: 20 })),
]
const STREAMS = [NEAR, FAR_6, VLAN]
const WRONG: readonly Talk[] = PAIRS.map((p) => ({ ...p, by: 'udp', pps: 150, port: FORBIDDEN }))
const TRIES = 3
const LONG = process.env['NETLOOM_LONG'] !== undefined

async function become(repo: Repo): Promise<void> {
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write('net.yaml', textOf(repo))
  const seen = await rig
    .until('it is taken, or has a mistake', (a) => a.fleet.revision > at || a.issues.length > 0)
    .then(() => rig.status())
  if (seen !== undefined && seen.fleet.revision <= at) throw new Error(JSON.stringify(seen.issues))
  await rig.settled()
}

/** Frames that found the socket full by which vswitchd reads an interface: the machine was too busy to measure. */
async function unread(): Promise<number> {
  const lists = await Promise.all(['h1', 'h2'].map((host) => rig.on(host, 'ss', '-0', '-n', '-m')))
  return [...lists.join('\n').matchAll(/skmem:\([^)]*,d(\d+)\)/g)].reduce((sum, [, drops]) => sum + Number(drops), 0)
}

interface Window {
  readonly edit: Edit
  readonly from_ms: number
  readonly to_ms: number
  readonly resent: number
  readonly passed: number
  readonly unread: number
}

/** What arrived at guests although it never may: frames to the forbidden port, and spoofed ones. */
class Traps {
  readonly #sockets: readonly FrameSocket[]
  readonly #sender: FrameSocket
  readonly #timer: NodeJS.Timeout
  spoofed = 0

  private constructor(sockets: readonly FrameSocket[], sender: FrameSocket) {
    this.#sockets = sockets
    this.#sender = sender
    this.#timer = setInterval(() => this.#spoof(), 20)
  }

  static async set(): Promise<Traps> {
    const sockets = await Promise.all(
      ['b', 'c', 'vc', 'a', 'va'].map(async (name) => await FrameSocket.open(rig.lab, { port: port(name) }, [FORBIDDEN, SPOOFED])),
    )
    return new Traps(sockets, await FrameSocket.open(rig.lab, { port: port('a') }))
  }

  passed(): number {
    return this.#sockets.reduce((sum, s) => sum + s.received().length, 0)
  }

  frames(): readonly string[] {
    return this.#sockets.flatMap((s, n) => s.received().map((f) => `${n} ${f.for} ${f.bytes.toString('hex')}`))
  }

  /** From somebody else’s address, from somebody else’s MAC, and as a frame with a tag might: nothing of it is a’s to send. */
  #spoof(): void {
    for (const [dst, to] of [
      [MAC.b, '10.10.0.12'],
      [MAC.c, '10.10.0.13'],
    ] as const) {
      this.send(MAC.a, '10.10.0.200', dst, to)
      this.send('fa:16:3e:00:00:99', '10.10.0.11', dst, to)
      this.spoofed += 2
    }
  }

  send(src: string, from: string, dst: string, to: string): void {
    this.#sender.send(udp({ src, dst }, { src: from, dst: to }, { src: 9, dst: SPOOFED }, Buffer.from('spoofed')))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([...this.#sockets, this.#sender].map((s) => s.close()))
  }
}

async function resent(): Promise<number> {
  const counts = await Promise.all(['a', 'b', 'c', 'va', 'vc'].map((p) => rig.guests.ask(port(p), { op: 'retransmitted' })))
  return counts.reduce((sum, n) => sum + n, 0)
}

interface Cost {
  readonly edit: Edit
  readonly lost: readonly string[]
  /** Packets, and how many of them went through the tunnel. */
  readonly packets: number
  readonly tunnel: number
  readonly passed: number
  readonly unread: number
  readonly resent: number
  readonly ms: number
}

/** Applies and takes back each of them while everybody talks. */
async function costs(edits: readonly Edit[], log: (line: string) => void): Promise<readonly Cost[]> {
  const talks = await startTalks(rig, rig.guests, TALKS)
  const wrong = await startTalks(rig, rig.guests, WRONG)
  const streams = await startStreams(rig.guests, STREAMS, 100_000)
  const traps = await Traps.set()
  const windows: Window[] = []
  try {
    await sleep(300)
    for (const edit of edits) {
      const [from_ms, before, passed, full] = [nowMs(), await resent(), traps.passed(), await unread()]
      await become(edit.change(BASE))
      await become(BASE)
      await sleep(60)
      windows.push({
        edit,
        from_ms,
        to_ms: nowMs(),
        resent: (await resent()) - before,
        passed: traps.passed() - passed,
        unread: (await unread()) - full,
      })
    }
  } catch (error) {
    await Promise.all([talks.end(), wrong.end(), streams.end(), traps.close()])
    throw error
  }
  for (const f of traps.frames()) log(f)
  await traps.close()
  const [told, refused, whole] = await Promise.all([talks.end(), wrong.end(), streams.end()])
  for (const [n, s] of whole.entries())
    log(
      `TCP ${STREAMS[n]?.from} → ${STREAMS[n]?.address}: ${s.ok ? 'whole' : (s.detail ?? 'broken')}, ${s.bytes} bytes, largest gap ${s.largest_gap_ms} ms`,
    )
  log(
    `${refused.reduce((n, r) => n + r.sent, 0)} packets to a port that is never allowed, ${traps.spoofed} spoofed ones: ${traps.passed()} arrived`,
  )
  log(`${told.reduce((n, r) => n + r.sent, 0)} packets and pings that are always allowed: ${told.reduce((n, r) => n + r.lost, 0)} lost`)
  if (whole.some((s) => !s.ok)) throw new Error(`a TCP transfer broke: ${JSON.stringify(whole)}`)
  return windows.map((w) => costOf(w, told))
}

function costOf({ edit, from_ms, to_ms, resent: again, passed, unread: full }: Window, told: readonly Told[]): Cost {
  const lost: string[] = []
  let [packets, tunnel] = [0, 0]
  for (const { talk, holes } of told) {
    const here = holes.filter((h) => h.to_ms > from_ms && h.from_ms < to_ms)
    const count = here.reduce((sum, h) => sum + h.lost, 0)
    if (count === 0 || (edit.echoes === true && talk.by === 'ping' && count === 1)) continue
    packets += count
    if (talk.to === 'c') tunnel += count
    lost.push(`${talkText(talk)}: ${count}, ${here.map((h) => Math.round(h.from_ms - from_ms)).join('/')} ms after its beginning`)
  }
  return { edit, lost, packets, tunnel, passed, unread: full, resent: again, ms: Math.round(to_ms - from_ms) }
}

/** A reset of the routes takes some milliseconds, and strikes or not: what 25 ms of all that goes through the tunnel are. */
const FEW = 60

function isDear({ edit, packets, tunnel, unread: full }: Cost): boolean {
  if (edit.links === true && tunnel <= FEW) return packets - tunnel > full
  return packets > full
}

function line(c: Cost): string {
  const what = c.lost.length === 0 ? 'nothing lost' : `lost: ${c.lost.join('; ')}`
  return `${c.edit.name} (${c.ms} ms): ${what}${c.passed > 0 ? `; ${c.passed} FORBIDDEN` : ''}${c.unread > 0 ? `; ${c.unread} frames that vswitchd did not read` : ''}${c.resent > 0 ? `; ${c.resent} TCP segments again` : ''}`
}

async function assertHitless(t: ExecutionContext, edits: readonly Edit[]): Promise<void> {
  let left = edits
  for (let n = 1; left.length > 0; n++) {
    const found = await costs(left, (text) => t.log(text))
    for (const c of found) t.log(line(c))
    t.is(
      found.reduce((sum, c) => sum + c.passed, 0),
      0,
      'what no state allows gets through at no time',
    )
    left = found.filter(isDear).map((c) => c.edit)
    if (n === TRIES) break
  }
  t.deepEqual(
    left.map((e) => e.name),
    [],
  )
}

test.serial(
  'every kind of change, made and taken back: what both states allow loses nothing, what neither allows never passes',
  async (t) => {
    await rig.guests.ready(['a', 'b', 'c', 'va', 'vc'].map(port))
    t.timeout(LONG ? 3_600_000 : 600_000)
    await assertHitless(
      t,
      EDITS.flatMap((e) => Array.from({ length: LONG ? 20 : (e.times ?? 1) }, () => e)),
    )
  },
)

const LATER = 7005

test.serial(
  'a rule that goes cuts what it alone allowed, from the moment the hosts say so, and only that; the same connections stand again with it',
  async (t) => {
    for (const p of ['b', 'c', 'vc']) await rig.guests.ask(port(p), { op: 'listen', port: LATER })
    await become(ALSO(LATER)(BASE))
    const talks = await startTalks(rig, rig.guests, [...TALKS, ...PAIRS.map((p): Talk => ({ ...p, by: 'udp', pps: 300, port: LATER }))])
    await sleep(300)
    const [began, full] = [nowMs(), await unread()]
    await become(BASE)
    const cut = nowMs()
    await sleep(300)
    const open = nowMs()
    await become(ALSO(LATER)(BASE))
    const back = nowMs()
    await sleep(300)
    const told = await talks.end()
    const excused = (await unread()) - full
    for (const { talk, holes } of told.filter(({ talk: x }) => x.port === LATER)) {
      const whole = holes.find((h) => h.from_ms <= cut && h.to_ms >= open)
      t.truthy(whole, `${talkText(talk)}: nothing passed between ${cut} and ${open}: ${JSON.stringify(holes)}`)
      t.true((whole?.to_ms ?? 0) <= back + 20, `${talkText(talk)}: the same connection passes again`)
      if (excused === 0)
        t.deepEqual(
          holes.filter((h) => h !== whole && h.to_ms > cut),
          [],
          talkText(talk),
        )
    }
    const others = told.filter(({ talk: x }) => x.port !== LATER)
    // What is sent first may be lost while guests and hosts ask for each other's addresses.
    const holes = others.flatMap(({ talk, holes: all }) =>
      all.filter((h) => h.from_ms >= began).map((h) => ({ ...h, talk: talkText(talk) })),
    )
    const lost = holes.reduce((sum, h) => sum + h.lost, 0)
    for (const h of holes) t.log(`${h.talk}: ${h.lost}, ${Math.round(h.from_ms - cut)} ms after the rule was gone`)
    t.log(`of ${others.reduce((sum, x) => sum + x.sent, 0)} packets of others ${lost} lost; ${excused} frames that vswitchd did not read`)
    t.true(lost <= excused)
    await become(BASE)
  },
)

test.serial('the traps see what passes', async (t) => {
  const open = { direction: 'ingress', protocol: 'udp', port_range_min: FORBIDDEN, port_range_max: FORBIDDEN }
  const rules = [open, { ...open, ethertype: 'IPv6' }]
  await become({
    ...BASE,
    security_groups: { ...BASE['security_groups'], extra: { rules } },
    ports: Object.fromEntries(
      Object.entries(BASE['ports'] ?? {}).map(([name, spec]) => [
        name,
        ['b', 'c', 'vc'].includes(name) ? { ...spec, security_groups: ['server', 'extra'] } : spec,
      ]),
    ),
  })
  const traps = await Traps.set()
  t.teardown(async () => await traps.close())
  const wrong = await startTalks(rig, rig.guests, WRONG)
  traps.send(MAC.a, '10.10.0.11', MAC.b, '10.10.0.12')
  await sleep(500)
  const sent = (await wrong.end()).reduce((n, r) => n + r.sent, 0)
  t.log(`${traps.passed()} of ${sent + 1} seen`)
  t.true(traps.passed() > 0.9 * sent)
})
