import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { netloom } from '../cli/netloom.ts'

const SAMPLE = fileURLToPath(new URL('../../../samples/04-routed', import.meta.url))

test('lab ping expects what routers join and rules let pass; a repository that says otherwise is told', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-routed-'))
  t.teardown(async () => {
    await netloom('lab', 'down', dir)
    await rm(dir, { recursive: true, force: true })
  })
  await cp(SAMPLE, dir, { recursive: true })
  const up = await netloom('lab', 'up', dir)
  t.is(up.code, 0, up.out + up.err)
  const proof = await netloom('lab', 'ping', dir)
  t.is(proof.code, 0, proof.out + proof.err)
  t.log(proof.out.trim().split('\n').at(-1))
  // Everybody reaches the web servers, these the apps, and the apps, a router further, the keys; apps reach each other by IPv4. The keys do not reach the apps, nor the web servers the keys.
  t.regex(
    proof.out,
    /^14 of 14 pairs reach each other; 2 of 2 pairs as far as their security groups let them; 4 of 4 pairs that must not, do not/m,
  )

  const file = join(dir, 'routers.yaml')
  await writeFile(file, (await readFile(file, 'utf8')).replace('  inner:\n', '  inner:\n    admin_state_up: false\n'))
  const again = await netloom('lab', 'up', dir)
  t.is(again.code, 0, again.out + again.err)
  const cut = await netloom('lab', 'ping', dir)
  t.is(cut.code, 0, cut.out + cut.err)
  // Nobody reaches the keys any more, nor they anybody.
  t.regex(
    cut.out,
    /^10 of 10 pairs reach each other; 2 of 2 pairs as far as their security groups let them; 8 of 8 pairs that must not, do not/m,
  )
})
