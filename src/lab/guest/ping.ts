import { spawn } from 'node:child_process'
import { nowMs } from './clock.ts'
import type { GuestAsk, ProbeAnswer } from './protocol.ts'

const INTERVAL_S = 0.2

/** ICMP or ICMPv6 echo with the system's ping. Without `count`: until the first answer. */
export function ping(ask: Extract<GuestAsk, { op: 'ping' }>): Promise<ProbeAnswer> {
  const start = nowMs()
  const count = ask.count ?? 1
  const seconds = ask.timeout_ms / 1000
  const args = ['-n', '-q', '-i', `${INTERVAL_S}`, '-c', `${count}`]
  // With a deadline ping goes on sending until so many are answered; without, it sends so many and waits.
  args.push(...(ask.count === undefined ? ['-w', `${Math.ceil(seconds)}`] : ['-W', `${seconds}`]))
  if (ask.size !== undefined) args.push('-s', `${ask.size}`)
  if (ask.df === true) args.push('-M', 'do')
  return new Promise((resolve) => {
    const child = spawn('ping', [...args, ask.address], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: ask.timeout_ms + count * INTERVAL_S * 1000 + 500,
    })
    let said = ''
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString()
    })
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString()
    })
    child.on('error', (error) => resolve({ ok: false, ms: nowMs() - start, detail: error.message }))
    child.on('close', () => resolve(readPing(said, nowMs() - start)))
  })
}

/** The line `3 packets transmitted, 3 received, 0% packet loss`. */
function readPing(said: string, ms: number): ProbeAnswer {
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(said)
  const sent = Number(counts?.[1] ?? 0)
  const received = Number(counts?.[2] ?? 0)
  if (received > 0) return { ok: true, ms, sent, received }
  const reason = /^(?:From .*|ping: .*)$/m.exec(said)?.[0]
  return { ok: false, ms, sent, received, detail: reason ?? 'no answer' }
}
