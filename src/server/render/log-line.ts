import { protocolName } from '../../lib/ip-protocol.ts'
import { visible } from '../../lib/text-table.ts'
import { displayKey, type Key, keyParts } from '../../model/key.ts'
import { isPacket, type LogLine, type Origin, type PacketEntry } from '../../model/log-entry.ts'
import { penOf, type RenderStyle } from './style.ts'

const COMMIT_DIGITS = 12

/** One line for people: `2026-03-01T10:00:00.000Z h1 ACCEPT ingress db tcp 10.0.0.5:41234 > 10.0.0.9:5432  tcp 5432 from group web (web.yaml:14:7, git 9f2c1ab04b1d "web: …")`. */
export function renderLogLine(line: LogLine, style: RenderStyle = {}): string {
  const pen = penOf(style)
  const head = `${pen.dim(visible(line.time))} ${visible(line.host)}`
  if (!isPacket(line)) {
    if ('lost' in line) return `${head} ${line.lost} lines did not reach the server while it was away; the host's own file has them`
    return `${head} ${line.verdict} ${line.suppressed} more packets in a second were not written down (network_log of netloom.yaml)`
  }
  const verdict = line.verdict === 'ACCEPT' ? pen.green(line.verdict) : pen.red(line.verdict)
  return visible(`${head} ${verdict} ${line.direction} ${nameOf(line.port)} ${packetText(line)}  ${whyText(line)}`)
}

function packetText(entry: PacketEntry): string {
  const { protocol, src, dst, src_port: from, dst_port: to, icmp_type: type, icmp_code: code, ethertype } = entry
  const end = (ip: string, port: number | undefined): string =>
    port === undefined ? ip : ethertype === 'IPv6' ? `[${ip}]:${port}` : `${ip}:${port}`
  const icmp = type === undefined ? '' : ` type ${type} code ${code ?? 0}`
  return `${protocolName(protocol)}${icmp} ${end(src, from)} > ${end(dst, to)}`
}

/** The rule, or why there is none; with places, and what last changed them. */
function whyText(entry: PacketEntry & Origin): string {
  const changed = changedText(entry.changed)
  if (entry.rule !== undefined) {
    const where = [entry.place ?? 'a rule that every group has', ...changed].join(', ')
    return `${entry.rule}, rule of ${nameOf(entry.group ?? entry.port)} (${where})`
  }
  const { groups, places = [] } = entry
  if (groups.length === 0) return 'the port is in no group'
  const said = groups.map((group, i) => `${nameOf(group)}${places[i] == null ? '' : ` (${places[i]})`}`).join(', ')
  const because = changed.length === 0 ? '' : `; ${changed.join(', ')}`
  if (entry.cause === 'invalid') return `belongs to no connection; groups ${said}${because}`
  const what = entry.cause === 'refused' ? 'lets the connection pass any more' : `lets it ${entry.direction === 'ingress' ? 'in' : 'out'}`
  return `no rule of ${said} ${what}${because}`
}

function changedText(changed: Origin['changed']): readonly string[] {
  if (changed === undefined) return []
  const { revision, commit, subject } = changed
  if (commit === undefined) return [`revision ${revision}`]
  return [`git ${commit.slice(0, COMMIT_DIGITS)}${commit.endsWith('+') ? '+' : ''} "${subject ?? ''}"`]
}

/** `web`, `shop/web` */
function nameOf(key: Key): string {
  const { kind } = keyParts(key)
  return displayKey(key).slice(kind.length + 1)
}
