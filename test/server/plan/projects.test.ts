import test from 'ava'
import { compareIssues, type Issue } from '../../../src/model/issue.ts'
import { issuesOf } from '../../../src/server/engine/issues.ts'
import { projectNameIssues } from '../../../src/server/plan/project-names.ts'
import { quotaUses } from '../../../src/server/plan/quota.ts'
import { quotaIssues } from '../../../src/server/plan/quota-issues.ts'
import { renderQuota } from '../../../src/server/render/quota.ts'
import { kinds } from '../../support/kinds.ts'
import { build, engine, write } from '../../support/world.ts'
import { locate, testCases } from './case-file.ts'

function run(source: string): string {
  const [before = '', after = ''] = source.split(/^then\n/m)
  const base = build(before)
  const { declared } = write(after)
  const now = new Set(declared.map((d) => d.key))
  const del = [...base.declared.keys()].filter((key) => !now.has(key))
  const { world } = engine.step(base, { set: declared, del }, { now: 0 })
  const change = { base, world, kinds, locate }
  const issues = [...issuesOf(world, locate, base), ...quotaIssues(change), ...projectNameIssues(change)]
  return issues.sort(compareIssues).map(issueText).join('\n') || 'nothing is wrong'
}

function issueText({ code, place, message, label, related, hint }: Issue): string {
  const others = (related ?? []).map((r) => ` (${r.place?.file}: ${r.message})`).join('')
  return `${code} ${place?.file}: ${message}${label === undefined ? '' : ` [${label}]`}${others}${hint === undefined ? '' : ` → ${hint}`}`
}

testCases('projects.txt', run)

const TWO = `quotas: { shop: { ports: 2 }, '*': { networks: 1 } }
---
project: shop
networks: { n: {} }
ports: { a: { network: n } }
---
networks: { m: {} }
`

test('limits and what is used of them', (t) => {
  const used = quotaUses(build(TWO), kinds).filter((use) => use.used > 0 || use.limit >= 0)
  t.is(
    renderQuota(used).trimEnd(),
    `PROJECT  RESOURCE         LIMIT  USED  FREE
default  networks             1     1     0
shop     networks             1     1     0
shop     ports                2     1     1
shop     security_groups      -     1     -`,
  )
})

test('a count follows what is declared: created twice, deleted, again', (t) => {
  const world = build(TWO)
  const gone = engine.step(world, { set: [], del: [...world.declared.keys()].filter((k) => k.startsWith('port/')) }, { now: 0 }).world
  const again = engine.step(gone, { set: write(TWO).declared, del: [] }, { now: 0 }).world
  const ports = (w: typeof world): unknown => quotaUses(w, kinds).find((u) => u.project === 'shop' && u.kind === 'port')?.used
  t.deepEqual([ports(world), ports(gone), ports(again)], [1, 0, 1])
})
