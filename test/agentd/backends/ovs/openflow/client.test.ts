import { createServer } from 'node:net'
import test from 'ava'
import { flowKey, formatFlow } from '../../../../../agentd/backends/ovs/flow/format.ts'
import { parseFlow } from '../../../../../agentd/backends/ovs/flow/parse.ts'
import { PORT } from '../../../../../agentd/backends/ovs/flow/types.ts'
import { OpenFlowClient } from '../../../../../agentd/backends/ovs/openflow/client.ts'
import { OpenFlowError } from '../../../../../agentd/backends/ovs/openflow/error.ts'
import type { FlowMod } from '../../../../../agentd/backends/ovs/openflow/flow-mod.ts'
import type { FlowEvent } from '../../../../../agentd/backends/ovs/openflow/flow-monitor.ts'
import type { PacketIn } from '../../../../../agentd/backends/ovs/openflow/packets.ts'
import type { PortDescription } from '../../../../../agentd/backends/ovs/openflow/ports.ts'
import { type Switch, startSwitch, until } from '../switch.ts'

let sw: Switch
let of: OpenFlowClient
let socket: string

test.before(async () => {
  sw = await startSwitch()
  await sw.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev', 'fail_mode=secure')
  socket = `${sw.rundir}/br0.mgmt`
  of = await OpenFlowClient.connect({ path: socket })
})

test.after.always(async () => {
  of?.close()
  await sw?.stop()
})

test.afterEach.always(async () => {
  await sw.ofctl('del-flows', socket)
})

const add = (text: string): FlowMod => ({ command: 'add', flow: parseFlow(text) })
const texts = async (client: OpenFlowClient = of): Promise<string[]> =>
  (await client.dumpFlows()).flows.map(({ flow }) => formatFlow(flow)).sort()

test.serial('a bundle is all or nothing, and says which flow the switch refused, in the words of OVS', async (t) => {
  await of.applyBundle([add('table=1,priority=5,ip,nw_dst=10.0.0.1,actions=output:5'), add('table=0,priority=1,actions=goto_table:1')])
  const before = await texts()
  t.deepEqual(before, [
    'cookie=0x0, table=0, priority=1 actions=goto_table:1',
    'cookie=0x0, table=1, priority=5,ip,nw_dst=10.0.0.1 actions=output:5',
  ])
  const bad = of.applyBundle([
    add('table=4,priority=1,actions=output:5'),
    add('table=3,nw_dst=10.0.0.1,actions=output:5'),
    add('table=3,actions=goto_table:2'),
  ])
  const error = await t.throwsAsync(bad, { instanceOf: OpenFlowError })
  t.is(error?.code, 'refused')
  t.deepEqual(error?.failures, [
    {
      index: 1,
      name: 'OFPBMC_BAD_PREREQ',
      text: 'OFPBMC_BAD_PREREQ: add cookie=0x0, table=3, priority=32768,nw_dst=10.0.0.1 actions=output:5',
    },
    { index: 2, name: 'OFPBIC_BAD_TABLE_ID', text: 'OFPBIC_BAD_TABLE_ID: add cookie=0x0, table=3, priority=32768 actions=goto_table:2' },
  ])
  // A flow that is only found wrong at the commit: its group does not exist.
  const late = await t.throwsAsync(of.applyBundle([add('table=4,actions=output:1'), add('table=5,actions=group:77')]), {
    instanceOf: OpenFlowError,
  })
  t.deepEqual(
    late?.failures.map((f) => [f.index, f.name]),
    [[1, 'OFPBAC_BAD_OUT_GROUP']],
  )
  const single = await t.throwsAsync(of.applyBundle([add('table=5,actions=group:77')]), { instanceOf: OpenFlowError })
  t.deepEqual(
    single?.failures.map((f) => [f.index, f.name]),
    [[0, 'OFPBAC_BAD_OUT_GROUP']],
  )
  t.deepEqual(await texts(), before, 'nothing of what was refused is there')
})

test.serial('a flow that no message can hold is refused before it is sent, and the bundle is forgotten', async (t) => {
  const huge = { ...parseFlow('table=1,actions=drop'), actions: Array.from({ length: 5000 }, () => ({ kind: 'output', port: 1 }) as const) }
  const error = await t.throwsAsync(of.applyBundle([add('table=2,actions=drop'), { command: 'add', flow: huge }]), {
    instanceOf: OpenFlowError,
  })
  t.is(error?.code, 'encode')
  t.is(error?.failures[0]?.index, 1)
  t.is((await t.throwsAsync(of.applyBundle([add('table=1,actions=goto_table:3,output:5')]), { instanceOf: OpenFlowError }))?.code, 'encode')
  await of.applyBundle([add('table=2,actions=drop')])
  t.is((await texts()).length, 1)
})

test.serial('unchanged flows keep their counters when others change; modify and add of the same match keep them too', async (t) => {
  const flow = 'table=0,priority=5,dl_type=0x1234,actions=drop'
  await of.applyBundle([add(flow)])
  const packet = Buffer.from('000000000001000000000002123400000000000000000000', 'hex')
  for (let i = 0; i < 3; i++) await of.packetOut({ packet, in_port: PORT.LOCAL, actions: [{ kind: 'output', port: PORT.TABLE }] })
  const packets = async (): Promise<number> => (await of.dumpFlows({ table: 0 })).flows[0]?.packets ?? -1
  await until(async () => (await packets()) === 3, 'three packets to be counted')
  await of.applyBundle([add('table=1,actions=drop'), add('table=2,actions=drop')])
  t.is(await packets(), 3)
  await of.applyBundle([{ command: 'modify_strict', flow: parseFlow('table=0,priority=5,dl_type=0x1234,actions=output:7') }])
  t.is(await packets(), 3)
  await of.applyBundle([add('cookie=0x7,table=0,priority=5,dl_type=0x1234,actions=output:8')])
  const [entry] = (await of.dumpFlows({ table: 0 })).flows
  t.is(entry?.flow.cookie, 7n)
})

test.serial('dumps, sums and deletions are limited by table, cookie and match', async (t) => {
  await of.applyBundle([
    add('cookie=0x1001,table=1,ip,nw_dst=10.0.0.1,actions=drop'),
    add('cookie=0x1002,table=2,ip,nw_dst=10.0.0.2,actions=drop'),
    add('cookie=0x2001,table=2,arp,actions=drop'),
  ])
  const tables = async (filter: Parameters<OpenFlowClient['dumpFlows']>[0]): Promise<number[]> =>
    (await of.dumpFlows(filter)).flows.map((f) => f.flow.table).sort()
  t.deepEqual(await tables({ table: 2 }), [2, 2])
  t.deepEqual(await tables({ cookie: 0x1000n, cookie_mask: 0xf000n }), [1, 2])
  t.deepEqual(await tables({ cookie: 0x1002n }), [2])
  t.deepEqual(await tables({ match: parseFlow('ip,actions=drop').match }), [1, 2])
  t.is((await of.aggregate({ cookie: 0x1000n, cookie_mask: 0xf000n })).flows, 2)
  await of.applyBundle([{ command: 'delete', flow: parseFlow('cookie=0x1000,table=255,actions=drop'), cookie_mask: 0xf000n }])
  t.deepEqual(await texts(), ['cookie=0x2001, table=2, priority=32768,arp actions=drop'])
})

test.serial('the monitor tells what others change in full, and our own changes by their number or in full', async (t) => {
  await of.applyBundle([add('table=1,priority=7,actions=drop')])
  const watcher = await OpenFlowClient.connect({ path: socket })
  const [quiet, full]: [FlowEvent[], FlowEvent[]] = [[], []]
  const stop = await watcher.monitorFlows({ initial: true }, (event) => quiet.push(event))
  await of.monitorFlows({ own: true }, (event) => full.push(event))
  t.deepEqual(quiet, [{ kind: 'initial', flow: parseFlow('table=1,priority=7,actions=drop') }])

  await sw.ofctl('-O', 'OpenFlow14', 'add-flow', socket, 'cookie=5,table=2,ip,nw_src=10.0.0.0/8,actions=load:5->reg0,goto_table:9')
  await of.applyBundle([add('table=1,priority=7,actions=output:3'), add('table=3,actions=drop')])
  await watcher.applyBundle([add('table=4,actions=drop'), add('table=5,actions=drop')])
  await sw.ofctl('del-flows', socket, 'table=2')
  await watcher.barrier()
  await of.barrier()
  const show = (e: FlowEvent): string => ('flow' in e ? `${e.kind} ${flowKey(e.flow)}` : e.kind)
  t.deepEqual(quiet.slice(1).map(show), [
    'added table=2, priority=32768,ip,nw_src=10.0.0.0/8',
    'added table=1, priority=7',
    'added table=3, priority=32768',
    'own',
    'removed table=2, priority=32768,ip,nw_src=10.0.0.0/8',
  ])
  t.deepEqual(full.map(show), [
    'added table=2, priority=32768,ip,nw_src=10.0.0.0/8',
    'added table=1, priority=7',
    'added table=3, priority=32768',
    'added table=4, priority=32768',
    'added table=5, priority=32768',
    'removed table=2, priority=32768,ip,nw_src=10.0.0.0/8',
  ])
  const added = quiet[1]
  t.is(
    added !== undefined && 'flow' in added ? formatFlow(added.flow) : '',
    'cookie=0x5, table=2, priority=32768,ip,nw_src=10.0.0.0/8 actions=load:0x5->NXM_NX_REG0[],goto_table:9',
  )

  const before = quiet.length
  await stop()
  await sw.ofctl('add-flow', socket, 'table=8,actions=drop')
  await watcher.barrier()
  t.is(quiet.length, before, 'a monitor that was stopped is silent')
  watcher.close()
})

test.serial('a flow with an action that we do not know is listed apart, and noticed', async (t) => {
  const events: FlowEvent[] = []
  const watcher = await OpenFlowClient.connect({ path: socket })
  await watcher.monitorFlows({}, (event) => events.push(event))
  await sw.ofctl(
    'add-flow',
    socket,
    'cookie=9,table=9,priority=3,actions=sample(probability=1,collector_set_id=1,obs_domain_id=0,obs_point_id=0),output:9',
  )
  await watcher.barrier()
  const dump = await of.dumpFlows()
  t.deepEqual(dump.flows, [])
  t.deepEqual({ ...dump.unreadable[0], why: '' }, { table: 9, priority: 3, cookie: 9n, why: '' })
  t.regex(dump.unreadable[0]?.why ?? '', /^unknown action 0xffff/)
  t.deepEqual(
    events.map((e) => e.kind),
    ['unreadable'],
  )
  watcher.close()
})

test.serial('meters and groups are made, shown and refused', async (t) => {
  t.true((await of.meterFeatures()).max > 0)
  const meter = { meter: 5, unit: 'pktps', stats: true, bands: [{ type: 'drop', rate: 100, burst: 10 }] } as const
  await of.modMeter('add', meter)
  t.deepEqual(await of.dumpMeters(), [meter])
  await of.applyBundle([add('table=0,actions=meter:5,output:1')])
  t.deepEqual(await of.meterStats(), [{ meter: 5, flows: 1, packets: 0, bytes: 0, bands: [{ packets: 0, bytes: 0 }] }])
  const twice = await t.throwsAsync(of.modMeter('add', meter), { instanceOf: OpenFlowError })
  t.deepEqual(twice?.failures, [{ name: 'OFPMMFC_METER_EXISTS', text: 'OFPMMFC_METER_EXISTS' }])
  await of.modMeter('modify', { ...meter, unit: 'kbps', bands: [{ type: 'drop', rate: 1000 }] })
  t.deepEqual(await of.dumpMeters(), [{ meter: 5, unit: 'kbps', stats: true, bands: [{ type: 'drop', rate: 1000 }] }])
  await of.modMeter('delete', meter)
  t.deepEqual(await of.dumpMeters(), [])

  const group = {
    group: 7,
    type: 'select',
    buckets: [
      { weight: 5, actions: [{ kind: 'output', port: 3 }] },
      { weight: 1, actions: [{ kind: 'pop_vlan' }, { kind: 'output', port: 4 }] },
    ],
  } as const
  await of.modGroup('add', group)
  t.deepEqual(await of.dumpGroups(), [group])
  t.regex(
    await sw.ofctl('-O', 'OpenFlow14', 'dump-groups', socket),
    /group_id=7,type=select,bucket=weight:5,actions=output:3,bucket=actions=pop_vlan,output:4/,
  )
  await of.deleteAllGroups()
  t.deepEqual(await of.dumpGroups(), [])
})

test.serial('packets come in with registers, port, userdata and cookie, for the id that was asked for', async (t) => {
  const packets: PacketIn[] = []
  const listener = await OpenFlowClient.connect({ path: socket })
  await listener.listenForPackets(3, (packet) => packets.push(packet))
  await of.applyBundle([
    add(
      'cookie=0x77,table=0,priority=5,dl_type=0x1234,actions=load:0x5->NXM_NX_REG1[],load:0x9->OXM_OF_METADATA[],controller(id=3,userdata=01.02)',
    ),
    add('table=0,priority=5,dl_type=0x1235,actions=controller(id=4)'),
  ])
  const packet = Buffer.from('0000000000010000000000021234cafe0000000000000000000000000000', 'hex')
  const other = Buffer.from('000000000001000000000002123500000000000000000000000000000000', 'hex')
  for (const p of [other, packet]) await of.packetOut({ packet: p, in_port: PORT.LOCAL, actions: [{ kind: 'output', port: PORT.TABLE }] })
  await until(() => packets.length > 0, 'a packet')
  await listener.barrier()
  t.is(packets.length, 1)
  const [got] = packets
  t.deepEqual(got?.packet, packet)
  t.is(got?.length, packet.length)
  t.is(got?.cookie, 0x77n)
  t.deepEqual(got?.userdata, Buffer.from([1, 2]))
  t.deepEqual(got?.metadata['reg1'], { value: 5n })
  t.deepEqual(got?.metadata['metadata'], { value: 9n })
  t.deepEqual(got?.metadata['in_port'], { value: BigInt(PORT.LOCAL) })
  listener.close()
})

test.serial('ports are described, and their coming and going is told', async (t) => {
  const events: string[] = []
  await of.listenForPorts((event) => events.push(`${event.kind} ${event.port.name}`))
  await sw.vsctl('add-port', 'br0', 'p7', '--', 'set', 'interface', 'p7', 'type=internal', 'ofport_request=7')
  const port = (await of.dumpPorts()).find((p) => p.name === 'p7')
  t.is(port?.port, 7)
  t.regex(port?.mac ?? '', /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
  await sw.vsctl('del-port', 'br0', 'p7')
  await of.barrier()
  t.is(events[0], 'added p7')
  t.is(events.at(-1), 'removed p7')
})

test.serial('what a port was told to refuse is described, told to others, and ended; up or down stays', async (t) => {
  await sw.vsctl('add-port', 'br0', 'p8', '--', 'set', 'interface', 'p8', 'type=internal', 'ofport_request=8')
  const listener = await OpenFlowClient.connect({ path: socket })
  const told: string[] = []
  await listener.listenForPorts(({ port }) => told.push(`${port.name} ${port.refuses.join()}`))
  const port = async (): Promise<PortDescription | undefined> => (await of.dumpPorts()).find((p) => p.name === 'p8')
  t.deepEqual((await port())?.refuses, [])
  for (const word of ['no-receive', 'no-forward', 'no-packet-in']) await sw.ofctl('-O', 'OpenFlow14', 'mod-port', socket, 'p8', word)
  const refusing = await port()
  t.deepEqual(refusing?.refuses, ['no-receive', 'no-forward', 'no-packet-in'])
  t.true(refusing?.down, 'an internal device is down until somebody sets it up')
  await listener.barrier()
  t.is(told.at(-1), 'p8 no-receive,no-forward,no-packet-in')
  await t.throwsAsync(of.acceptOn({ port: 8, mac: '02:00:00:00:00:01' }), { instanceOf: OpenFlowError, message: /BAD_HW_ADDR/ })
  if (refusing !== undefined) await of.acceptOn(refusing)
  t.deepEqual(await port(), { ...refusing, refuses: [] } as PortDescription)
  await listener.barrier()
  t.is(told.at(-1), 'p8 ')
  listener.close()
  await sw.vsctl('del-port', 'br0', 'p8')
})

test.serial('what is done with fragments is not changed by who listens, and can be set', async (t) => {
  await sw.ofctl('-O', 'OpenFlow14', 'set-frags', socket, 'drop')
  const listener = await OpenFlowClient.connect({ path: socket })
  await listener.listenForPorts(() => {})
  t.regex(await sw.ofctl('-O', 'OpenFlow14', 'get-frags', socket), /drop/)
  t.is(await listener.fragments(), 1)
  await listener.setFragments(0)
  t.regex(await sw.ofctl('-O', 'OpenFlow14', 'get-frags', socket), /normal/)
  listener.close()
})

test.serial('who wants only ports is told of no packet', async (t) => {
  const packets: PacketIn[] = []
  const ports: string[] = []
  const muted = await OpenFlowClient.connect({ path: socket })
  const listener = await OpenFlowClient.connect({ path: socket })
  await muted.listenForPackets(0, (packet) => packets.push(packet))
  await muted.muteAllButPortsAndMeters()
  await muted.listenForPorts(({ port }) => ports.push(port.name))
  const heard: PacketIn[] = []
  await listener.listenForPackets(0, (packet) => heard.push(packet))
  await of.applyBundle([add('table=0,priority=5,dl_type=0x1236,actions=controller(id=0)')])
  const packet = Buffer.from('000000000001000000000002123600000000000000000000000000000000', 'hex')
  await of.packetOut({ packet, in_port: PORT.LOCAL, actions: [{ kind: 'output', port: PORT.TABLE }] })
  await until(() => heard.length > 0, 'a packet for the other one')
  await sw.vsctl('add-port', 'br0', 'p9', '--', 'set', 'interface', 'p9', 'type=internal')
  await until(() => ports.includes('p9'), 'a port')
  t.is(packets.length, 0)
  await sw.vsctl('del-port', 'br0', 'p9')
  muted.close()
  listener.close()
})

test.serial('conntrack zones can be flushed', async (t) => {
  await t.notThrowsAsync(of.flushConntrackZone(5))
})

test.serial('many flows at once, several bundles at once: all arrive, in order', async (t) => {
  const mods = Array.from(
    { length: 5000 },
    (_, i): FlowMod => add(`table=${i % 5},priority=10,ip,nw_dst=10.${i >> 8}.${i & 255}.1,actions=output:${1 + i}`),
  )
  await Promise.all([of.applyBundle(mods.slice(0, 2500)), of.applyBundle(mods.slice(2500)), of.barrier()])
  t.deepEqual(await texts(), mods.map((mod) => formatFlow(mod.flow)).sort())
  const first = mods[0]?.flow ?? parseFlow('actions=drop')
  await Promise.all([
    of.applyBundle([{ command: 'delete_strict', flow: first }]),
    of.applyBundle([{ command: 'add', flow: { ...first, cookie: 1n } }]),
  ])
  t.is((await of.dumpFlows({ cookie: 1n })).flows.length, 1)
})

test.serial('the end of the bridge or of vswitchd is told once, with what was under way', async (t) => {
  await sw.vsctl('add-br', 'br1', '--', 'set', 'bridge', 'br1', 'datapath_type=netdev')
  const reasons: string[] = []
  const doomed = await OpenFlowClient.connect({ path: `${sw.rundir}/br1.mgmt`, onClose: (error) => reasons.push(error.code) })
  await sw.vsctl('del-br', 'br1')
  await until(() => reasons.length > 0, 'the end to be told')
  t.deepEqual(reasons, ['closed'])
  t.is((await t.throwsAsync(doomed.barrier(), { instanceOf: OpenFlowError }))?.code, 'closed')
  t.is(
    (await t.throwsAsync(doomed.applyBundle([add('actions=drop'), add('table=1,actions=drop')]), { instanceOf: OpenFlowError }))?.code,
    'closed',
  )
  t.is((await t.throwsAsync(OpenFlowClient.connect({ path: `${sw.rundir}/br1.mgmt` }), { instanceOf: OpenFlowError }))?.code, 'connect')

  const slow = await OpenFlowClient.connect({ path: socket, requestTimeout: 50 })
  sw.freeze('ovs-vswitchd', true)
  t.is((await t.throwsAsync(slow.dumpFlows(), { instanceOf: OpenFlowError }))?.code, 'timeout')
  const pending = slow.barrier()
  slow.close()
  t.is((await t.throwsAsync(pending, { instanceOf: OpenFlowError }))?.code, 'closed')
  sw.freeze('ovs-vswitchd', false)
})

test.serial('who does not speak OpenFlow 1.4 is told so', async (t) => {
  const path = `${sw.rundir}/old.sock`
  const server = createServer((s) => s.write(Buffer.from([1, 0, 0, 8, 0, 0, 0, 1])))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const error = await t.throwsAsync(OpenFlowClient.connect({ path }), { instanceOf: OpenFlowError })
  t.is(error?.code, 'connect')
  t.regex(error?.message ?? '', /does not speak OpenFlow 1\.4/)
  server.close()
})
