import { join } from 'node:path'
import { compareIssues, hasErrors, type Issue } from '../model/issue.ts'
import { askControl, ControlError } from '../server/control/socket.ts'
import { flowsOf, joinImpacts } from '../server/flows.ts'
import type { HostImpact } from '../server/impact/impact.ts'
import type { Plan } from '../server/plan/types.ts'
import { renderFlows } from '../server/render/flows.ts'
import { issueJson } from '../server/render/issue.ts'
import { renderPlan } from '../server/render/plan.ts'
import { planJson } from '../server/render/plan-json.ts'
import { controlPath } from '../server/serve.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { lookOffline, type Offline } from './offline.ts'
import { type Output, styleOf } from './output.ts'
import { issuesText } from './validate.ts'

export interface PlanOptions {
  readonly stateFile: string
  readonly detailedExitcode: boolean
  /** What it does to the switch of each host that it concerns; `hosts`: of these. Absent: not asked. */
  readonly flows?: { readonly hosts?: readonly string[] }
}

/** What the repo would change. With an error among the issues there is no plan. */
export interface Preview {
  readonly issues: readonly Issue[]
  readonly plan?: Plan
  readonly impacts?: readonly HostImpact[]
}

/** `netloom plan [DIR]`: what would change, before anything does. A running server answers from its own world; else the state file is read. */
export async function plan(dir: string, options: PlanOptions, output: Output): Promise<ExitCode> {
  const { issues, plan: made, impacts } = (await previewOnline(options)) ?? (await previewOffline(dir, options))
  if (made === undefined) {
    output.result(
      { errored: true, issues: issues.map(issueJson) },
      () => `${issuesText(dir, issues, output)}\nno plan: correct the errors first; what is applied stays as it is`,
    )
    return EXIT.error
  }
  const warnings = issues.filter((i) => i.severity !== 'note')
  const flows = impacts === undefined ? {} : { flows: impacts }
  output.result({ ...planJson(made), ...flows, issues: issues.map(issueJson) }, () => {
    const shown = renderPlan(made, styleOf(output), whereOptions(dir, options.stateFile))
    const text = impacts === undefined ? shown : `${renderFlows(impacts, Date.now(), styleOf(output))}\n${shown}`
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
async function previewOnline({ stateFile, flows }: PlanOptions): Promise<Preview | undefined> {
  const parts: HostImpact[] = []
  const request = { command: 'plan', ...(flows === undefined ? {} : { flows: true, ...flows }) }
  try {
    const answer = await askControl(controlPath(stateFile), request, (event) => parts.push(event['impact'] as unknown as HostImpact))
    return { ...(answer as unknown as Preview), ...(flows === undefined ? {} : { impacts: joinImpacts(parts) }) }
  } catch (error) {
    if (error instanceof ControlError && error.code === 'absent') return undefined
    throw error
  }
}

async function previewOffline(dir: string, { stateFile, flows }: PlanOptions): Promise<Preview> {
  const look = await lookOffline(dir, stateFile, 'plan')
  try {
    const { issues, ready } = look.proposal
    const all = [...look.warnings, ...issues].sort(compareIssues)
    if (hasErrors(issues) || ready === undefined) return { issues: all }
    if (ready.plan.changes.length > 0) await look.store.savePlan(ready.plan)
    return { issues: all, plan: ready.plan, ...(flows === undefined ? {} : { impacts: await impactsOf(look, flows.hosts) }) }
  } finally {
    await look.store.close()
  }
}

/** With what agents said last: without a server they may have said more since, and nobody heard it. */
async function impactsOf({ store, proposal }: Offline, hosts: readonly string[] | undefined): Promise<readonly HostImpact[]> {
  const agents = new Map((await store.agents()).map((agent) => [agent.host, agent]))
  const impacts: HostImpact[] = []
  for await (const impact of flowsOf(proposal, hosts, (host) => agents.get(host))) impacts.push(impact)
  return impacts
}
