import { writtenRules } from '../kinds/security_group/check.ts'
import { lowerRule } from '../kinds/security_group/lower.ts'
import type { Rule, SecurityGroupSpec, TemplateRule } from '../kinds/security_group/spec.ts'
import { templateOf } from '../kinds/security_group/template.ts'
import { SITE_KEY } from '../kinds/site/spec.ts'
import type { Place } from '../model/issue.ts'
import { type Key, keyParts } from '../model/key.ts'
import type { Origin, PacketEntry } from '../model/log-entry.ts'
import { ruleWords } from '../model/rule-words.ts'
import type { Controller } from './controller.ts'
import { formatPlace } from './render/change.ts'
import type { Store } from './store/types.ts'

export interface RuleOriginsParts {
  readonly store: Pick<Store, 'lifeOf' | 'resourceAt' | 'revision' | 'placesOf'>
  readonly controller: () => Pick<Controller, 'tree' | 'locate' | 'base'>
}

/** Where the rule stands that let a packet pass, or the groups none of whose rules did, and what last changed them. `revision`: what the host held. */
export type RuleOrigins = (entry: PacketEntry, revision: number) => Promise<Origin>

/** Revisions of a group that are looked through for the one that brought a rule. */
const LOOKED_THROUGH = 200

/** Remembers what was asked for as long as neither the files nor the revision are others: a port says the same few things again and again. */
export function createRuleOrigins({ store, controller }: RuleOriginsParts): RuleOrigins {
  let known = new Map<string, Promise<Origin>>()
  let of: readonly unknown[] = []

  return async (entry, revision) => {
    const now = [controller().tree, controller().base.revision]
    if (now.some((each, i) => each !== of[i])) known = new Map()
    of = now
    const { group, rule, direction, ethertype, groups } = entry
    const about = group === undefined ? groups.join(' ') : `${group} ${direction} ${ethertype} ${rule}`
    const key = `${revision} ${about}`
    const answer = known.get(key) ?? find(entry, revision)
    known.set(key, answer)
    return await answer
  }

  async function find(entry: PacketEntry, revision: number): Promise<Origin> {
    if (entry.group === undefined) {
      const places = await Promise.all(entry.groups.map((group) => placeOfGroup(group)))
      const lives = await Promise.all(entry.groups.map((group) => store.lifeOf(group, revision)))
      const last = Math.max(0, ...lives.map((life) => life.at(-1)?.revision ?? 0))
      return { places: places.map((place) => (place === undefined ? null : formatPlace(place))), ...(await changedIn(last)) }
    }
    const place = placeOfRule(entry, entry.group) ?? (await placeOfGroup(entry.group))
    return {
      ...(place === undefined ? {} : { place: formatPlace(place) }),
      ...(await changedIn(await broughtBy(entry, entry.group, revision))),
    }
  }

  /** As the files are now; else where it stood when it was committed. */
  async function placeOfGroup(group: Key): Promise<Place | undefined> {
    return controller().tree.places.get(group) ?? (await store.placesOf([group])).get(group)
  }

  function placeOfRule(entry: PacketEntry, group: Key): Place | undefined {
    const declared = controller().tree.declared.get(group)
    if (declared === undefined) return undefined
    const is = (rule: Rule): boolean => isRule(rule, entry, group)
    const own = writtenRules(declared.spec).findIndex(is)
    if (own >= 0) return controller().locate(group, ['rules', own])
    const template = controller().tree.declared.get(SITE_KEY)?.spec['default_security_group_rules'] as readonly TemplateRule[] | undefined
    const brought = template === undefined ? undefined : templateOf(declared, template).find(({ rule }) => is(rule))
    return brought === undefined ? undefined : controller().locate(SITE_KEY, ['default_security_group_rules', brought.place])
  }

  /** The oldest of the revisions since which the group has the rule. 0: nobody knows. */
  async function broughtBy(entry: PacketEntry, group: Key, revision: number): Promise<number> {
    let found = 0
    for (const { revision: at } of [...(await store.lifeOf(group, revision))].reverse().slice(0, LOOKED_THROUGH)) {
      const resource = await store.resourceAt(group, at)
      const { rules = [] } = (resource?.spec ?? {}) as Partial<SecurityGroupSpec>
      if (!rules.some((rule) => isRule(rule, entry, group))) break
      found = at
    }
    return found
  }

  async function changedIn(revision: number): Promise<Pick<Origin, 'changed'>> {
    const info = revision === 0 ? undefined : await store.revision(revision)
    if (info === undefined) return {}
    const { git } = info
    return { changed: { revision, ...(git === undefined ? {} : { commit: `${git.commit}${git.dirty ? '+' : ''}`, subject: git.subject }) } }
  }
}

function isRule(rule: Rule, { direction, ethertype, rule: words }: PacketEntry, group: Key): boolean {
  if (rule.direction !== direction || rule.ethertype !== ethertype) return false
  return ruleWords(lowerRule(rule, keyParts(group).project), group) === words
}
