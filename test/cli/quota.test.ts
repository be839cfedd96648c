import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { netloom } from './netloom.ts'

const repo = (ports: string): string => `quotas: { '*': { networks: 1 }, shop: { ports: 2 } }
---
project: shop
networks: { blue: {} }
ports: { ${ports} }
`

test('limits are shown, and kept by plan and apply', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-quota-'))
  const file = join(dir, 'a.yaml')
  await writeFile(file, repo('a: { network: blue }, b: { network: blue }'))
  await netloom('apply', '--dir', dir)
  const shown = await netloom('quota', 'shop', '--dir', dir)
  t.deepEqual(
    shown.out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ +/).join(' '))
      .filter((line) => !line.includes('- 0 -')),
    ['PROJECT RESOURCE LIMIT USED FREE', 'shop networks 1 1 0', 'shop ports 2 2 0', 'shop security_groups - 1 -'],
  )
  const { quotas } = JSON.parse((await netloom('quota', '--json', '--dir', dir)).out) as { quotas: unknown }
  t.deepEqual(quotas, [
    { project: 'shop', resource: 'networks', limit: 1, used: 1, free: 0 },
    { project: 'shop', resource: 'ports', limit: 2, used: 2, free: 0 },
    { project: 'shop', resource: 'security_groups', limit: -1, used: 1, free: null },
  ])

  await writeFile(file, repo('a: { network: blue }, b: { network: blue }, c: { network: blue }'))
  const refused = await netloom('apply', '--dir', dir)
  t.is(refused.code, 1)
  t.regex(refused.out + refused.err, /E0280.*limit 2, 2 used, 1 wanted \(c\)/)
  t.regex((await netloom('quota', 'shop', '--dir', dir)).out, /ports +2 +2 +0/)
})

test('a project that is misspelt', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-quota-'))
  await writeFile(join(dir, 'a.yaml'), repo('a: { network: blue }'))
  await netloom('apply', '--dir', dir)
  const ended = await netloom('quota', 'shpo', '--dir', dir)
  t.deepEqual([ended.code, ended.err], [1, 'netloom: project shpo has neither a resource nor a quota\n  fix: did you mean shop?\n'])
})
