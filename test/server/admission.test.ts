import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type HostKeys, keysOfHosts, openAdmission, parseHostKeys } from '../../src/server/admission.ts'
import { makeKeyPair } from '../../src/wire/keys.ts'

const key = (): string => makeKeyPair(randomBytes).publicKey
const [A, B, C] = [key(), key(), key()]

const hosts = (spec: Readonly<Record<string, string | undefined>>): HostKeys =>
  keysOfHosts(
    Object.entries(spec).map(([name, public_key]) => ({ kind: 'host', name, spec: public_key === undefined ? {} : { public_key } })),
  )

test('who has a line is let in; without it, not; who left altogether keeps the last key until it is here again', (t) => {
  let keys: ReadonlyMap<string, string> = new Map()
  const admission = openAdmission({ left: new Map([['old', C]]), onKeys: (k) => (keys = k), onBad: () => t.fail() })
  admission.settle(hosts({ h1: A, h2: B, h3: undefined }))
  t.deepEqual(Object.fromEntries(keys), { h1: A, h2: B, old: C })
  admission.settle(hosts({ h1: A, h2: undefined }))
  t.deepEqual(Object.fromEntries(keys), { h1: A, old: C }, 'h2 is expelled')
  admission.settle(hosts({ h1: A }))
  t.deepEqual(Object.fromEntries(keys), { h1: A, old: C }, 'and stays so when the rest of it goes')
  admission.settle(hosts({}))
  t.deepEqual(Object.fromEntries(keys), { h1: A, old: C }, 'h1 has left')
  admission.settle(hosts({ h1: B, old: undefined }))
  t.deepEqual(Object.fromEntries(keys), { h1: B })
  admission.close()
})

test('a file of keys stands in for the lines of the repo, is read again, and lets in nobody who is no host', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-admission-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, 'host-keys')
  let keys: ReadonlyMap<string, string> = new Map()
  const bad: string[] = []
  const admission = openAdmission({ left: new Map(), file, onKeys: (k) => (keys = k), onBad: (m) => bad.push(m) })
  t.teardown(() => admission.close())
  admission.settle(hosts({ h1: A, h2: undefined }))
  t.deepEqual(Object.fromEntries(keys), { h1: A })
  await writeFile(file, `h1 ${B}\nh2 ${C}\nstranger ${A}\nh2 nonsense\n`)
  for (let i = 0; i < 100 && keys.size < 2; i++) await sleep(50)
  t.deepEqual(Object.fromEntries(keys), { h1: B, h2: C })
  t.deepEqual(bad, [`${file}:4 is no line of the form HOST KEY`])
  t.deepEqual(parseHostKeys('\n  \n').bad, [])
})
