import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PMap } from '../../../src/lib/pmap.ts'
import { createLoader } from '../../../src/server/load/load.ts'
import { EMPTY_TREE, opsAgainst, withFiles } from '../../../src/server/load/tree.ts'
import { parsePool } from '../../../src/server/repo/pool.ts'
import { readWorktree } from '../../../src/server/repo/read-worktree.ts'
import { diffSnapshots } from '../../../src/server/repo/snapshot.ts'
import { TEST_KINDS } from '../load/kinds.ts'

// node build/test/server/repo/scale-program.js [files] [ports in each] [flow|block|odd] [pool]: reads a generated repo cold, again, and with one line changed.
const [files = 1000, each = 100, style = 'flow', pool = ''] = process.argv.slice(2).map((a) => (/^\d+$/.test(a) ? Number(a) : a)) as [
  number,
  number,
  string,
  string,
]
const dir = mkdtempSync(join(tmpdir(), 'netloom-scale-'))
mkdirSync(dir, { recursive: true })

function port(n: number): string {
  const ip = `10.${10 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
  if (style === 'block')
    return `  web-${n}:\n    network: blue\n    host: h${n % 300}\n    fixed_ips:\n      - ip_address: ${ip}\n    security_groups: [web]\n`
  // `odd` has something in every file that the fast reader leaves to the library.
  return `  ${style === 'odd' ? `"web-${n}"` : `web-${n}`}: { network: blue, host: h${n % 300}, fixed_ips: [{ ip_address: ${ip} }], security_groups: [web] }\n`
}

const context = { loader: createLoader(TEST_KINDS, 'scale'), ...(pool === 'pool' ? { parseMany: parsePool() } : {}) }
const clock = async <T>(what: string, work: () => Promise<T> | T): Promise<T> => {
  const cpu = process.cpuUsage()
  const at = performance.now()
  const result = await work()
  const used = process.cpuUsage(cpu)
  const { rss, heapUsed } = process.memoryUsage()
  console.log(
    `${what.padEnd(34)} ${(performance.now() - at).toFixed(0).padStart(6)} ms  cpu ${((used.user + used.system) / 1000).toFixed(0).padStart(6)} ms  rss ${(rss / 1e6).toFixed(0)} MB  heap ${(heapUsed / 1e6).toFixed(0)} MB`,
  )
  return result
}

try {
  let bytes = 0
  for (let f = 0; f < files; f++) {
    const text = `project: shop\nports:\n${Array.from({ length: each }, (_, i) => port(f * each + i)).join('')}`
    bytes += text.length
    writeFileSync(join(dir, `f${f}.yaml`), text)
  }
  console.log(`${files} files of ${each} ports, style ${style}: ${(bytes / 1e6).toFixed(1)} MB`)
  const cold = await clock('read cold', () => readWorktree(dir, context))
  const step = await clock('tree', () =>
    withFiles(
      EMPTY_TREE,
      [...cold.snapshot.files.values()].map((f) => f.loaded),
    ),
  )
  await clock('ops against nothing', () => opsAgainst(step.tree, PMap.empty()))
  const warm = await clock('read again, nothing changed', () => readWorktree(dir, context, cold.snapshot))
  await new Promise((resolve) => setTimeout(resolve, 2500))
  const settled = await clock('read again, stamps trusted after', () => readWorktree(dir, context, warm.snapshot))
  await clock('read again, stamps trusted', () => readWorktree(dir, context, settled.snapshot))
  writeFileSync(
    join(dir, 'f0.yaml'),
    `project: shop\nports:\n${Array.from({ length: each }, (_, i) => port(i)).join('')}  extra: { network: blue }\n`,
  )
  const changed = await clock('one line changed', () => readWorktree(dir, context, settled.snapshot))
  const next = await clock('tree', () =>
    withFiles(
      step.tree,
      diffSnapshots(settled.snapshot, changed.snapshot).changed.map((f) => f.loaded),
    ),
  )
  console.log(`touched: ${[...next.touched].join(' ')}; peak rss ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB`)
} finally {
  rmSync(dir, { recursive: true })
}
