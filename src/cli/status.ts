import type { Issue, Place } from '../model/issue.ts'
import type { Key } from '../model/key.ts'
import { askControl, ControlError } from '../server/control/socket.ts'
import type { RepoState } from '../server/controller.ts'
import { fleetInput, rememberedHosts } from '../server/fleet.ts'
import type { Plan } from '../server/plan/types.ts'
import { type FleetInput, type HostState, hostStates } from '../server/render/fleet.ts'
import { issueJson } from '../server/render/issue.ts'
import { renderStatus } from '../server/render/status.ts'
import type { RenderStyle } from '../server/render/style.ts'
import { controlPath } from '../server/serve.ts'
import { openStore } from '../server/store/open.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'

/** What a running server says of itself and its hosts. */
export interface StatusAnswer {
  readonly fleet: Omit<FleetInput, 'targets'> & { readonly targets: readonly (readonly [string, { readonly digest: string }])[] }
  readonly repo: RepoState['state']
  readonly issues: readonly Issue[]
  readonly plan?: Plan
  readonly places: readonly (readonly [Key, Place | null])[]
}

/** `netloom status`: from the running server; without one, what was last known, and says so. */
export async function status(stateFile: string, output: Output): Promise<ExitCode> {
  const { data, text } = await readStatus(stateFile)
  output.result(data, () => text(styleOf(output)))
  return EXIT.clean
}

export interface StatusView {
  /** What `--json` prints. */
  readonly data: {
    readonly server: boolean
    readonly repo: RepoState['state'] | null
    readonly issues: readonly object[]
    readonly revision: number
    readonly hosts: readonly HostState[]
    readonly objects: FleetInput['status']
  }
  readonly text: (style: RenderStyle) => string
}

export async function readStatus(stateFile: string): Promise<StatusView> {
  const answer = await askServer(stateFile)
  const fleet = answer === undefined ? await lastKnown(stateFile) : { ...answer.fleet, targets: new Map(answer.fleet.targets) }
  return {
    data: {
      server: answer !== undefined,
      repo: answer?.repo ?? null,
      issues: (answer?.issues ?? []).map(issueJson),
      revision: fleet.revision,
      hosts: hostStates(fleet),
      objects: fleet.status,
    },
    text: (style) => [renderStatus(fleet, style), ...repoLines(answer)].join('\n'),
  }
}

function repoLines(answer: StatusAnswer | undefined): string[] {
  if (answer === undefined) return ['no server runs on this state file: this is what was last known']
  const errors = answer.issues.filter((i) => i.severity === 'error')
  const [first] = errors
  switch (answer.repo) {
    case 'broken':
      return [
        `The repository has ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}; the last good state serves. First: ${first?.place?.file ?? ''}:${first?.place?.line ?? ''} ${first?.code ?? ''} ${first?.message ?? ''}`,
        'next: netloom validate',
      ]
    case 'blocked':
      return [
        `Plan ${answer.plan?.id ?? ''} is refused: ${(answer.plan?.blocked ?? []).map((b) => b.message).join('; ')}`,
        'next: netloom plan',
      ]
    case 'pending':
      return (answer.fleet.first?.awaited ?? []).length > 0
        ? [`Plan ${answer.plan?.id ?? ''} waits for them.`]
        : [`Plan ${answer.plan?.id ?? ''} waits.`, 'next: netloom plan, then netloom apply']
    case 'unread':
      return ['The repository has not been read yet.']
    case 'clean':
      return []
  }
}

/** Undefined when no server runs on this state file. */
export async function askServer(stateFile: string): Promise<StatusAnswer | undefined> {
  try {
    return (await askControl(controlPath(stateFile), { command: 'status' })) as unknown as StatusAnswer
  } catch (error) {
    if (error instanceof ControlError && error.code === 'absent') return undefined
    throw error
  }
}

async function lastKnown(stateFile: string): Promise<FleetInput> {
  const store = await openStore(stateFile, { access: 'read' })
  try {
    const current = await store.currentRevision()
    return fleetInput(current?.revision ?? 0, new Map(), await rememberedHosts(store), Date.now(), 0)
  } finally {
    await store.close()
  }
}
