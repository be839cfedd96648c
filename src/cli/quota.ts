import { didYouMean } from '../lib/suggest.ts'
import { projectsOf, quotaUses, quotaUsesOf } from '../server/plan/quota.ts'
import { renderQuota } from '../server/render/quota.ts'
import { demandAlias } from './demand-alias.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { lookOffline } from './offline.ts'
import { type Output, styleOf } from './output.ts'

export interface QuotaOptions {
  readonly dir: string
  readonly stateFile: string
  /** Left out: every project, and of each what is used or limited. */
  readonly project?: string
}

/** `netloom quota [PROJECT]`: limits of the current revision, and what is used of them. Reads the state file; needs no server. */
export async function showQuota({ dir, stateFile, project }: QuotaOptions, output: Output): Promise<ExitCode> {
  const look = await lookOffline(dir, stateFile, 'read')
  try {
    demandAlias(look.context.directory, 'quota_details', 'ml2')
    const { world, revision } = look.base
    const { kinds } = look.context
    const projects = projectsOf(world, kinds)
    if (project !== undefined && !projects.includes(project)) throw unknownProject(project, projects)
    const all = project === undefined ? quotaUses(world, kinds) : quotaUsesOf(world, kinds, project)
    const shown = project === undefined ? all.filter((use) => use.used > 0 || use.limit >= 0) : all
    const quotas = shown.map(({ project: of, collection, limit, used }) => {
      return { project: of, resource: collection, limit, used, free: limit < 0 ? null : Math.max(0, limit - used) }
    })
    output.result({ revision, quotas }, () => renderQuota(shown, styleOf(output)))
    return EXIT.clean
  } finally {
    await look.store.close()
  }
}

function unknownProject(project: string, projects: readonly string[]): CommandError {
  const near = didYouMean(project, projects)
  const known = `there are ${projects.join(', ') || 'none yet: netloom apply makes what the repository says'}`
  return new CommandError(`project ${project} has neither a resource nor a quota`, {
    hint: near === undefined ? known : `did you mean ${near}?`,
  })
}
