import { type ChildProcess, spawn } from 'node:child_process'
import { commandAt, execOk } from '../src/lab/exec.ts'
import { port, Rig } from '../test/faults/rig.ts'
import { serveParent } from './support/child.ts'
import { type Figure, figure } from './support/figures.ts'

// What a router costs a packet: guests of one network, and of two networks that a router joins, through the same userspace datapath, on one host and to another, in turns.

interface Params {
  readonly rounds: number
  readonly seconds: number
}

const MAC = (n: number): string => `fa:16:3e:00:00:0${n}`
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
networks:
  blue: {}
  red: {}
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  red-v4: { network: red, cidr: 10.20.0.0/24 }
ports:
  from: { network: blue, host: h1, mac_address: '${MAC(1)}', fixed_ips: [{ ip_address: 10.10.0.11 }] }
  switched-near: { network: blue, host: h1, mac_address: '${MAC(2)}', fixed_ips: [{ ip_address: 10.10.0.12 }] }
  switched-far: { network: blue, host: h2, mac_address: '${MAC(3)}', fixed_ips: [{ ip_address: 10.10.0.13 }] }
  routed-near: { network: red, host: h1, mac_address: '${MAC(4)}', fixed_ips: [{ ip_address: 10.20.0.12 }] }
  routed-far: { network: red, host: h2, mac_address: '${MAC(5)}', fixed_ips: [{ ip_address: 10.20.0.13 }] }
routers:
  r: { interfaces: [{ subnet: blue-v4 }, { subnet: red-v4 }] }
`
const PLACES = ['near', 'far'] as const
const WAYS = ['switched', 'routed'] as const
type Place = (typeof PLACES)[number]
type Way = (typeof WAYS)[number]
const ADDRESS: Readonly<Record<Way, Readonly<Record<Place, string>>>> = {
  switched: { near: '10.10.0.12', far: '10.10.0.13' },
  routed: { near: '10.20.0.12', far: '10.20.0.13' },
}
const SINK = 7777
const PINGS = 400
const WITHIN = 1.15

serveParent(async (params: Params): Promise<readonly Figure[]> => {
  const rig = await Rig.up({ 'netloom.yaml': 'installation: bench\n', 'net.yaml': NET })
  const sinks = await Promise.all(WAYS.flatMap((way) => PLACES.map(async (place) => await startSink(rig, `${way}-${place}`))))
  try {
    return await measure(rig, params)
  } finally {
    for (const sink of sinks) sink.kill('SIGKILL')
    await rig.close()
  }
})

async function measure(rig: Rig, { rounds, seconds }: Params): Promise<readonly Figure[]> {
  const transfers = new Map<string, number[]>()
  const times = new Map<string, number[]>()
  for (let round = -1; round < rounds; round++) {
    for (const place of PLACES) {
      // In turns, each first as often as the other: the machine is not the same all the time.
      for (const way of round % 2 === 0 ? WAYS : [...WAYS].reverse()) {
        const transfer = await secondsPerGigabyte(rig, ADDRESS[way][place], seconds)
        const time = await roundTrip(rig, ADDRESS[way][place])
        if (round < 0) continue
        add(transfers, `${way} ${place}`, transfer)
        add(times, `${way} ${place}`, time)
      }
    }
  }
  return PLACES.flatMap((place) => {
    const at = place === 'near' ? 'on one host' : 'to another, by VXLAN'
    const of = (all: ReadonlyMap<string, number[]>, way: Way): readonly number[] => all.get(`${way} ${place}`) ?? []
    return [
      figure(at, 'a gigabyte by TCP, routed', 's', of(transfers, 'routed'), {
        floor: { what: 'switched', value: median(of(transfers, 'switched')) },
        target: { timesFloor: WITHIN },
      }),
      figure(at, 'ping and back, routed', 'ms', of(times, 'routed'), {
        floor: { what: 'switched', value: median(of(times, 'switched')) },
        target: { timesFloor: WITHIN },
      }),
    ]
  })
}

function add(all: Map<string, number[]>, key: string, value: number): void {
  all.set(key, [...(all.get(key) ?? []), value])
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Takes all that comes. */
async function startSink(rig: Rig, name: string): Promise<ChildProcess> {
  const script = `require('net').createServer((s) => s.on('error', () => {}).resume()).listen(${SINK}, '0.0.0.0', () => console.log('ready'))`
  const { argv } = commandAt(rig.lab, { port: port(name) }, [process.execPath, '-e', script])
  const [file = '', ...args] = argv
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the sink at ${name} ended with ${code}`)))
  })
  return child
}

/** As much TCP as goes, for some seconds. What the sender's kernel took is what was sent, but for a buffer at the end. */
async function secondsPerGigabyte(rig: Rig, address: string, seconds: number): Promise<number> {
  const script = `const s = require('net').connect(${SINK}, '${address}', () => {
    const chunk = Buffer.alloc(65536); const began = performance.now()
    const more = () => { if (performance.now() - began > ${seconds * 1000}) {
      console.log(s.bytesWritten - s.writableLength, performance.now() - began); s.destroy(); return }
      if (s.write(chunk)) setImmediate(more); else s.once('drain', more) }
    more() })`
  const [bytes = Number.NaN, ms = Number.NaN] = (await execOk(rig.lab, { port: port('from') }, [process.execPath, '-e', script]))
    .split(' ')
    .map(Number)
  return (ms * 1e6) / bytes
}

async function roundTrip(rig: Rig, address: string): Promise<number> {
  const text = await execOk(rig.lab, { port: port('from') }, ['ping', '-q', '-n', '-i', '0.005', '-c', String(PINGS), address])
  return Number(/= [\d.]+\/([\d.]+)\//.exec(text)?.[1])
}
