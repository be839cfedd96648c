import { readdirSync } from 'node:fs'
import test from 'ava'
import type { Delta, Driver, Item } from '../../../../agentd/backends/backend.ts'
import { COMPILERS } from '../../../../agentd/backends/compilers.ts'
import { createFakeBackend } from '../../../../agentd/backends/fake/backend.ts'
import { loadFakeWorld } from '../conformance/fake-world.ts'
import { arpRequest } from '../conformance/frames.ts'
import { makeWorld, portKey } from '../conformance/world.ts'

const WORLD = makeWorld({
  hosts: { h1: {} },
  networks: { blue: { type: 'local' } },
  ports: {
    a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10'] },
    b: { network: 'blue', host: 'h1', tag: '0b', ips: ['10.0.0.11'] },
  },
})

async function open(
  backend = createFakeBackend(),
): Promise<{ backend: ReturnType<typeof createFakeBackend>; driver: Driver; items: readonly Item[] }> {
  const items = [...((await loadFakeWorld(WORLD)).compiled.get('h1')?.items.values() ?? [])]
  return { backend, driver: await backend.open({ host: 'h1', installation: 'test', rundir: '', log: () => {} }), items }
}

function adding(items: readonly Item[]): Delta {
  return { add: items, change: [], remove: [] }
}

test('what is written is observed, and forwards', async (t) => {
  const { backend, driver, items } = await open()
  const outcome = await driver.apply(adding(items))
  t.deepEqual([...outcome.verified].sort(), items.map((i) => i.key).sort())
  t.deepEqual([...(await driver.observe()).items.keys()].sort(), items.map((i) => i.key).sort())
  t.deepEqual(backend.switchOf('h1').forward({ by: 'port', port: portKey('a') }, arpRequest('0a', '10.0.0.10', '10.0.0.11')), [
    { by: 'port', port: portKey('a') },
  ])
})

test('a refused item fails in the words of the switch, its neighbours do not, and nothing of it is held', async (t) => {
  const { backend, driver, items } = await open()
  backend
    .switchOf('h1')
    .refuse((item) => (item.key.includes('port/default/b') && item.key.startsWith('attachment') ? 'no room' : undefined))
  const outcome = await driver.apply(adding(items))
  t.deepEqual([...outcome.failed], [['attachment port/default/b', 'no room']])
  t.is((await driver.observe()).items.size, items.length - 1)
})

test('what another hand does is told and can be seen', async (t) => {
  const { backend, driver, items } = await open()
  const heard: string[] = []
  driver.onChange((what) => heard.push(what))
  await driver.apply(adding(items))
  t.deepEqual(heard, [], 'its own writes are no news')
  const at = backend.switchOf('h1')
  at.tamper(items[0]?.key ?? '', undefined)
  at.plug('vm-z', { bridge: 'br-int', ofport: 9, iface_id: 'z', type: '', ours: false })
  at.setBridges(['br-ex'])
  at.wipe()
  t.deepEqual(heard, ['items', 'facts', 'facts', 'items'])
  t.is((await driver.observe()).items.size, 0)
  t.deepEqual(driver.facts().bridges, ['br-ex'])
  at.plug('vm-z', undefined)
  t.deepEqual(driver.facts().interfaces, {})
})

test('a switch outlives its agent; a closed driver is closed', async (t) => {
  const { backend, driver, items } = await open()
  await driver.apply(adding(items))
  await driver.close()
  t.throws(() => driver.facts(), { message: 'the driver is closed' })
  const next = await backend.open({ host: 'h1', installation: 'test', rundir: '', log: () => {} })
  t.is((await next.observe()).items.size, items.length)
  t.is(backend.switchOf('h1').writes(), items.length)
  t.not(createFakeBackend().switchOf('h1'), backend.switchOf('h1'))
})

test('writes wait when they are told to', async (t) => {
  const { backend, driver, items } = await open()
  let release = (): void => {}
  backend.switchOf('h1').hold(new Promise((resolve) => (release = resolve)))
  const written = driver.apply(adding(items))
  await new Promise((resolve) => setImmediate(resolve))
  t.is((await driver.observe()).items.size, 0)
  release()
  await written
  t.is((await driver.observe()).items.size, items.length)
})

test('every backend on disk has its compiler in the list, under its own name', (t) => {
  const folders = readdirSync(new URL('../../../../../agentd/backends/', import.meta.url), { withFileTypes: true })
  t.deepEqual(
    folders
      .filter((f) => f.isDirectory())
      .map((f) => f.name)
      .sort(),
    Object.keys(COMPILERS).sort(),
  )
  for (const [name, compiler] of Object.entries(COMPILERS)) t.is(compiler.name, name)
})
