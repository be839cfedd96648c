import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { BROADCAST_MAC, ethernet } from '../../src/lab/frame-build.ts'
import { FrameSocket } from '../../src/lab/frames.ts'
import { hostDir } from '../../src/lab/names.ts'
import { SITE } from './repo.ts'
import { Rig } from './rig.ts'

/** Two flat networks, one on each provider bridge: untagged frames of each are welcome on br-int, and must stay in their own network. */
const FILES = {
  'netloom.yaml': SITE,
  'hosts.yaml': 'hosts:\n  h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { physnet1: br-ex, physnet2: br-ex2 } }\n',
  'nets.yaml': `networks:
  red: { network_type: flat, physical_network: physnet1 }
  amber: { network_type: flat, physical_network: physnet2 }
subnets:
  red-v4: { network: red, cidr: 10.20.0.0/24 }
  amber-v4: { network: amber, cidr: 10.30.0.0/24 }
ports:
  r: { network: red, host: h1, plug: { type: internal, interface: nl-r } }
  a: { network: amber, host: h1, plug: { type: internal, interface: nl-a } }
`,
}
/** IEEE's own ethertype for experiments: nothing on a host makes such frames by itself. */
const MARK = 0x88b5
const EVERY_MS = 5
const BURST = 10
const PATCHES = ['nl-int-br-ex', 'nl-int-br-ex2']

let rig: Rig
test.before(async () => {
  rig = await Rig.up(FILES, 'none')
  // A cable between the two provider bridges, as when both NICs are in one segment.
  await rig.on('h1', 'ip', 'link', 'add', 'loop-a', 'type', 'veth', 'peer', 'name', 'loop-b')
  for (const [end, bridge] of [
    ['loop-a', 'br-ex'],
    ['loop-b', 'br-ex2'],
  ] as const) {
    await rig.on('h1', 'ip', 'link', 'set', end, 'up')
    await rig.vsctl('h1', 'add-port', bridge, end)
  }
})
test.after.always(async () => await rig?.close())

/** `passed`: came to the other network. `twice`: by a second way beside the cable. `back`: came round to the network that it was sent from. */
interface Seen {
  readonly sent: number
  readonly passed: number
  readonly back: number
  readonly twice: number
}

/** Numbered broadcasts into the one provider bridge, without a pause, and what of them the host hands to the other network and back to where they came from. */
class Storm {
  readonly #in: FrameSocket
  readonly #out: FrameSocket
  readonly #timer: NodeJS.Timeout
  #sent = 0

  private constructor(into: FrameSocket, out: FrameSocket) {
    this.#in = into
    this.#out = out
    this.#timer = setInterval(() => {
      for (let n = 0; n < BURST; n++) this.#in.send(marked(this.#sent++))
    }, EVERY_MS)
  }

  static async begin(): Promise<Storm> {
    return new Storm(
      await FrameSocket.open(rig.lab, { host: 'h1', cable: 'physnet1' }),
      await FrameSocket.open(rig.lab, { host: 'h1', cable: 'physnet2' }),
    )
  }

  async end(): Promise<Seen> {
    clearInterval(this.#timer)
    await sleep(500)
    const numbers = (socket: FrameSocket): number[] =>
      socket.received().flatMap(({ bytes }) => (bytes.readUInt16BE(12) === MARK ? [bytes.readUInt32BE(14)] : []))
    const other = numbers(this.#out)
    const back = numbers(this.#in).length
    await Promise.all([this.#in.close(), this.#out.close()])
    const passed = new Set(other).size
    return { sent: this.#sent, passed, back, twice: other.length - passed }
  }
}

function marked(n: number): Buffer {
  const payload = Buffer.alloc(46)
  payload.writeUInt32BE(n)
  return ethernet({ src: '02:00:00:00:77:01', dst: BROADCAST_MAC }, MARK, payload)
}

/** A host on which no agent ever ran, and a br-int as `make` leaves it, with a flow of another hand. */
async function fresh({ make, flow }: Start): Promise<void> {
  await rig.vsctl('h1', '--if-exists', 'del-br', 'br-int')
  for (const bridge of ['br-ex', 'br-ex2']) await rig.vsctl('h1', '--if-exists', 'del-port', bridge, `nl-ex-${bridge}`)
  await rm(join(hostDir(rig.tag, 'h1'), 'agent'), { recursive: true, force: true })
  if (make.length > 0) await rig.vsctl('h1', ...make)
  if (flow !== undefined) await rig.on('h1', 'ovs-ofctl', 'add-flow', 'br-int', flow)
}

async function patched(): Promise<boolean> {
  const ports = (await rig.vsctl('h1', 'list-ports', 'br-int')).split('\n')
  return PATCHES.every((name) => ports.includes(name))
}

/** From before the agent's first breath until a while after everything is there. */
async function firstStart(t: ExecutionContext): Promise<void> {
  const storm = await Storm.begin()
  await sleep(200)
  await rig.startAgent('h1')
  await sleep(1000)
  await rig.startServer()
  await rig.settled()
  await rig.seen('both patches are there', patched)
  await sleep(1000)
  const seen = await storm.end()
  await rig.stopAgent('h1', 'SIGKILL')
  await rig.stopServer()
  nothingCrossed(t, seen)
}

function nothingCrossed(t: ExecutionContext, { sent, passed, back, twice }: Seen): void {
  t.log(`${sent} broadcasts, ${passed} of them seen behind the cable; ${back} came back, ${twice} came twice`)
  t.true(passed > 0.5 * sent, 'the test sees what passes by the cable')
  t.deepEqual({ back, twice }, { back: 0, twice: 0 })
}

const NEW = ['add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev']
interface Start {
  readonly title: string
  readonly make: readonly string[]
  readonly flow?: string
}

const STARTS: readonly Start[] = [
  { title: 'br-int is not there', make: [] },
  { title: 'br-int was made secure', make: [...NEW, 'fail_mode=secure'] },
  { title: 'br-int was made to forward by itself', make: NEW },
  { title: 'br-int was made to forward by itself, and speaks no OpenFlow of ours', make: [...NEW, 'protocols=OpenFlow10'] },
  {
    title: 'br-int is secure, and a flow of another hand forwards all',
    make: [...NEW, 'fail_mode=secure'],
    flow: 'priority=0,actions=NORMAL',
  },
  {
    title: 'a flow of another hand forwards all, and br-int speaks no OpenFlow of ours',
    make: [...NEW, 'fail_mode=secure', 'protocols=OpenFlow10'],
    flow: 'priority=0,actions=NORMAL',
  },
]

test.serial('the test sees a crossing: patches on a br-int that forwards by itself hand frames on without the cable', async (t) => {
  await fresh({ title: '', make: NEW })
  // Only one way round: a whole loop would keep the switch busy until it is cut.
  await rig.vsctl('h1', 'del-port', 'br-ex2', 'loop-b')
  for (const bridge of ['br-ex', 'br-ex2']) {
    const [int, ext] = [`nl-int-${bridge}`, `nl-ex-${bridge}`]
    const patch = (on: string, name: string, peer: string): readonly string[] => [
      ...['add-port', on, name, '--', 'set', 'Interface', name, 'type=patch', `options:peer=${peer}`],
    ]
    await rig.vsctl('h1', ...patch(bridge, ext, int))
    await rig.vsctl('h1', ...patch('br-int', int, ext))
  }
  const storm = await Storm.begin()
  await sleep(500)
  const { sent, passed } = await storm.end()
  await fresh({ title: '', make: [] })
  await rig.vsctl('h1', 'add-port', 'br-ex2', 'loop-b')
  t.true(passed > 0.5 * sent, `${passed} of ${sent} crossed br-int`)
})

for (const start of STARTS) {
  test.serial(
    `first start on a host whose provider bridges are looped: no frame crosses br-int at any moment; ${start.title}`,
    async (t) => {
      await fresh(start)
      await firstStart(t)
    },
  )
}

test.serial(
  'without a server an agent restores a host whose br-int was replaced by one that forwards by itself: no frame crosses it',
  async (t) => {
    const files = join(hostDir(rig.tag, 'h1'), 'agent')
    await rig.vsctl('h1', 'del-br', 'br-int')
    for (const bridge of ['br-ex', 'br-ex2']) await rig.vsctl('h1', '--if-exists', 'del-port', bridge, `nl-ex-${bridge}`)
    await rig.vsctl('h1', ...NEW)
    const storm = await Storm.begin()
    await sleep(200)
    await rig.startAgent('h1')
    await rig.seen(`both patches are there again, out of ${files}`, patched)
    await sleep(1500)
    nothingCrossed(t, await storm.end())
  },
)
