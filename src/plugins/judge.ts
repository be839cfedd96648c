import { deepFreeze } from '../lib/freeze.ts'
import { isRecord } from '../lib/json.ts'
import type { Finding } from '../model/issue.ts'
import { displayKey, type Key } from '../model/key.ts'
import type { CallbackWorlds, Subscribed, VetoSubscription } from './callbacks.ts'
import { type Call, callsOf, judgesAt, type PlannedChange } from './notify.ts'

/** Runs a judge and tells what it began that goes on after it has answered: names of asynchronous resources, as Node calls them. */
export type Watched = (judge: () => unknown) => { readonly answer: unknown; readonly began: readonly string[] }

/** What a subscriber says of one change; its message names the subscriber. */
export interface Verdict {
  readonly key: Key
  readonly finding: Finding
}

export interface Judging {
  readonly stage: 'before' | 'precommit'
  readonly subscriptions: readonly Subscribed[]
  readonly changes: Iterable<PlannedChange>
  readonly worlds: CallbackWorlds
  readonly watched: Watched
}

/** Asks every judge about every change that concerns it. One that fails is not asked again: its fault refuses the plan, once. */
export function judgeChanges({ stage, subscriptions, changes, worlds, watched }: Judging): readonly Verdict[] {
  const verdicts: Verdict[] = []
  const faulty = new Set<Subscribed>()
  const frozen: CallbackWorlds = {
    before: (key) => deepFreeze(worlds.before(key)),
    after: (key) => deepFreeze(worlds.after(key)),
  }
  for (const call of callsOf(judgesAt(subscriptions, stage), changes)) {
    if (faulty.has(call.subscription)) continue
    const { key } = call.event
    const said = ask(call, frozen, watched)
    if ('fault' in said) {
      faulty.add(call.subscription)
      verdicts.push({ key, finding: said.fault })
    } else for (const finding of said.findings) verdicts.push({ key, finding: signed(finding, call) })
  }
  return verdicts
}

type Said = { readonly findings: readonly Finding[] } | { readonly fault: Finding }

function ask(call: Call<VetoSubscription>, worlds: CallbackWorlds, watched: Watched): Said {
  const { subscription, event } = call
  try {
    const { answer, began } = watched(() => subscription.judge(deepFreeze(event), worlds))
    if (answer instanceof Promise) answer.catch(() => undefined)
    if (began.length > 0) return { fault: fault(call, 'E0722', `it began something while judging (${[...new Set(began)].join(', ')})`) }
    if (!isFindings(answer)) return { fault: fault(call, 'E0721', 'its answer is no list of findings (code, message)') }
    return { findings: answer }
  } catch (error) {
    return { fault: fault(call, 'E0720', `it failed: ${(error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''}`) }
  }
}

function fault({ subscription, event }: Call, code: string, why: string): Finding {
  const { plugin, name, stage } = subscription
  return {
    code,
    message: `plugin ${plugin} cannot judge the ${event.verb} of ${displayKey(event.key)} (${stage} ${name}): ${why}`,
    hint: `this is a fault of the plugin, not of the repository: mend it, or take ${plugin} out of service_plugins in netloom.yaml`,
  }
}

/** The finding, with who says it. */
function signed(finding: Finding, { subscription, event }: Call): Finding {
  const { plugin, name, stage } = subscription
  const refuses = (finding.severity ?? 'error') === 'error' ? ` refuses the ${event.verb} of ${displayKey(event.key)}` : ''
  return { ...finding, message: `plugin ${plugin}${refuses} (${stage} ${name}): ${finding.message}` }
}

const SEVERITIES: readonly unknown[] = [undefined, 'error', 'warning', 'note']

function isFindings(answer: unknown): answer is readonly Finding[] {
  return Array.isArray(answer) && answer.every(isFinding)
}

function isFinding(value: unknown): value is Finding {
  if (!isRecord(value) || typeof value['code'] !== 'string' || typeof value['message'] !== 'string') return false
  const { at, related } = value
  return (
    SEVERITIES.includes(value['severity']) && (at === undefined || Array.isArray(at)) && (related === undefined || Array.isArray(related))
  )
}
