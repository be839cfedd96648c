import { posix } from 'node:path'
import type { Issue } from '../../model/issue.ts'
import { RepoError } from './error.ts'
import { loadFiles, type RawFile, type ReadContext } from './load-files.ts'
import { MAX_BYTES, tooLarge } from './parse.ts'
import { faulty, type Read, seen } from './read-worktree.ts'
import { runGit } from './run-git.ts'
import { isYamlName } from './scan.ts'
import type { SeenFile, Snapshot } from './snapshot.ts'

/** A file of a commit's tree. */
export interface TreeEntry {
  readonly path: string
  readonly mode: string
  readonly id: string
  readonly size: number
}

/** The commit a ref stands for, asked of git. Throws `RepoError` `no-such-ref`. */
export async function resolveCommit(dir: string, ref: string): Promise<string> {
  try {
    return (await runGit(dir, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`])).toString().trim()
  } catch (error) {
    if (error instanceof RepoError && error.code === 'git-missing') throw error
    throw new RepoError('no-such-ref', `${dir} has no commit ${ref}`, error)
  }
}

/** All files of a commit below `dir` (the whole tree in a bare repository), links included. */
export async function listCommit(dir: string, commit: string): Promise<readonly TreeEntry[]> {
  const out = await runGit(dir, ['ls-tree', '-r', '-l', '-z', commit])
  return out
    .toString()
    .split('\0')
    .flatMap((line) => {
      const match = /^(\d+) (\w+) ([0-9a-f]+) +(\S+)\t([\s\S]*)$/.exec(line)
      const [, mode, type, id, size, path] = match ?? []
      return mode && id && path && type === 'blob' ? [{ path, mode, id, size: Number(size) }] : []
    })
}

/** Reads the YAML files of one commit, of a repository with or without a worktree. Files whose blob `previous` saw are not read. */
export async function readCommit(dir: string, commit: string, context: ReadContext, previous?: Snapshot): Promise<Read> {
  if (previous?.commit === commit) return { snapshot: previous, fresh: [] }
  const listed = await listCommit(dir, commit)
  const { entries, faults } = await followLinks(dir, listed)
  const files = new Map<string, SeenFile>()
  for (const [path, issue] of faults) files.set(path, faulty(path, issue))
  const wanted: TreeEntry[] = []
  for (const entry of entries) {
    const old = previous?.files.get(entry.path)
    if (previous?.commit !== undefined && old?.blob === entry.id) files.set(entry.path, old)
    else if (entry.size > MAX_BYTES) files.set(entry.path, faulty(entry.path, tooLarge(entry.path, entry.size)))
    else wanted.push(entry)
  }
  const blobs = await readBlobs(dir, [...new Set(wanted.map((e) => e.id))])
  const raw = wanted.flatMap((entry): RawFile[] => {
    const bytes = blobs.get(entry.id)
    return bytes === undefined ? [] : [{ path: entry.path, bytes }]
  })
  const { byPath, fresh } = await loadFiles(context, raw)
  for (const [i, entry] of wanted.entries()) {
    const file = raw[i]
    const loaded = byPath.get(entry.path)
    if (file !== undefined && loaded !== undefined) files.set(entry.path, seen(file, loaded, entry.id))
  }
  return { snapshot: { files, commit, targets: [] }, fresh }
}

/** Contents by blob id, through one process. Throws `RepoError` `git-failed` when an object is missing (a shallow or damaged repository). */
export async function readBlobs(dir: string, ids: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const blobs = new Map<string, Uint8Array>()
  if (ids.length === 0) return blobs
  const out = await runGit(dir, ['cat-file', '--batch'], { input: `${ids.join('\n')}\n`, timeoutMs: 120_000 })
  let at = 0
  for (const id of ids) {
    const newline = out.indexOf(0x0a, at)
    const [name, type, size] = out.subarray(at, newline).toString().split(' ')
    if (newline < 0 || name !== id || type !== 'blob') throw new RepoError('git-failed', `git has no blob ${id}`)
    const start = newline + 1
    blobs.set(id, out.subarray(start, start + Number(size)))
    at = start + Number(size) + 1
  }
  return blobs
}

const MAX_LINKS = 8

interface Followed {
  readonly entries: readonly TreeEntry[]
  readonly faults: ReadonlyMap<string, Issue>
}

/** Replaces symbolic links by what they lead to inside the commit; what leads out of it has no content that a commit could vouch for. */
async function followLinks(dir: string, listed: readonly TreeEntry[]): Promise<Followed> {
  const visible = listed.filter((e) => !e.path.split('/').some((part) => part.startsWith('.')))
  const links = visible.filter((e) => e.mode === '120000')
  const entries = visible.filter((e) => e.mode !== '120000' && isYamlName(posix.basename(e.path)))
  const faults = new Map<string, Issue>()
  if (links.length === 0) return { entries, faults }
  const all = listed.filter((e) => e.mode === '120000')
  const texts = await readBlobs(dir, [...new Set(all.map((e) => e.id))])
  const targets = new Map(
    all.map((e) => [e.path, posix.normalize(posix.join(posix.dirname(e.path), Buffer.from(texts.get(e.id) ?? []).toString()))]),
  )
  const plain = listed.filter((e) => e.mode !== '120000')
  for (const link of links) {
    const found = behind(link.path, targets, plain)
    entries.push(...found)
    const name = posix.basename(link.path)
    if (found.length === 0 && (isYamlName(name) || !name.includes('.'))) faults.set(link.path, linkIssue(link.path))
  }
  return { entries, faults }
}

function behind(path: string, targets: ReadonlyMap<string, string>, plain: readonly TreeEntry[]): readonly TreeEntry[] {
  let at = path
  for (let hops = 0; hops < MAX_LINKS && targets.has(at); hops++) at = targets.get(at) ?? at
  const file = plain.find((e) => e.path === at)
  if (file !== undefined) return isYamlName(posix.basename(path)) ? [{ ...file, path }] : []
  const below = plain.filter((e) => e.path.startsWith(`${at}/`) && isYamlName(posix.basename(e.path)))
  return below
    .map((e) => ({ ...e, path: path + e.path.slice(at.length) }))
    .filter((e) => !e.path.split('/').some((part) => part.startsWith('.')))
}

function linkIssue(path: string): Issue {
  const hint = 'commit the file itself: only what a commit holds can be applied from it'
  return {
    code: 'E0115',
    severity: 'error',
    message: 'the symbolic link leads nowhere inside the commit',
    place: { file: path, line: 1, col: 1 },
    hint,
  }
}
