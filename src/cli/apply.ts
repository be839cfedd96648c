import { existsSync } from 'node:fs'
import type { JsonObject } from '../model/brand.ts'
import type { Issue } from '../model/issue.ts'
import { locatorFor, siteOf } from '../server/context.ts'
import { askControl, ControlError } from '../server/control/socket.ts'
import { type ApplyOutcome, Controller } from '../server/controller.ts'
import { type Allowed, parseAllow, sortAllowed } from '../server/guard/allow.ts'
import { vanishedFromHead } from '../server/guard/guard.ts'
import type { Plan } from '../server/plan/types.ts'
import type { HostState } from '../server/render/fleet.ts'
import { issueJson } from '../server/render/issue.ts'
import { renderPlan } from '../server/render/plan.ts'
import { planJson } from '../server/render/plan-json.ts'
import { controlPath, defaultStateFile } from '../server/serve.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { withInterrupt } from './interrupt.ts'
import { lookOffline } from './offline.ts'
import { type Output, styleOf } from './output.ts'
import { whereOptions } from './plan.ts'
import { createProgress } from './progress.ts'
import { issuesText } from './validate.ts'

export interface ApplyOptions {
  readonly dir: string
  readonly stateFile: string
  readonly plan?: string
  readonly allow: readonly string[]
  readonly reason?: string
}

type Told = ApplyOutcome & { readonly views?: readonly HostState[]; readonly converged?: boolean }

/** `netloom apply [PLAN]`: commits and publishes. Beside a running server it hands over and watches the hosts; without one it commits, says so, and exits 4. */
export async function apply(options: ApplyOptions, output: Output): Promise<ExitCode> {
  const { allowed: allow } = parseAllow(options.allow)
  // A commit is all or nothing: without a server an interruption waits for it. With one, the server goes on, and only the watching ends.
  const { told, published } = await withInterrupt(output, async (signal) => {
    const online = await applyOnline(options, output, signal)
    return { told: online ?? (await applyOffline(options, allow, output)), published: online !== undefined }
  })
  switch (told.outcome) {
    case 'nothing':
      output.result(
        { outcome: told.outcome, revision: told.revision },
        () => `No changes. Revision ${told.revision} is what the repository says.`,
      )
      return EXIT.clean
    case 'broken':
      output.result(
        { outcome: told.outcome, issues: told.issues.map(issueJson) },
        () => `${issuesText(options.dir, told.issues as Issue[], output)}\nnothing was applied`,
      )
      return EXIT.error
    case 'unknown-plan':
      throw new CommandError(`there is no plan ${told.plan} in ${options.stateFile}`, {
        hint: existsSync(told.plan)
          ? `${told.plan} is a folder: netloom apply --dir ${told.plan}`
          : 'run `netloom plan` and apply the id it prints',
      })
    case 'stale':
      throw new CommandError(
        told.base === told.current
          ? `plan ${told.plan} is stale: since it was made, agents have said what they hold`
          : `plan ${told.plan} is stale: it was made against revision ${told.base}, and revision ${told.current} is applied now`,
        {
          hint: 'run `netloom plan` again and read what it says now',
        },
      )
    case 'other-plugins':
      throw new CommandError(
        `plan ${told.plan} was made with other plugins: ${told.made || 'unknown ones'}; these run now: ${told.current}`,
        {
          hint: 'run `netloom plan` again and read what it says now',
        },
      )
    case 'refused':
      return refused(told.plan, options, allow, output)
    case 'applied':
      return applied(told, published, output)
  }
}

function refused(plan: Plan, { dir, stateFile }: ApplyOptions, allow: Allowed, output: Output): ExitCode {
  const { right, wrong } = sortAllowed(allow, plan.blocked)
  const where = [...whereOptions(dir, stateFile), ...right]
  output.result({ outcome: 'refused', ...planJson(plan) }, () => [renderPlan(plan, styleOf(output), where).trimEnd(), ...wrong].join('\n'))
  return EXIT.refused
}

function applied(told: Told & { readonly outcome: 'applied' }, published: boolean, output: Output): ExitCode {
  const { revision, views = [], converged = false } = told
  const data = { outcome: 'applied', revision: revision.revision, plan: told.plan.id, published, converged, hosts: views }
  output.result(data, () => {
    if (!published) {
      return `Committed revision ${revision.revision}. No server runs on this state file, so nothing was published: start \`netloom serve\` and the agents will follow.`
    }
    if (converged) return `Applied revision ${revision.revision}: ${views.length} ${views.length === 1 ? 'host holds' : 'hosts hold'} it.`
    const open = views.filter((v) => v.sync !== 'Synced').map((v) => `  ${v.host}  ${v.sync}  ${v.health}  ${v.notes.join('; ')}`)
    return [
      `Published revision ${revision.revision}; not every host holds it yet:`,
      ...open,
      'they go on by themselves: netloom status',
    ].join('\n')
  })
  return published && converged ? EXIT.clean : EXIT.notConverged
}

async function applyOnline(options: ApplyOptions, output: Output, signal: AbortSignal): Promise<Told | undefined> {
  const request = {
    command: 'apply',
    allow: options.allow,
    ...(options.plan === undefined ? {} : { plan: options.plan }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  }
  const progress = createProgress(output)
  let committed = false
  const onEvent = (event: JsonObject): void => {
    committed = true
    progress.tell(event['host'] as unknown as HostState)
  }
  try {
    return (await askControl(controlPath(options.stateFile), request, onEvent, signal)) as unknown as Told
  } catch (error) {
    if (signal.aborted) throw interrupted(committed, options)
    if (error instanceof ControlError && error.code === 'absent') return undefined
    throw error
  } finally {
    await progress.end()
  }
}

/** The server tells of hosts once it has committed. */
function interrupted(committed: boolean, { dir, stateFile }: ApplyOptions): CommandError {
  const state = stateFile === defaultStateFile(dir) ? '' : ` --state ${stateFile}`
  return committed
    ? new CommandError('interrupted: the revision is committed, and the hosts go on to it by themselves', {
        hint: `netloom status ${dir}${state} shows how far they are`,
        exit: EXIT.notConverged,
      })
    : new CommandError('interrupted: the server may have committed, and goes on if so', {
        hint: `netloom history ${dir}${state}; if there is no new revision, the same command again`,
      })
}

async function applyOffline(options: ApplyOptions, allow: Allowed, output: Output): Promise<Told> {
  const look = await lookOffline(options.dir, options.stateFile, 'write')
  try {
    if (look.warnings.length > 0) output.say(issuesText(options.dir, look.warnings, output))
    const controller = new Controller({
      engine: look.context.engine,
      kinds: look.context.kinds,
      registry: look.context.directory.registry,
      running: look.context.directory.running,
      subscriptions: look.context.directory.subscriptions,
      store: look.store,
      hub: { publish: () => [] },
      base: look.base,
      siteOf: (base) => siteOf(base.world),
      mode: 'manual',
      now: Date.now,
      log: () => {},
      onRevision: () => {},
      // Only a server has somebody to tell.
      onAbort: () => {},
    })
    const { info, vanished } = look.read.git
    await controller.consider({
      tree: look.read.tree,
      touched: new Set(),
      vanished: vanishedFromHead(vanished),
      locate: locatorFor(look.dir, look.context.kinds, look.read),
      ...(info === undefined ? {} : { git: info }),
    })
    return await controller.apply({
      allow,
      ...(options.plan === undefined ? {} : { plan: options.plan }),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    })
  } finally {
    await look.store.close()
  }
}
