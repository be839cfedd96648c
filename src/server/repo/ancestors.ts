import { runGit } from './run-git.ts'

/** The commit that the word names (a hash or its beginning, a tag, `HEAD~3`), then its ancestors, children before parents. Throws `RepoError` when git knows no such commit. */
export async function ancestorsOf(dir: string, word: string): Promise<readonly string[]> {
  const name = await runGit(dir, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${word}^{commit}`])
  const list = await runGit(dir, ['rev-list', '--topo-order', name.toString().trim()])
  return list.toString().trim().split('\n')
}
