import type { Lowered } from '../../kinds/kind.ts'
import { sameJson } from '../../lib/json.ts'
import type { Scope } from '../../model/scope.ts'
import type { Run } from './run.ts'

/** How many more resources than before say it: that a host needs a scope, or that there is a way from one scope to another. */
type Counts<A extends string> = Map<A, Map<Scope, number>>

/** Collects what resources need now and did not before, and brings every host's needs up to date. */
export interface NeedChanges {
  replace(before: Lowered, after: Lowered): void
  finish(run: Run): void
}

export function needChanges(): NeedChanges {
  const needs: Counts<string> = new Map()
  const ways: Counts<Scope> = new Map()
  return {
    replace(before, after) {
      if (before === after) return
      if (!sameJson(before.needs, after.needs)) {
        for (const { host, scope } of after.needs) count(needs, host, scope, 1)
        for (const { host, scope } of before.needs) count(needs, host, scope, -1)
      }
      for (const { from, to } of after.ways ?? []) count(ways, from, to, 1)
      for (const { from, to } of before.ways ?? []) count(ways, from, to, -1)
    },
    finish(run) {
      const turned = changeWays(run, ways)
      for (const host of changeNeeds(run, needs)) turned.add(host)
      for (const host of turned) followWays(run, host)
    },
  }
}

function count<A extends string>(counts: Counts<A>, outer: A, scope: Scope, by: 1 | -1): void {
  let own = counts.get(outer)
  if (own === undefined) {
    own = new Map()
    counts.set(outer, own)
  }
  own.set(scope, (own.get(scope) ?? 0) + by)
}

/** Hosts that were at the beginning of a way that came or went. */
function changeWays({ state: { ways, hosts } }: Run, changes: Counts<Scope>): Set<string> {
  const turned = new Set<string>()
  for (const [from, own] of changes) {
    for (const [to, by] of own) {
      const old = ways.get(from, to) ?? 0
      if (by === 0) continue
      if (old + by === 0) ways.delete(from, to)
      else ways.set(from, to, old + by)
      if (old === 0 || old + by === 0) for (const [host] of hosts.inner(from)) turned.add(host)
    }
  }
  return turned
}

/** Hosts that came to, or left, the beginning of a way. */
function changeNeeds(run: Run, changes: Counts<string>): Set<string> {
  const turned = new Set<string>()
  const { needs, led, ways } = run.state
  for (const [host, own] of changes) {
    for (const [scope, by] of own) {
      if (by === 0) continue
      const old = (needs.get(host, scope) ?? 0) - (led.get(host, scope) ?? 0)
      addNeed(run, host, scope, by)
      if ((old === 0 || old + by === 0) && ways.size(scope) > 0) turned.add(host)
    }
  }
  return turned
}

/** What a host's ways lead to counts as one more reason to need it. */
function followWays(run: Run, host: string): void {
  const { needs, led, ways } = run.state
  const reached = new Set<Scope>()
  const open = [...needs.inner(host)].flatMap(([scope, reasons]) => (reasons > (led.get(host, scope) ?? 0) ? [scope] : []))
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const [to] of ways.inner(at)) {
      if (reached.has(to)) continue
      reached.add(to)
      open.push(to)
    }
  }
  const before = new Set([...led.inner(host)].map(([scope]) => scope))
  for (const scope of reached) {
    if (before.has(scope)) continue
    led.set(host, scope, 1)
    addNeed(run, host, scope, 1)
  }
  for (const scope of before) {
    if (reached.has(scope)) continue
    led.delete(host, scope)
    addNeed(run, host, scope, -1)
  }
}

function addNeed({ state: { needs, hosts }, hosts: touched }: Run, host: string, scope: Scope, by: number): void {
  const old = needs.get(host, scope) ?? 0
  if (old + by === 0) {
    needs.delete(host, scope)
    hosts.delete(scope, host)
  } else {
    needs.set(host, scope, old + by)
    hosts.set(scope, host, old + by)
  }
  if (old === 0 || old + by === 0) touched.add(host)
}
