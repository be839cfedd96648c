import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { netloom } from '../cli/netloom.ts'

const SAMPLE = fileURLToPath(new URL('../../../samples/02-three-tier', import.meta.url))

test('lab ping expects what security groups let pass, kind by kind, and says what passes besides', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-groups-'))
  t.teardown(async () => {
    await netloom('lab', 'down', dir)
    await rm(dir, { recursive: true, force: true })
  })
  await cp(SAMPLE, dir, { recursive: true })
  // The lab's guests answer on port 7001.
  const file = join(dir, 'groups.yaml')
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace('port_range_min: 8080, port_range_max: 8089', 'port_range_min: 7000, port_range_max: 7009'),
  )
  const up = await netloom('lab', 'up', dir)
  t.is(up.code, 0, up.out + up.err)
  const proof = await netloom('lab', 'ping', dir)
  t.is(proof.code, 0, proof.out + proof.err)
  // The two web servers ask the two apps by TCP over IPv4, and nothing else of what is asked here passes.
  t.regex(proof.out, /4 of 4 pairs as far as their security groups let them; 38 of 38 pairs that must not, do not/)
  await openEverything(dir, 'h1')
  const leaky = await netloom('lab', 'ping', dir)
  t.is(leaky.code, 1)
  t.regex(leaky.out, /port shop\/app-1 → port shop\/web-1 \S+ udp: answered, and must not be/)
})

/** Another hand hands frames to every port of a host past the rules. */
async function openEverything(dir: string, host: string): Promise<void> {
  const ofctl = async (...words: readonly string[]): Promise<string> =>
    (await netloom('lab', 'exec', '--dir', dir, host, '--', 'ovs-ofctl', '-O', 'OpenFlow14', ...words)).out
  const dump = await ofctl('--no-names', 'dump-flows', 'br-int', 'table=110')
  for (const [, target, port] of dump.matchAll(/(reg2=0x1[0-9a-f]+) actions=output:(\d+)/g))
    await ofctl('add-flow', 'br-int', `cookie=0x9,table=80,priority=900,${target},actions=output:${port}`)
}
