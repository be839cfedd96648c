import { readFile } from 'node:fs/promises'
import test from 'ava'

/** Followed from file to file; a package or a module of Node is the end. */
async function importsOf(file: string, seen: Set<string>): Promise<readonly string[]> {
  if (seen.has(file)) return []
  seen.add(file)
  const text = await readFile(`test/reach/${file}`, 'utf8')
  const named = [...text.matchAll(/from '([^']+)'/g)].map(([, path = '']) => path)
  const inner = named.filter((path) => path.startsWith('./')).map((path) => path.slice(2))
  return [...named.filter((path) => !path.startsWith('./')), ...(await Promise.all(inner.map((f) => importsOf(f, seen)))).flat()]
}

test('the model shares no code with what it judges', async (t) => {
  const seen = new Set<string>()
  t.deepEqual([...(await importsOf('model.ts', seen))].sort(), ['node:net', 'yaml'])
  t.deepEqual([...seen].sort(), ['frame.ts', 'model.ts', 'written.ts'])
})
