import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { labDir, tagOf } from '../lab/names.ts'
import type { Issue, Place } from '../model/issue.ts'
import type { Key } from '../model/key.ts'
import { viewOf } from '../server/callbacks/view.ts'
import { askControl, ControlError } from '../server/control/socket.ts'
import type { RepoState } from '../server/controller.ts'
import { SHOWN_CALLS } from '../server/duty.ts'
import { fleetInput, rememberedHosts } from '../server/fleet.ts'
import type { Plan } from '../server/plan/types.ts'
import { type CallsView, renderCallbacks } from '../server/render/callbacks.ts'
import { type FleetInput, type HostState, hostStates } from '../server/render/fleet.ts'
import { issueJson } from '../server/render/issue.ts'
import { type RefusedState, refusedLines } from '../server/render/keys.ts'
import { renderStatus } from '../server/render/status.ts'
import type { RenderStyle } from '../server/render/style.ts'
import { controlPath } from '../server/serve.ts'
import { StoreError } from '../server/store/error.ts'
import { openStore } from '../server/store/open.ts'
import type { Store } from '../server/store/types.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'

/** What a running server says of itself and its hosts. */
export interface StatusAnswer {
  readonly fleet: Omit<FleetInput, 'targets'> & { readonly targets: readonly (readonly [string, { readonly digest: string }])[] }
  readonly repo: RepoState['state']
  /** Why the repository is not read for now. */
  readonly waiting?: string
  readonly issues: readonly Issue[]
  readonly callbacks: CallsView
  readonly plan?: Plan
  /** What was not let in since the server started. */
  readonly refused?: readonly RefusedState[]
  /** Host → public key of those that are; absent when the server runs without keys. */
  readonly keys?: readonly (readonly [string, string])[]
  readonly places: readonly (readonly [Key, Place | null])[]
}

/** `netloom status`: from the running server; without one, what was last known, and says so. */
export async function status(dir: string, stateFile: string, output: Output): Promise<ExitCode> {
  const { data, text } = await readStatus(stateFile).catch((error: unknown) => {
    throw error instanceof StoreError && error.code === 'missing' ? nothingHere(dir, stateFile) : error
  })
  output.result(data, () => text(styleOf(output)))
  return EXIT.clean
}

/** There is no server and no state file: perhaps a lab, which has both of its own. */
function nothingHere(dir: string, stateFile: string): CommandError {
  const what = `nothing was ever applied from ${dir}: no server runs, and there is no state file ${stateFile}`
  return existsSync(labDir(tagOf(resolve(dir))))
    ? new CommandError(`${what}; a lab is up for it`, { hint: `netloom lab status ${dir}` })
    : new CommandError(what, { hint: `netloom plan ${dir}; or name the state file of a server that runs elsewhere: --state FILE` })
}

export interface StatusView {
  /** What `--json` prints. */
  readonly data: {
    readonly server: boolean
    readonly repo: RepoState['state'] | null
    /** Why the repository is not read for now. */
    readonly waiting: string | null
    readonly issues: readonly object[]
    readonly revision: number
    readonly hosts: readonly HostState[]
    readonly objects: FleetInput['status']
    readonly callbacks: CallsView
    readonly refused: readonly RefusedState[]
  }
  readonly text: (style: RenderStyle) => string
}

export async function readStatus(stateFile: string): Promise<StatusView> {
  const answer = await askServer(stateFile)
  const { fleet, callbacks } =
    answer === undefined
      ? await lastKnown(stateFile)
      : { callbacks: answer.callbacks, fleet: { ...answer.fleet, targets: new Map(answer.fleet.targets) } }
  return {
    data: {
      server: answer !== undefined,
      repo: answer?.repo ?? null,
      waiting: answer?.waiting ?? null,
      issues: (answer?.issues ?? []).map(issueJson),
      revision: fleet.revision,
      hosts: hostStates(fleet),
      objects: fleet.status,
      callbacks,
      refused: answer?.refused ?? [],
    },
    text: (style) => {
      const calls = renderCallbacks(callbacks, Date.now(), answer !== undefined, style)
      return [
        renderStatus(fleet, style),
        ...(calls === '' ? [] : [calls]),
        ...refusedLines(answer?.refused ?? []),
        ...waitingLine(answer),
        ...repoLines(answer),
      ].join('\n')
    },
  }
}

function waitingLine(answer: StatusAnswer | undefined): string[] {
  return answer?.waiting === undefined ? [] : [`The repository is left alone for now: ${answer.waiting}; the last good state serves.`]
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

async function hostsOf(store: Store): Promise<readonly string[]> {
  const hosts: string[] = []
  for await (const page of store.declared()) hosts.push(...page.filter((d) => d.kind === 'host').map((d) => d.name))
  return hosts.sort()
}

async function lastKnown(stateFile: string): Promise<{ readonly fleet: FleetInput; readonly callbacks: CallsView }> {
  const store = await openStore(stateFile, { access: 'read' })
  try {
    const current = await store.currentRevision()
    const known = fleetInput(current?.revision ?? 0, new Map(), await rememberedHosts(store), Date.now(), 0)
    const fleet = known.agents.length > 0 ? known : { ...known, first: { declared: await hostsOf(store), awaited: [], awaitedMs: 0 } }
    return { fleet, callbacks: viewOf(await store.callbacks.waiting(SHOWN_CALLS), [], SHOWN_CALLS) }
  } finally {
    await store.close()
  }
}
