import { count } from '../../lib/text.ts'
import { cutText, textWidth, visible } from '../../lib/text-table.ts'
import { displayKey } from '../../model/key.ts'
import type { Change, GitInfo, GuardVerdict, Plan } from '../plan/types.ts'
import { deletionLines, formatHosts, groupLines, SIGNS, tint } from './change.ts'
import { groupChanges } from './group.ts'
import { type Pen, penOf, type RenderStyle } from './style.ts'

/**
 * A plan for people: one block per change, deletions first and said aloud, then what blocks it, a summary, and what to type next. The
 * same plan is the same text, byte for byte. Notes (warnings) are not part of it: see `renderIssues`.
 */
export function renderPlan(plan: Plan, style: RenderStyle = {}, where: readonly string[] = []): string {
  const pen = penOf(style)
  if (plan.changes.length === 0) return pen.finish([...noChanges(plan), ...plan.blocked.flatMap((v) => guardLines(v, pen))])
  return pen.finish([
    headLine(plan, pen),
    '',
    ...deletionLines(
      plan.changes.filter((c) => c.action === 'delete'),
      pen,
    ),
    ...groupChanges(
      plan.changes.filter((c) => c.action !== 'delete'),
      pen.verbose,
    ).flatMap((group) => groupLines(group, pen)),
    ...plan.blocked.flatMap((verdict) => [...guardLines(verdict, pen), '']),
    ...summaryLines(plan, pen),
    lastLine(plan, pen, where),
  ])
}

/** The one line of a plan that changes nothing. */
function noChanges(plan: Plan): readonly string[] {
  const base = plan.base === 0 ? 'nothing is declared, and there is no revision yet' : `the repo is what revision ${plan.base} says`
  const rewritten = plan.ops.set.length
  const note = rewritten === 0 ? '' : ` (${count(rewritten, 'resource')} written differently, to the same effect)`
  return [`No changes. ${base[0]?.toUpperCase()}${base.slice(1)}${note}.`]
}

function headLine(plan: Plan, pen: Pen): string {
  const base = plan.base === 0 ? 'The first revision' : `Changes to revision ${plan.base}`
  return pen.dim(`${base}${plan.git === undefined ? '' : ` ${pen.arrow} git ${formatGit(plan.git)}`}`)
}

export function formatGit(git: GitInfo): string {
  const dirty = git.dirty ? ', with changes that are not committed' : ''
  return `${visible(git.commit.slice(0, 12))} "${visible(git.subject)}" by ${visible(git.author)}${dirty}`
}

/** What blocks, its cause, and what to type if it is meant. */
export function guardLines(verdict: GuardVerdict, pen: Pen): readonly string[] {
  const { guard, message, cause, override } = verdict
  const way = override === undefined ? 'this cannot be overridden' : `if meant: ${override}   (recorded; the number must match the plan)`
  return [
    pen.red(pen.bold(`${pen.times} blocked by guard ${guard}: ${visible(message)}`)),
    ...(cause === undefined ? [] : [`  cause: ${visible(cause)}`]),
    `  ${way}`,
  ]
}

/** A line per action that names what it takes, deletions first; then the hosts. */
function summaryLines(plan: Plan, pen: Pen): readonly string[] {
  const of = (action: Change['action']): readonly Change[] => plan.changes.filter((c) => c.action === action)
  const named = (['delete', 'recreate', 'create', 'update'] as const).flatMap((action) => {
    const names = of(action).map((c) => visible(displayKey(c.key)))
    if (names.length === 0) return []
    const head = `  ${SIGNS[action].padEnd(3)} ${names.length}  `
    const whole = pen.verbose || action === 'delete' || action === 'recreate'
    const room = pen.width - textWidth(head)
    const lines = whole ? wrapWords(names, room) : [cutText(names.join(', '), room, pen.ellipsis)]
    return lines.map((line, i) => tint(pen, action)(`${i === 0 ? head : ' '.repeat(head.length)}${line}`))
  })
  const hosts = plan.hosts.length === 0 ? 'Hosts    none changes' : `Hosts    ${plan.hosts.length}: ${formatHosts(plan.hosts, pen)}`
  return ['Summary', ...named, hosts]
}

function lastLine(plan: Plan, pen: Pen, where: readonly string[]): string {
  const { create, update, delete: gone, recreate } = plan.summary
  const again = recreate === 0 ? '' : `, ${recreate} to delete and create again`
  const counts = `${create} to create, ${update} to update, ${gone} to delete${again}`
  return `${pen.bold(`Plan ${plan.id}: ${counts}`)}   ${nextStep(plan, where)}`
}

/** `where`: the options that make `netloom apply` find this plan from where it was asked for. */
function nextStep(plan: Plan, where: readonly string[]): string {
  if (plan.blocked.some((v) => v.override === undefined)) return 'next: mend the repo; this plan cannot be applied'
  if (plan.notes.some((note) => note.severity === 'error')) return 'next: mend the errors; this plan cannot be applied'
  const overrides = plan.blocked.flatMap((v) => v.override ?? [])
  const reason = overrides.length > 0 ? ['--reason WHY'] : []
  return `next: ${['netloom apply', plan.id, ...where, ...overrides, ...reason].join(' ')}`
}

/** Words in lines of at most `room` columns, a comma after each but the last. */
function wrapWords(words: readonly string[], room: number): readonly string[] {
  const lines: string[] = []
  words.forEach((word, i) => {
    const text = i === words.length - 1 ? word : `${word},`
    const last = lines.at(-1)
    if (last !== undefined && textWidth(last) + 1 + textWidth(text) <= room) lines[lines.length - 1] = `${last} ${text}`
    else lines.push(text)
  })
  return lines
}
