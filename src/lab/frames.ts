import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Key } from '../model/key.ts'
import { LabError } from './errors.ts'
import { FRAME_PROGRAM } from './frame-program.ts'
import { findGuest, findHost, type Lab } from './lab.ts'
import { guestNetns, hostNetns, wireNetns } from './names.ts'
import { GUEST_INTERFACE, UNDERLAY_BRIDGE } from './spec.ts'
import { cablesOf, segmentName } from './wire.ts'

/**
 * Where frames are read and written: a guest's interface; an interface of a host; or the far end of a host's cable (`cable` is `underlay` or a
 * physical network), which sees what the host sends into that network, and from where a frame comes to the host as from the network; or any interface.
 */
export type FramePlace =
  | { readonly port: Key }
  | { readonly host: string; readonly interface: string }
  | { readonly host: string; readonly cable: string }
  | { readonly netns: string; readonly interface: string }

export interface Frame {
  /** The whole frame with its VLAN tags, without checksum. */
  readonly bytes: Buffer
  /** Whom it was for, as the interface saw it. A switch that leaks other guests' unicast is found by `other`. */
  readonly for: 'us' | 'broadcast' | 'multicast' | 'other'
}

const WHOM: readonly Frame['for'][] = ['us', 'broadcast', 'multicast', 'other']

/**
 * A raw socket in a lab: sends any frame as if the guest had made it, past its kernel, and keeps every frame that comes in (what is sent
 * there is not seen). Close it, or the process does not end.
 */
export class FrameSocket {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #frames: Frame[] = []
  readonly #watchers: Set<() => void> = new Set()
  #trouble: string | undefined

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#child = child
    child.stdin.on('error', () => {})
    child.stderr.on('data', (text: Buffer) => this.#fail(text.toString().trim()))
    child.on('error', (error) => this.#fail(error.message))
    child.on('close', () => this.#fail('the raw socket was closed'))
  }

  /** `toPorts`: of what comes in only TCP and UDP to these is kept; a port that is busy otherwise costs nothing. @throws LabError `command_failed` when the interface does not exist. */
  static async open(lab: Lab, place: FramePlace, toPorts: readonly number[] = []): Promise<FrameSocket> {
    const { netns, link } = locate(lab, place)
    const argv = [`--net=/run/netns/${netns}`, 'perl', '-e', FRAME_PROGRAM, link, ...toPorts.map(String)]
    const child = spawn('nsenter', argv, { stdio: ['pipe', 'pipe', 'pipe'] })
    const socket = new FrameSocket(child)
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => (line === 'ready' ? resolve() : socket.#onLine(line)))
      child.once('close', () => reject(new LabError('command_failed', `no raw socket on ${link} in ${netns}: ${socket.#trouble}`)))
    })
    return socket
  }

  /** Sends a frame, destination MAC first, without checksum. */
  send(frame: Uint8Array): void {
    if (this.#trouble !== undefined) throw new LabError('command_failed', this.#trouble)
    this.#child.stdin.write(`${Buffer.from(frame).toString('hex')}\n`)
  }

  /** All frames that came in until now, oldest first. */
  received(): readonly Frame[] {
    return this.#frames
  }

  /** Forgets what came in until now. */
  clear(): void {
    this.#frames.length = 0
  }

  /** The first frame, past or future, that `wanted` accepts; undefined when none came in time. */
  waitFor(wanted: (frame: Frame) => boolean, timeoutMs: number): Promise<Frame | undefined> {
    return new Promise((resolve) => {
      const done = (frame: Frame | undefined): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve(frame)
      }
      const look = (): void => {
        const found = this.#frames.find(wanted)
        if (found !== undefined) done(found)
      }
      const timer = setTimeout(() => done(undefined), timeoutMs)
      this.#watchers.add(look)
      look()
    })
  }

  close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      this.#child.on('close', () => resolve())
      this.#child.stdin.end()
    })
  }

  #onLine(line: string): void {
    const [type, hex] = line.split(' ')
    const whom = WHOM[Number(type)]
    if (type === 'error') this.#fail(line)
    if (whom === undefined || hex === undefined) return
    this.#frames.push({ bytes: Buffer.from(hex, 'hex'), for: whom })
    for (const look of [...this.#watchers]) look()
  }

  #fail(reason: string): void {
    this.#trouble ??= reason
  }
}

function locate(lab: Lab, place: FramePlace): { netns: string; link: string } {
  if ('port' in place) return { netns: guestNetns(lab.tag, findGuest(lab, place.port).port), link: GUEST_INTERFACE }
  if ('netns' in place) return { netns: place.netns, link: place.interface }
  const host = findHost(lab, place.host)
  if ('interface' in place) return { netns: hostNetns(lab.tag, host.name), link: place.interface }
  const segment = place.cable === 'underlay' ? 'underlay' : segmentName(place.cable)
  const cable = cablesOf(lab.spec, host, UNDERLAY_BRIDGE).find((c) => c.segment === segment)
  if (cable === undefined) throw new LabError('no_such_host', `host ${host.name} has no cable into ${place.cable}`)
  return { netns: wireNetns(lab.tag), link: cable.wireEnd }
}
