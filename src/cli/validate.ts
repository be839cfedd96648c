import { readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import pc from 'picocolors'
import { hasErrors, type Issue } from '../model/issue.ts'
import { issueJson, renderIssues, summariseIssues } from '../server/render/issue.ts'
import { repositoryOf } from '../server/repo/inside.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { validateRepo } from './offline.ts'
import type { Output } from './output.ts'

/** `netloom validate [DIR]`: every mistake, with its place. Reads no state, writes nothing. */
export async function validate(dir: string, output: Output): Promise<ExitCode> {
  const { issues, read, resources } = await validateRepo(dir)
  const files = read.tree.files.size
  if (files === 0)
    throw new CommandError(`no YAML file below ${dir}`, {
      hint: 'name the repository: netloom validate DIR; or start one: netloom init DIR',
    })
  output.result({ valid: !hasErrors(issues), files, resources, issues: issues.map(issueJson) }, () => {
    const counted = `${files} ${files === 1 ? 'file' : 'files'}, ${resources} ${resources === 1 ? 'resource' : 'resources'}`
    return issues.length === 0 ? `${counted}: no errors` : `${issuesText(dir, issues, output)}\n${counted}: ${summariseIssues(issues)}`
  })
  return hasErrors(issues) ? EXIT.error : EXIT.clean
}

/** Issues for people, with snippets read from the repo's files. */
export function issuesText(dir: string, issues: readonly Issue[], output: Output, limit = 50): string {
  return renderIssues(
    issues,
    (path) => {
      try {
        const file = realpathSync(join(dir, path))
        return repositoryOf(dir)(file) && statSync(file).isFile() ? readFileSync(file, 'utf8') : undefined
      } catch {
        return undefined
      }
    },
    { width: output.width, limit, ...(output.color ? { color: pc } : {}) },
  )
}
