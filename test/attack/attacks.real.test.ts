import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { forbidden, lie, Volley } from './attack.ts'
import { ALLOWED, Field, guest, type Place, type Role, VLAN, VNI } from './field.ts'
import { greeting, OLD_TAG, shout, TAGS, tagged, vxlan } from './hops.ts'
import { LIES } from './lies.ts'
import { ANSWER, eachPair, onTheWay, own, type Pair, QUESTION, says, tag } from './names.ts'
import { ALLOWED_BY_RULES, errorAbout, FORBIDDEN_BY_RULES, FRAGMENTS, packed, SETS, TAKEN_FOR_A_CONNECTION, tcp } from './rules.ts'

const OPEN: readonly Role[] = ['open-near', 'open-far']
const SHUT: readonly Role[] = ['shut-near', 'shut-far']
/** Seconds for which Open vSwitch keeps fragments whose packet does not get whole (`ipf.c`), and a few more. */
const FRAGMENTS_EXPIRE_S = 15 + 3

let field: Field
test.before(async () => {
  field = await Field.up()
})
test.after.always(async () => await field?.close())

let expired: Promise<void>
let fragments: Volley
test.serial('no rule allows it: neither the sender lets it out nor the receiver in: fragments', async (t) => {
  fragments = new Volley(field)
  for (const attack of FRAGMENTS) forbidden(fragments, attack)
  await fragments.judge(t)
  expired = sleep(FRAGMENTS_EXPIRE_S * 1000)
})

for (const [topic, attacks] of Object.entries(LIES)) {
  test.serial(`seen neither by the victim nor on the uplink, on a host and to another, by tunnel and VLAN: ${topic}`, async (t) => {
    const volley = new Volley(field)
    for (const attack of attacks) lie(volley, attack)
    await volley.judge(t)
  })
}

for (const [topic, attacks] of Object.entries(FORBIDDEN_BY_RULES)) {
  test.serial(`no rule allows it: neither the sender lets it out nor the receiver in: ${topic}`, async (t) => {
    const volley = new Volley(field)
    for (const attack of attacks) forbidden(volley, attack)
    await volley.judge(t)
  })
}

test.serial(
  'TCP flags to a port that a rule allows: conntrack takes some for a connection that it did not see begin, and drops the others',
  async (t) => {
    const volley = new Volley(field)
    for (const [name, flags] of Object.entries(SETS)) {
      const forge = tcp(flags, ALLOWED.tcp)
      const taken = TAKEN_FOR_A_CONNECTION.includes(name)
      for (const to of OPEN) volley[taken ? 'arrives' : 'nothing'](`TCP with ${name}`, forge, 'tight', to)
      for (const to of SHUT) volley[taken ? 'arrives' : 'unheard'](`TCP with ${name}`, forge, 'free', to)
    }
    await volley.judge(t)
  },
)

test.serial('what the rules allow passes at both ends, in fragments and behind headers, too', async (t) => {
  const volley = new Volley(field)
  for (const { name, forge } of ALLOWED_BY_RULES) {
    for (const to of OPEN) volley.arrives(name, forge, 'tight', to)
    for (const to of SHUT) volley.arrives(name, forge, 'free', to)
  }
  await volley.judge(t)
})

test.serial(
  'an ICMP error passes a stateful group only about a connection of the port that sends it, and of the one that gets it',
  async (t) => {
    const said = new Volley(field)
    const about = { src: 5555, dst: 6000 }
    for (const from of SHUT) said.arrives('a datagram', packed(about), from, 'evil')
    for (const from of SHUT) said.unheard('a datagram to one who does not listen', packed(about), from, 'tight')
    await said.judge(t)
    const volley = new Volley(field)
    const tight = (c: { readonly arena: 'blue' | 'red' }) => guest(c.arena, 'tight')
    for (const to of SHUT) {
      volley.arrives(
        'port unreachable, by the one who was spoken to',
        errorAbout(3, 3, (c) => c.me, about),
        'evil',
        to,
      )
      volley.nothing('port unreachable, about what went to another', errorAbout(3, 3, tight, about), 'evil', to)
      volley.nothing(
        'port unreachable, about other ports',
        errorAbout(3, 3, (c) => c.me, { src: 5556, dst: 6000 }),
        'evil',
        to,
      )
      // Any router on the way may say so: the receiver's conntrack knows the connection, and cannot know the way.
      volley.arrives(
        'time exceeded, by a stranger under no rules',
        errorAbout(11, 0, (c) => guest(c.arena, 'evil'), about),
        'free',
        to,
      )
      volley.unheard(
        'time exceeded about nothing, by a stranger',
        errorAbout(11, 0, (c) => guest(c.arena, 'evil'), { src: 5556, dst: 6000 }),
        'free',
        to,
      )
    }
    await volley.judge(t)
  },
)

test.serial(
  'a guest’s own VLAN tags lead nowhere: not into the network with that tag, not onto the wire, with port security or without',
  async (t) => {
    const volley = new Volley(field)
    for (const how of ['to one', 'to all'] as const) {
      for (const by of ['evil', 'free'] as const) {
        for (const [name, tags] of Object.entries(TAGS)) for (const to of OPEN) volley.nothing(`${name}, ${how}`, tagged(tags, how), by, to)
        for (const to of OPEN) volley.arrives(`no tag, ${how}`, (c) => [greeting(c, how)], by, to)
      }
      for (const to of OPEN) {
        volley.nothing(`a tag of old switches, ${how}`, tagged(OLD_TAG, how), 'evil', to)
        volley.arrives(`a tag of old switches, ${how}`, tagged(OLD_TAG, how), 'free', to)
      }
    }
    const [from, to] = [guest('green', 'free'), guest('green', 'open-near')]
    const green = (mark: Buffer): Buffer => {
      const frame = shout({ src: from.mac, dst: to.mac }, { src: from.v4, dst: to.v4 }, mark)
      return Buffer.concat([frame.subarray(0, 12), Buffer.from([0x81, 0, 0, 121]), frame.subarray(12)])
    }
    volley.shown('the tag of green', 'physnet1', green, ['green-open-near'])
    await volley.judge(t)
  },
)

const reached = (pair: Pair): Place[] => [`${pair.arena}-${pair.role}`, ...onTheWay(pair)]

test.serial('who speaks in the name of a port opens nothing: what answers must answer what the port itself began', async (t) => {
  const first = new Volley(field)
  eachPair(first, (v, pair, family) => {
    v.secret(`before, ${family} to ${pair.role}`, pair.place, says(pair, family, 'itself', ANSWER), onTheWay(pair))
    v.shown(`in its name, ${family} to ${pair.role}`, pair.place, says(pair, family, 'the port', QUESTION), reached(pair))
  })
  await first.judge(t)
  const then = new Volley(field)
  eachPair(then, (v, pair, family) => {
    v.secret(`as if it had been asked, ${family} to ${pair.role}`, pair.place, says(pair, family, 'itself', ANSWER), onTheWay(pair))
    v.shown(
      `what a rule lets in, ${family} to ${pair.role}`,
      pair.place,
      says(pair, family, 'itself', { ...QUESTION, src: 999 }),
      reached(pair),
    )
  })
  await then.judge(t)
  const asked = new Volley(field)
  eachPair(asked, (v, pair, family) => {
    v.shown(`the port asks, ${family} from ${pair.role}`, `${pair.arena}-${pair.role}`, own(pair, family, QUESTION), [pair.place])
  })
  await asked.judge(t)
  const answered = new Volley(field)
  eachPair(answered, (v, pair, family) => {
    v.shown(`the answer, ${family} to ${pair.role}`, pair.place, says(pair, family, 'itself', ANSWER), reached(pair))
    v.secret(
      `in its name, into its own connection, ${family} to ${pair.role}`,
      pair.place,
      says(pair, family, 'the port', QUESTION),
      onTheWay(pair),
    )
  })
  await answered.judge(t)
  const still = new Volley(field)
  eachPair(still, (v, pair, family) => {
    v.shown(`another answer, ${family} to ${pair.role}`, pair.place, says(pair, family, 'itself', ANSWER), reached(pair))
  })
  await still.judge(t)
})

test.serial('two tags from a provider network: the inner one leads nowhere', async (t) => {
  const volley = new Volley(field)
  for (const role of ['open-near', 'shut-near'] as const) {
    const { mac, v4 } = guest('red', role)
    const under =
      (...tags: readonly number[]) =>
      (mark: Buffer): Buffer =>
        tag(shout({ src: 'fa:16:3e:77:77:77', dst: mac }, { src: '10.20.0.77', dst: v4 }, mark, ALLOWED.udp), ...tags)
    for (const inner of [0, VLAN.red, VLAN.green, 300]) volley.secret(`red, then ${inner}, to ${role}`, 'physnet1', under(VLAN.red, inner))
    volley.shown(`the tag of red, to ${role}`, 'physnet1', under(VLAN.red), [`red-${role}`])
  }
  await volley.judge(t)
})

const MACHINES = { h1: '192.0.2.1', h2: '192.0.2.2' } as const
const OF_HOSTS: readonly Place[] = [
  'h1 br-int',
  'h1 br-und',
  'h2 br-und',
  ...(['shut-near', 'shut-far'] as const).flatMap((r) => [`blue-${r}`, `red-${r}`]),
]

async function macOf(host: string, bridge: string): Promise<string> {
  return /link\/ether (\S+)/.exec(await field.rig.on(host, 'ip', 'link', 'show', bridge))?.[1] ?? ''
}

test.serial('nothing gets to the hosts themselves or into a tunnel by way of them', async (t) => {
  const volley = new Volley(field)
  const und = { h1: await macOf('h1', 'br-und'), h2: await macOf('h2', 'br-und') }
  const bridges = [...Object.values(und), await macOf('h1', 'br-int'), 'ff:ff:ff:ff:ff:ff']
  const elsewhere = field.places.filter((p) => !OF_HOSTS.includes(p))
  const [far, near] = [guest('blue', 'open-far'), guest('blue', 'shut-near')]
  /** A frame of the other host's guest in a packet of its tunnel. */
  const nested = (l2: { src: string; dst: string }, src: string, mark: Buffer): Buffer => {
    const inner = errandTo(far, near, mark)
    return vxlan(l2, { src, dst: MACHINES.h1 }, VNI, inner)
  }
  for (const arena of ['blue', 'red'] as const) {
    for (const by of ['evil', 'free'] as const) {
      const me = guest(arena, by)
      for (const dst of bridges) {
        for (const ip of Object.values(MACHINES)) {
          const forge = (mark: Buffer): Buffer => shout({ src: me.mac, dst }, { src: me.v4, dst: ip }, mark)
          volley.secret(`to ${ip} at ${dst}`, `${arena}-${by}`, forge, elsewhere)
        }
        volley.secret(`VXLAN to ${dst}`, `${arena}-${by}`, (mark) => nested({ src: me.mac, dst }, me.v4, mark), elsewhere)
      }
    }
    const free = guest(arena, 'free')
    volley.secret(
      'VXLAN in the name of the other host',
      `${arena}-free`,
      (m) => nested({ src: free.mac, dst: und.h1 }, MACHINES.h2, m),
      elsewhere,
    )
  }
  const wire = { src: und.h2, dst: und.h1 }
  volley.shown('what comes from the underlay', 'tunnels', (m) => shout(wire, { src: MACHINES.h2, dst: MACHINES.h1 }, m), ['h1 br-und'])
  volley.shown('a tunnel’s packet from the underlay', 'tunnels', (m) => nested(wire, MACHINES.h2, m), ['blue-shut-near'])
  await volley.judge(t)
})

function errandTo(from: { mac: string; v4: string }, to: { mac: string; v4: string }, mark: Buffer): Buffer {
  return shout({ src: from.mac, dst: to.mac }, { src: from.v4, dst: to.v4 }, mark, ALLOWED.udp)
}

test.serial('fragments that Open vSwitch gave up waiting for come out nowhere, not with frames of other networks either', async (t) => {
  await expired
  const before = await handedOn()
  for (let round = 0; round < 3; round++) {
    const volley = new Volley(field)
    // Behind a frame with many copies, of which some are looked up.
    for (let n = 0; n < 10; n++) for (const to of OPEN) volley.arrives('a broadcast', (c) => [greeting(c, 'to all')], 'free', to)
    for (const { name, forge } of ALLOWED_BY_RULES) {
      for (const to of OPEN) volley.arrives(name, forge, 'tight', to)
      for (const to of SHUT) volley.arrives(name, forge, 'free', to)
    }
    await volley.judge(t)
  }
  const given = (await handedOn()) - before
  t.log(`${given} of them were handed on by the switch, behind frames of others`)
  t.true(given > 10)
  await fragments.judge(t)
})

/** Fragments that conntrack of h1 gave up waiting for and handed on, as it counts them. */
async function handedOn(): Promise<number> {
  const text = await field.rig.on('h1', 'ovs-appctl', 'dpctl/ipf-get-status')
  return [...text.matchAll(/v[46] frags expired: (\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0)
}
