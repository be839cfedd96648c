import type { LogEntry, PacketEntry, Verdict } from '../../../../src/model/log-entry.ts'
import { type LoggedPort, type LoggedRule, type Logging, saidIn } from '../compile/logged.ts'
import type { MeterStats } from '../openflow/meters.ts'
import { readHeaders } from './headers.ts'
import type { Trapped } from './packet-channel.ts'

export interface ConnectionLogOptions {
  readonly onEntry: (entry: LogEntry) => void
  /** Undefined: nobody can tell now. */
  readonly meterStats: () => Promise<readonly MeterStats[] | undefined>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly setTimer: (ms: number, fn: () => void) => { cancel(): void }
}

/** How often it is asked, while something is logged, how much the meters held back. */
const COUNT_MS = 1000
/** What comes although a meter should have held it back (somebody changed it) is not written down beyond so many times the limit. */
const TOLERANCE = 2

/** MLD and neighbour discovery, which connection tracking calls invalid: every guest that starts sends some to all, and no rule is about them. */
const HOUSEKEEPING: ReadonlySet<number> = new Set([130, 131, 132, 133, 134, 135, 136, 137, 143])

function isHousekeeping({ protocol, icmp_type: type }: Pick<PacketEntry, 'protocol' | 'icmp_type'>): boolean {
  return protocol === 58 && type !== undefined && HOUSEKEEPING.has(type)
}

/** Tells what flows sent here: which rule, whose packet. What meters or this itself held back is counted, once a second. */
export class ConnectionLog {
  readonly #options: ConnectionLogOptions
  #now: Logging | undefined
  /** What held before: packets of flows that were just replaced may still come. */
  #before: Logging | undefined
  readonly #tokens: Map<Verdict, { left: number; at: number }> = new Map()
  readonly #suppressed: Map<Verdict, number> = new Map()
  /** By meter, as last counted; undefined: not yet, so that nobody knows what was before. */
  #counted: ReadonlyMap<number, number> | undefined
  #timer: { cancel(): void } | undefined
  #heard = false

  constructor(options: ConnectionLogOptions) {
    this.#options = options
  }

  /** What is about to be desired. */
  know(logging: Logging | undefined): void {
    this.#before = this.#now
    this.#now = logging
  }

  /** Counts of before mean nothing: the switch may be another. */
  restart(): void {
    this.#counted = undefined
    this.#countNow()
  }

  take(packet: Trapped): void {
    const entry = this.#read(packet)
    if (entry === undefined) return
    this.#heard = true
    this.#countLater()
    if (this.#mayPass(entry.verdict)) this.#options.onEntry(entry)
    else this.#suppress(entry.verdict, 1)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #read({ data, metadata, packet, length }: Trapped): PacketEntry | undefined {
    const said = saidIn(data)
    if (said === undefined) return undefined
    const { direction, cause } = said
    const number = Number((direction === 'egress' ? metadata.reg1 : metadata.reg2)?.value ?? 0n)
    const port = this.#port(number)
    const logs = cause === undefined ? port?.accept : port?.drop
    const headers = readHeaders(packet)
    if (port === undefined || logs === undefined || logs.length === 0 || headers === undefined) return undefined
    if (cause === 'invalid' && isHousekeeping(headers)) return undefined
    const rule = cause === undefined ? this.#rule(Number(metadata.reg10?.value ?? 0n)) : undefined
    // A later fragment, which is let on with the first: that one names the rule.
    if (cause === undefined && rule?.direction !== direction) return undefined
    return {
      time: new Date(this.#options.now()).toISOString(),
      verdict: cause === undefined ? 'ACCEPT' : 'DROP',
      direction,
      port: port.port,
      logs,
      groups: port.groups,
      ...(rule === undefined ? {} : { group: rule.group, rule: rule.words }),
      ...(cause === undefined ? {} : { cause }),
      ...headers,
      bytes: length,
    }
  }

  #port(number: number): LoggedPort | undefined {
    return this.#now?.ports.get(number) ?? this.#before?.ports.get(number)
  }

  #rule(number: number): LoggedRule | undefined {
    return this.#now?.rules.get(number) ?? this.#before?.rules.get(number)
  }

  /** A token bucket for each verdict. */
  #mayPass(verdict: Verdict): boolean {
    const { rate, burst } = (this.#now ?? this.#before)?.limit ?? { rate: 0, burst: 0 }
    const most = (rate + burst) * TOLERANCE
    const now = this.#options.now()
    const before = this.#tokens.get(verdict) ?? { left: most, at: now }
    const left = Math.min(most, before.left + (Math.max(0, now - before.at) / 1000) * rate * TOLERANCE)
    this.#tokens.set(verdict, { left: left >= 1 ? left - 1 : left, at: now })
    return left >= 1
  }

  #suppress(verdict: Verdict, count: number): void {
    this.#suppressed.set(verdict, (this.#suppressed.get(verdict) ?? 0) + count)
  }

  #countLater(): void {
    this.#timer ??= this.#options.setTimer(COUNT_MS, () => this.#countNow())
  }

  #countNow(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#heard = false
    void this.#options.meterStats().then((stats) => {
      this.#tellSuppressed(stats)
      if (this.#heard) this.#countLater()
    })
  }

  #tellSuppressed(stats: readonly MeterStats[] | undefined): void {
    const before = this.#counted
    if (stats !== undefined) this.#counted = new Map(stats.map(({ meter, bands }) => [meter, bands[0]?.packets ?? 0]))
    for (const [meter, dropped] of before === undefined || stats === undefined ? [] : (this.#counted ?? [])) {
      const verdict = this.#now?.meters.get(meter)
      const last = before?.get(meter) ?? 0
      // One that was made anew counts from nothing.
      if (verdict !== undefined && dropped !== last) this.#suppress(verdict, dropped > last ? dropped - last : dropped)
    }
    const time = new Date(this.#options.now()).toISOString()
    for (const [verdict, suppressed] of this.#suppressed) this.#options.onEntry({ time, verdict, suppressed })
    this.#heard ||= this.#suppressed.size > 0
    this.#suppressed.clear()
  }
}
