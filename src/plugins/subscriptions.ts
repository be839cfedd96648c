import { isRecord } from '../lib/json.ts'
import { didYouMean } from '../lib/suggest.ts'
import type { Issue } from '../model/issue.ts'
import type { ChosenPlugin, MadePlugin } from './conflicts.ts'

const STAGES = ['before', 'precommit', 'after', 'abort', 'system']
const VERBS = ['create', 'update', 'delete']
const EVENTS = ['process/after_start', 'process/before_stop', 'agent/new', 'agent/revived', 'agent/down']

/** Subscriptions that could never be called as they are meant: a word that does not exist, a kind nobody brings, a name used twice. */
export function subscriptionIssues(made: readonly MadePlugin[]): readonly Issue[] {
  const kinds = ['*', 'site', ...made.flatMap(({ kinds: own }) => own.map((k) => k.definition.kind))]
  return made.flatMap(({ plugin }) => {
    const subscriptions: unknown = plugin.plugin.subscriptions ?? []
    if (!Array.isArray(subscriptions)) return [issue(plugin, 'E0723', 'its `subscriptions` are no list')]
    const names = new Set<unknown>()
    return subscriptions.flatMap((subscription: unknown) => {
      if (!isRecord(subscription) || typeof subscription['name'] !== 'string' || subscription['name'] === '')
        return [issue(plugin, 'E0723', 'a subscription has no name')]
      const { name } = subscription
      const twice = names.has(name) ? [issue(plugin, 'E0724', `two subscriptions are called ${name}`)] : []
      names.add(name)
      return [...twice, ...faultsOf(subscription, kinds).map((why) => issue(plugin, 'E0723', `subscription ${name}: ${why}`))]
    })
  })
}

function faultsOf(subscription: Readonly<Record<string, unknown>>, kinds: readonly string[]): readonly string[] {
  const { stage, priority } = subscription
  if (!STAGES.includes(stage as string)) return [unknownWord('stage', stage, STAGES)]
  const does = stage === 'before' || stage === 'precommit' ? 'judge' : 'act'
  return [
    ...(stage === 'system' ? [] : kinds.includes(subscription['kind'] as string) ? [] : [unknownWord('kind', subscription['kind'], kinds)]),
    ...(stage === 'system' ? wordsOf(subscription, 'events', EVENTS) : wordsOf(subscription, 'verbs', VERBS)),
    ...(Object.hasOwn(subscription, does) && typeof subscription[does] === 'function' ? [] : [`it has no function ${does} of its own`]),
    ...(priority === undefined || Number.isFinite(priority) ? [] : ['its priority is no number']),
  ]
}

function wordsOf(subscription: Readonly<Record<string, unknown>>, name: string, known: readonly string[]): readonly string[] {
  const words = subscription[name]
  if (!Array.isArray(words) || words.length === 0) return [`its ${name} are no list of ${known.join(', ')}`]
  return words.filter((word) => !known.includes(word as string)).map((word) => unknownWord(name.slice(0, -1), word, known))
}

function unknownWord(what: string, word: unknown, known: readonly string[]): string {
  const near = typeof word === 'string' ? didYouMean(word, known) : undefined
  return `${what} ${String(word)} does not exist (${near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`})`
}

function issue({ plugin, place }: ChosenPlugin, code: string, why: string): Issue {
  return {
    code,
    severity: 'error',
    message: `plugin ${plugin.name}: ${why}`,
    ...(place === undefined ? {} : { place }),
    hint: `this is a fault of the plugin: mend it, or take ${plugin.name} out of service_plugins in netloom.yaml`,
  }
}
