import type { JsonObject } from '../model/brand.ts'
import { type ControlServer, listenControl } from './control/socket.ts'
import type { ApplyOutcome } from './controller.ts'
import { flowsOf, impactParts } from './flows.ts'
import { parseAllow } from './guard/allow.ts'
import type { Proposal } from './proposal.ts'
import { type HostState, hasLeft, hostStates } from './render/fleet.ts'
import { controlPath, type Server } from './serve.ts'

/** How long `apply` watches hosts converge before it says that not all have. */
const CONVERGE_MS = 60_000
/** A host not heard of may just be starting, one in error may be trying again: they are waited for this long. */
const MISSING_GRACE_MS = 8_000
/** Saves come to rest within five seconds; git that is at work for longer is being worked with. */
const REST_MS = 6_000
const ASK_MS = 15_000
/** Waiting calls of subscribers that `status` names. */
export const SHOWN_CALLS = 100

/** What a running server does for the commands of its machine. Nothing here changes desired state except by applying what the repo says. */
export async function openDuty(server: Server, stateFile: string): Promise<ControlServer> {
  return await listenControl(controlPath(stateFile), async (request, emit) => {
    switch (request['command']) {
      case 'plan':
        await atRest(server)
        return await previewed(server, request, emit)
      case 'apply':
        return await applyAndWatch(server, request, emit)
      case 'status':
        return await status(server)
      case 'drift':
        return await drift(server)
      default:
        throw new Error(`this server does not know the command ${String(request['command'])}; is the command of another version?`)
    }
  })
}

/** What lies in the repository now, at rest: never the state before the last save. Not to be awaited in the queue, which the reading of a new state needs. */
async function atRest(server: Server): Promise<void> {
  const end = performance.now() + REST_MS
  for (;;) {
    await server.rescan()
    const { phase, why = '' } = server.watching()
    if (phase !== 'waiting' && phase !== 'failing') return
    if (performance.now() > end) throw new Error(`the repository is left alone for now: ${why}; the last good state serves`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The plan as it is made in the queue; worlds never change, so what it does to switches is worked out beside whatever comes next. */
async function previewed(server: Server, request: JsonObject, emit: (event: JsonObject) => void): Promise<JsonObject> {
  const proposal = await server.queue.add(() => preview(server))
  if (proposal === undefined) return { issues: [] }
  const { flows, hosts } = request
  if (flows === true) {
    const wanted = Array.isArray(hosts) ? hosts.map(String) : undefined
    const impacts = flowsOf(proposal, wanted, (host) => server.record(host)?.agent)
    for await (const impact of impacts) for (const part of impactParts(impact)) emit(plain({ impact: part }))
  }
  const { issues, ready } = proposal
  return plain({ issues, ...(ready === undefined ? {} : { plan: ready.plan }) })
}

async function preview(server: Server): Promise<Proposal | undefined> {
  const proposal = server.controller.preview()
  const plan = proposal?.ready?.plan
  if (plan !== undefined && plan.changes.length > 0) await server.store.savePlan(plan)
  return proposal
}

async function applyAndWatch(server: Server, request: JsonObject, emit: (event: JsonObject) => void): Promise<JsonObject> {
  await atRest(server)
  await server.takeOver.heard(server.controller.tree)
  const allow = (request['allow'] as readonly string[] | undefined) ?? []
  const id = request['plan']
  const reason = request['reason']
  const outcome: ApplyOutcome = await server.queue.add(() =>
    server.controller.apply({
      allow: parseAllow(allow).allowed,
      ...(typeof id === 'string' ? { plan: id } : {}),
      ...(typeof reason === 'string' ? { reason } : {}),
    }),
  )
  if (outcome.outcome !== 'applied') return plain({ ...outcome })
  const hosts = await watchHosts(server, outcome.hosts, emit)
  return plain({ ...outcome, views: hosts, converged: hosts.every(isThere) })
}

function isThere(state: HostState): boolean {
  return state.sync === 'Synced' && state.health !== 'Progressing' && state.health !== 'Stalled'
}

/** Emits each host's state when it changes, until all concerned are there or cannot be, or time is up. */
async function watchHosts(server: Server, concerned: readonly string[], emit: (event: JsonObject) => void): Promise<readonly HostState[]> {
  const end = Date.now() + CONVERGE_MS
  const patience = Date.now() + MISSING_GRACE_MS
  const told = new Map<string, string>()
  for (;;) {
    const states = hostStates(server.fleet()).filter((s) => concerned.includes(s.host))
    for (const state of states) {
      const text = `${state.sync} ${state.health} ${state.notes.join('; ')}`
      if (told.get(state.host) === text) continue
      told.set(state.host, text)
      emit(plain({ host: state }))
    }
    // A host that is missing or in error may be on its way: it has a moment before it counts.
    const given = Date.now() > patience
    const stuck = new Set(['Missing', 'Degraded', 'Stalled'])
    const open = states.filter((s) => !(isThere(s) && !stuck.has(s.health)) && !(given && stuck.has(s.health)))
    if (open.length === 0 || Date.now() > end) return states
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function status(server: Server): Promise<JsonObject> {
  const { repo } = server.controller
  const fleet = server.fleet()
  return plain({
    fleet: { ...fleet, targets: [...fleet.targets].map(([host, t]) => [host, { digest: t.digest }]) },
    refused: server.hub.refused(),
    ...(server.keys === undefined ? {} : { keys: [...server.keys()] }),
    repo: repo.state,
    ...waitingNow(server),
    issues: repo.issues,
    callbacks: await server.callbacks.waiting(SHOWN_CALLS),
    ...('plan' in repo ? { plan: repo.plan } : {}),
    places: [...new Set(fleet.status.map((s) => s.key))].map((key) => [key, server.controller.tree.places.get(key)]),
  })
}

function waitingNow(server: Server): { readonly waiting?: string } {
  const { phase, why } = server.watching()
  return (phase === 'waiting' || phase === 'failing') && why !== undefined ? { waiting: why } : {}
}

/** Asks every host to read its switch again and compare; nothing is written anywhere. */
async function drift(server: Server): Promise<JsonObject> {
  const hosts = [...server.hub.targets()].flatMap(([host, target]) => (hasLeft(target) ? [] : [host])).sort()
  const answers = await Promise.all(hosts.map(async (host) => ({ host, answer: await server.ask(host, { what: 'drift' }, ASK_MS) })))
  return plain({
    hosts: answers.map(({ host, answer }) =>
      answer.ok ? { host, items: answer.data['items'] ?? [] } : { host, error: answer.code, detail: answer.data },
    ),
  })
}

/** Values of ours are plain JSON; this says so to the type checker at the one place where they leave. */
function plain(value: object): JsonObject {
  return value as JsonObject
}
