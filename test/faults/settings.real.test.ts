import test from 'ava'
import type { StatusAnswer } from '../../src/cli/status.ts'
import { tapName } from '../../src/lab/names.ts'
import { hostStates } from '../../src/server/render/fleet.ts'
import { FIRST, made, SITE } from './repo.ts'
import { port, Rig } from './rig.ts'
import { nextConfig, rowTexts } from './switch.ts'

/** What another hand can set on a switch beside flows, so that frames are lost while every flow is in its place. */
let rig: Rig
test.before(async () => {
  rig = await Rig.up({ ...FIRST, 'made.yaml': made('h1'), 'netloom.yaml': `${SITE}drift: { mode: report }\n` })
})
test.after.always(async () => await rig?.close())

function tap(name: string): string {
  const guest = rig.lab.spec.guests.find((g) => g.port === port(name))
  if (guest === undefined) throw new Error(`no guest ${name}`)
  return tapName(guest)
}

async function modPort(device: string, ...words: readonly string[]): Promise<void> {
  for (const word of words) await rig.ofctl('h1', 'mod-port', 'br-int', device, word)
}

async function ofport(device: string): Promise<string> {
  return (await rig.vsctl('h1', 'get', 'Interface', device, 'ofport')).trim()
}

/** Lines `config:` of all ports that are not plain, by OpenFlow's own words. */
async function refusing(): Promise<readonly string[]> {
  const shown = await rig.ofctl('h1', 'show', 'br-int')
  return shown.split('\n').filter((l) => /config: .*NO_/.test(l))
}

function own(answer: StatusAnswer | undefined): string[] {
  return (answer?.fleet.drift ?? []).filter((d) => d.kind !== 'foreign').map((d) => `${d.kind} ${d.where}`)
}

async function setMode(mode: string): Promise<void> {
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write('netloom.yaml', `${SITE}drift: { mode: ${mode} }\n`)
  await rig.until(
    `drift mode ${mode}`,
    (a) => a.fleet.revision > at && a.fleet.targets.every(([h, t]) => a.fleet.agents.some((g) => g.host === h && g.digest === t.digest)),
  )
}

interface Deed {
  /** Where the drift is told. */
  readonly where: () => Promise<string>
  readonly does: () => Promise<void>
  readonly undo: () => Promise<void>
}

function mod(device: () => string, word: string): Deed {
  return {
    where: async () => `altered port ${device()} (ofport ${await ofport(device())}) on br-int`,
    does: async () => await modPort(device(), `no-${word}`),
    undo: async () => await modPort(device(), word),
  }
}

/** Deeds that cost traffic, each with the one place where it is told. */
const DEEDS: Readonly<Record<string, Deed>> = {
  'no-forward on a port that others plugged': mod(() => tap('web-1'), 'forward'),
  'no-receive on a port that others plugged': mod(() => tap('web-1'), 'receive'),
  'no-forward on the tunnel port': mod(() => 'nl-vxlan', 'forward'),
  'no-receive on the patch port': mod(() => 'nl-int-br-ex', 'receive'),
  'an access VLAN on our end of the patch on the provider bridge': {
    where: async () => 'altered row Port nl-ex-br-ex',
    does: async () => void (await rig.vsctl('h1', 'set', 'Port', 'nl-ex-br-ex', 'tag=7')),
    undo: async () => void (await rig.vsctl('h1', 'clear', 'Port', 'nl-ex-br-ex', 'tag')),
  },
  'the tunnel port and a plugged port are protected': {
    where: async () => 'altered row Port nl-vxlan',
    does: async () => {
      await rig.vsctl('h1', 'set', 'Port', 'nl-vxlan', 'protected=true', '--', 'set', 'Port', tap('web-1'), 'protected=true')
    },
    undo: async () => {
      await rig.vsctl('h1', 'set', 'Port', 'nl-vxlan', 'protected=false', '--', 'set', 'Port', tap('web-1'), 'protected=false')
    },
  },
}

test.serial('report: what costs traffic is told at once, its owner is not ACTIVE, and nothing is written', async (t) => {
  await rig.until('made is there', (a) => rig.isSettled(a))
  t.deepEqual(await rig.wrong(), [])
  for (const [what, deed] of Object.entries(DEEDS)) {
    const where = await deed.where()
    await deed.does()
    const ms = await rig.until(`${what} is told`, (a) => own(a).join() === where, 5000)
    const wrong = await rig.wrong()
    t.log(`${what}: told in ${ms} ms, ${wrong.length} probes lost`)
    t.true(wrong.length > 0, `${what} costs traffic`)
    t.deepEqual(own(await rig.status()), [where], 'and is left')
    const answer = await rig.status()
    const owners = (answer?.fleet.drift ?? []).filter((d) => d.kind !== 'foreign').flatMap((d) => d.owners)
    t.true(owners.length > 0)
    for (const owner of owners) t.is(answer === undefined ? undefined : rig.object(answer, owner, 'h1')?.state, 'BUILD')
    await deed.undo()
    await rig.until(`${what} is over`, (a) => own(a).length === 0, 5000)
  }
  t.deepEqual(await rig.wrong(), [])
})

test.serial('drift asks anew, and writes nothing: refusals and fragments', async (t) => {
  const where = await DEEDS['no-forward on the tunnel port']?.where()
  await modPort('nl-vxlan', 'no-forward', 'no-packet-in')
  await rig.ofctl('h1', 'set-frags', 'br-int', 'drop')
  const config = await nextConfig(rig, 'h1')
  const asked = (await rig.drift()).flatMap((h) => (h.items ?? []).map((i) => `${i.kind} ${i.where}`)).sort()
  t.deepEqual(asked, ['altered fragments on br-int', where])
  t.is((await refusing()).length, 1)
  t.regex(await rig.ofctl('h1', 'get-frags', 'br-int'), /drop/)
  t.is(await nextConfig(rig, 'h1'), config)
  t.regex(await rig.on('h1', 'ovs-ofctl', '-O', 'OpenFlow14', 'show', 'br-int'), /NO_FWD NO_PACKET_IN/)
})

test.serial('repair: each is set right at once, with traffic, and a second turn writes nothing', async (t) => {
  await setMode('repair')
  await rig.seen('what was left is set right', async () => (await refusing()).length === 0, 5000)
  await rig.seen('fragments pass', async () => /nx-match/.test(await rig.ofctl('h1', 'get-frags', 'br-int')), 5000)
  await rig.settled()
  const rows = await rowTexts(rig, 'h1')
  for (const [what, deed] of Object.entries(DEEDS)) {
    await deed.does()
    const ms = await rig.seen(
      `${what} is undone`,
      async () => {
        await rig.vsctl('h1', 'set', 'Port', tap('web-1'), 'protected=false')
        return (await refusing()).length === 0 && (await rowTexts(rig, 'h1')) === rows
      },
      5000,
    )
    t.log(`${what}: undone in ${ms} ms`)
  }
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
  const config = await nextConfig(rig, 'h1')
  t.deepEqual(
    (await rig.drift()).flatMap((h) => h.items ?? []),
    [],
  )
  t.is(await nextConfig(rig, 'h1'), config)
})

test.serial('repair: columns of our rows that take frames from flows are emptied', async (t) => {
  const rows = await rowTexts(rig, 'h1')
  const set = async (...words: readonly string[]): Promise<void> => void (await rig.vsctl('h1', ...words))
  const deeds: Readonly<Record<string, () => Promise<void>>> = {
    'a police of what comes in': async () =>
      await set('set', 'Interface', 'nl-made-v', 'ingress_policing_rate=1', 'ingress_policing_burst=1', 'ingress_policing_kpkts_rate=1'),
    'a queue of 8 kbit/s': async () =>
      await set(
        '--',
        '--id=@q',
        'create',
        'QoS',
        'type=linux-htb',
        'other-config:max-rate=8000',
        '--',
        'set',
        'Port',
        'nl-made-v',
        'qos=@q',
      ),
    'BFD, CFM, LLDP and LACP, which eat such frames': async () =>
      await set(
        'set',
        'Interface',
        'nl-vxlan',
        'bfd:enable=true',
        'cfm_mpid=1',
        'lldp:enable=true',
        '--',
        'set',
        'Port',
        'nl-vxlan',
        'lacp=active',
      ),
    'trunks and a VLAN mode': async () => await set('set', 'Port', 'nl-ex-br-ex', 'trunks=7', 'vlan_mode=trunk', 'cvlans=9'),
    'another MAC': async () => await set('set', 'Interface', 'nl-made', 'mac="02:00:00:00:00:99"'),
    'a table that takes no flow more': async () => {
      await set('--', '--id=@f', 'create', 'Flow_Table', 'flow_limit=1', '--', 'set', 'Bridge', 'br-int', 'flow_tables:0=@f')
    },
  }
  for (const [what, deed] of Object.entries(deeds)) {
    await deed()
    t.log(`${what}: undone in ${await rig.seen(`${what} is undone`, async () => (await rowTexts(rig, 'h1')) === rows, 5000)} ms`)
  }
  await rig.settled()
  t.is(await rowTexts(rig, 'h1'), rows)
})

test.serial('repair: a device that we made and somebody set down is set up again, by whichever way it was set down', async (t) => {
  const repairs = async (device: string): Promise<number> =>
    (await rig.agentLog('h1')).filter((l) => l.msg === 'drift repaired' && l['first'] === `link ${device}`).length
  const flags = async (device: string): Promise<string> => await rig.on('h1', 'ip', '-o', 'link', 'show', device)
  const deeds: Readonly<Record<string, readonly [string, () => Promise<unknown>]>> = {
    'ip link on our end of a pair': ['nl-made-v', async () => await rig.on('h1', 'ip', 'link', 'set', 'nl-made-v', 'down')],
    'mod-port on our end of a pair': ['nl-made-v', async () => await modPort('nl-made-v', 'down')],
    'mod-port on an internal device': ['nl-made', async () => await modPort('nl-made', 'down')],
  }
  for (const [what, [device, deed]] of Object.entries(deeds)) {
    const before = await repairs(device)
    await deed()
    // It may be up again before anyone can look: the agent's log says that it was down.
    const isUndone = async (): Promise<boolean> => (await repairs(device)) > before && /[<,]UP[,>]/.test(await flags(device))
    t.log(`${what}: up again in ${await rig.seen(`${what} is undone`, isUndone, 5000)} ms`)
  }
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})

test.serial('an interface that others plugged and set down is theirs: its port waits, and says what to type', async (t) => {
  const device = tap('web-1')
  await modPort(device, 'down')
  const ms = await rig.until('web-1 waits', (a) => rig.object(a, port('web-1'), 'h1')?.state === 'WAITING', 5000)
  t.log(`told in ${ms} ms`)
  const answer = await rig.status()
  t.is(
    answer === undefined ? undefined : rig.object(answer, port('web-1'), 'h1')?.cause,
    `${device} is set down, and Netloom leaves it to whoever plugged it: ip link set ${device} up`,
  )
  t.deepEqual(own(answer), [])
  t.true((await rig.wrong()).length > 0)
  t.notRegex(await rig.on('h1', 'ip', '-o', 'link', 'show', device), /[<,]UP[,>]/, 'it is left')
  await rig.on('h1', 'ip', 'link', 'set', device, 'up')
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})

test.serial('what is of others on br-int is told by drift, and status says that there is something', async (t) => {
  // The first controller makes OVS empty the bridge, which is repaired; so the flow comes after it.
  await rig.vsctl('h1', 'set-controller', 'br-int', 'tcp:127.0.0.1:9')
  await rig.ofctl('h1', 'add-flow', 'br-int', 'cookie=0x7,table=0,priority=65535,actions=drop')
  await rig.vsctl('h1', 'set', 'Bridge', 'br-int', 'other_config:disable-in-band=true', 'mcast_snooping_enable=true', 'flood_vlans=7')
  const mirror = ['--', '--id=@m', 'create', 'Mirror', 'name=m', 'select_all=true', '--', 'set', 'Bridge', 'br-int', 'mirrors=@m']
  const sampler = ['--', '--id=@s', 'create', 'sFlow', 'targets="127.0.0.1:9"', '--', 'set', 'Bridge', 'br-int', 'sflow=@s']
  await rig.vsctl('h1', ...mirror, ...sampler)
  const all = [
    'foreign Bridge br-int flood_vlans',
    'foreign Bridge br-int mcast_snooping_enable',
    'foreign Bridge br-int mirrors',
    'foreign Bridge br-int other_config:disable-in-band',
    'foreign Bridge br-int sflow',
    'foreign Controller tcp:127.0.0.1:9 on br-int',
    'foreign flow br-int classify 65535',
  ]
  const told = (a: StatusAnswer): string =>
    a.fleet.drift
      .map((d) => `${d.kind} ${d.where}`)
      .sort()
      .join()
  await rig.until('all of it is told', (a) => told(a) === all.join(), 5000)
  const answer = await rig.status()
  const states = answer === undefined ? [] : hostStates({ ...answer.fleet, targets: new Map(answer.fleet.targets) })
  t.deepEqual(states.find((s) => s.host === 'h1')?.notes, ['7 in error', '7 things of others: see netloom drift'])
  t.true((await rig.wrong()).length > 0, 'the flow above ours takes everything')
  await rig.ofctl('h1', 'del-flows', 'br-int', 'cookie=0x7/-1')
  await rig.vsctl('h1', 'del-controller', 'br-int', '--', 'set', 'Bridge', 'br-int', 'mcast_snooping_enable=false')
  for (const column of ['other_config', 'flood_vlans', 'mirrors', 'sflow']) await rig.vsctl('h1', 'clear', 'Bridge', 'br-int', column)
  await rig.until('nothing is told', (a) => told(a) === '', 5000)
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})
