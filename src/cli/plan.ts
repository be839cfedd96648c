import { join } from 'node:path'
import { compareIssues, hasErrors, type Issue } from '../model/issue.ts'
import { askControl, ControlError } from '../server/control/socket.ts'
import type { Plan } from '../server/plan/types.ts'
import { issueJson } from '../server/render/issue.ts'
import { renderPlan } from '../server/render/plan.ts'
import { planJson } from '../server/render/plan-json.ts'
import { controlPath } from '../server/serve.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { lookOffline } from './offline.ts'
import { type Output, styleOf } from './output.ts'
import { issuesText } from './validate.ts'

export interface PlanOptions {
  readonly stateFile: string
  readonly detailedExitcode: boolean
}

/** What the repo would change. With an error among the issues there is no plan. */
export interface Preview {
  readonly issues: readonly Issue[]
  readonly plan?: Plan
}

/** `netloom plan [DIR]`: what would change, before anything does. A running server answers from its own world; else the state file is read. */
export async function plan(dir: string, options: PlanOptions, output: Output): Promise<ExitCode> {
  const { issues, plan: made } = (await previewOnline(options.stateFile)) ?? (await previewOffline(dir, options.stateFile))
  if (made === undefined) {
    output.result(
      { errored: true, issues: issues.map(issueJson) },
      () => `${issuesText(dir, issues, output)}\nno plan: correct the errors first; what is applied stays as it is`,
    )
    return EXIT.error
  }
  const warnings = issues.filter((i) => i.severity !== 'note')
  output.result({ ...planJson(made), issues: issues.map(issueJson) }, () => {
    const text = renderPlan(made, styleOf(output), whereOptions(dir, options.stateFile))
    return warnings.length === 0 ? text : `${issuesText(dir, warnings, output)}\n${text}`
  })
  if (made.blocked.length > 0) return EXIT.refused
  return options.detailedExitcode && made.changes.length > 0 ? EXIT.changes : EXIT.clean
}

/** What `netloom apply` must be told to find the plan again: nothing in the repository's own folder with its own state file. */
export function whereOptions(dir: string, stateFile: string): readonly string[] {
  const named = dir === '.' ? [] : ['--dir', shellWord(dir)]
  return stateFile === join(dir, '.netloom', 'state.db') ? named : [...named, '--state', shellWord(stateFile)]
}

function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Undefined when no server runs on this state file. */
async function previewOnline(stateFile: string): Promise<Preview | undefined> {
  try {
    return (await askControl(controlPath(stateFile), { command: 'plan' })) as unknown as Preview
  } catch (error) {
    if (error instanceof ControlError && error.code === 'absent') return undefined
    throw error
  }
}

async function previewOffline(dir: string, stateFile: string): Promise<Preview> {
  const look = await lookOffline(dir, stateFile, 'plan')
  try {
    const { issues, ready } = look.proposal
    const all = [...look.warnings, ...issues].sort(compareIssues)
    if (hasErrors(issues) || ready === undefined) return { issues: all }
    if (ready.plan.changes.length > 0) await look.store.savePlan(ready.plan)
    return { issues: all, plan: ready.plan }
  } finally {
    await look.store.close()
  }
}
