import test from 'ava'
import { BLUE, made, RED } from './repo.ts'
import { areGone, areMade, port, Rig } from './rig.ts'
import { differences, everything, flowsOf, nextConfig, rewritten } from './switch.ts'

let rig: Rig
test.before(async () => {
  rig = await Rig.up()
})
test.after.always(async () => await rig?.close())

const revision = async (): Promise<number> => (await rig.status())?.fleet.revision ?? 0

test.serial('YAML that breaks and is repaired to the very same content changes nothing, and says so', async (t) => {
  const before = await flowsOf(rig, 'h1')
  const config = await nextConfig(rig, 'h1')
  const at = await revision()
  const halfWritten = `${BLUE}  half-written: { network: blue, host: h1, fixed`
  const misspelt = BLUE.replace('web-2: { network: blue', 'web-2: { network: bleu')
  for (const broken of [halfWritten, misspelt]) {
    await rig.write('blue.yaml', broken)
    await rig.until('the mistake is told', (a) => a.repo === 'broken' && a.issues.length > 0)
    await rig.write('blue.yaml', BLUE)
    const ms = await rig.until('the repository is clean again', (a) => rig.isSettled(a) && a.issues.length === 0)
    t.log(`clean ${ms} ms after the repair`)
  }
  t.is(await revision(), at)
  t.is(await nextConfig(rig, 'h1'), config)
  t.deepEqual(rewritten(before, await flowsOf(rig, 'h1')), [])
})

test.serial('A → B → A leaves rows, flows and devices equal', async (t) => {
  const before = await everything(rig)
  const at = await revision()
  await rig.write('extra.yaml', made('h2'))
  await rig.follow()
  await rig.write('red.yaml', RED.replace('segmentation_id: 120', 'segmentation_id: 130'))
  await rig.until('B is there', (a) => a.fleet.revision > at + 1 && rig.isSettled(a) && areMade(a, 'h2'))
  t.not(differences(before, await everything(rig)).length, 0)
  await rig.write('red.yaml', RED)
  await rig.remove('extra.yaml')
  await rig.until('A is there', (a) => rig.isSettled(a) && areGone(a) && a.fleet.revision > at + 2)
  t.deepEqual(differences(before, await everything(rig)), [])
  await rig.follow()
  t.deepEqual(await rig.wrong(), [])
})

test.serial('a port that is not plugged waits, and is ACTIVE once it is plugged', async (t) => {
  await rig.follow((spec) => ({ ...spec, guests: spec.guests.filter((g) => g.port !== port('web-3')) }))
  await rig.until('web-3 waits', (a) => rig.object(a, port('web-3'))?.state === 'WAITING')
  const waiting = await rig.status()
  t.regex((waiting && rig.object(waiting, port('web-3'))?.cause) ?? '', /no interface with external_ids:iface-id=/)
  t.deepEqual(await rig.wrong(), [])
  await rig.follow()
  t.log(`ACTIVE ${await rig.settled()} ms after it was plugged`)
  t.deepEqual(await rig.wrong(), [])
})

test.serial('a port that moves to another host is reached there, and back', async (t) => {
  const before = await everything(rig)
  await rig.write('extra.yaml', made('h2'))
  await rig.follow()
  await rig.until('made on h2', (a) => rig.isSettled(a) && areMade(a, 'h2'))
  const there = await everything(rig)
  await rig.write('extra.yaml', made('h1'))
  await rig.write('blue.yaml', BLUE.replace('db-1: { network: blue, host: h1', 'db-1: { network: blue, host: h2'))
  await rig.follow()
  const ms = await rig.until('moved', (a) => rig.isSettled(a) && areMade(a, 'h1') && areGone(a, 'h2'))
  t.log(`on h1 ${ms} ms after its interfaces were`)
  t.deepEqual(await rig.wrong(), [])
  await rig.write('extra.yaml', made('h2'))
  await rig.write('blue.yaml', BLUE)
  await rig.follow()
  await rig.until('moved back', (a) => rig.isSettled(a) && areMade(a, 'h2') && areGone(a, 'h1'))
  t.deepEqual(await rig.wrong(), [])
  // db-1 was plugged anew on h1 by another hand and has a new number there: h2 and h3 must be as they were to the last byte.
  t.deepEqual(differences(there, await everything(rig), ['h2', 'h3']), [])
  await rig.remove('extra.yaml')
  await rig.until('as at first', (a) => rig.isSettled(a) && areGone(a))
  t.deepEqual(differences(before, await everything(rig), ['h3']), [])
})
