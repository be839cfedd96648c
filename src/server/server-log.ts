import type { Site } from '../kinds/kind.ts'
import { sameJson } from '../lib/json.ts'
import type { Hello } from '../wire/messages.ts'
import type { Controller } from './controller.ts'
import { unknownHostMessage } from './hub/security.ts'
import type { GitInfo } from './plan/types.ts'

export type ServerLog = (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void

/** A commit in logs, here and on hosts: its whole name, and `+` where the revision holds changes that it does not. */
export function commitText(git: GitInfo | undefined): { readonly commit?: string } {
  return git === undefined ? {} : { commit: `${git.commit}${git.dirty ? '+' : ''}` }
}

/** Names are whatever strangers say. */
const MAX_STRANGERS = 1000

/** An agent whose host the repository does not name says hello for ever: that is told once, until the host is known. */
export function createGreeter(log: ServerLog): (hello: Hello, known: boolean) => void {
  const strangers = new Set<string>()
  return ({ host, version, origin }, known) => {
    if (known) {
      strangers.delete(host)
      log('info', 'agent connected', { host, version })
    } else if (!strangers.has(host) && strangers.size < MAX_STRANGERS) {
      strangers.add(host)
      log('warn', unknownHostMessage(host), { host, version, ...(origin === undefined ? {} : { agent: origin.name }) })
    }
  }
}

/** Sockets are bound and threads are started once: a revision that names others takes effect at the next start. */
export function warnOfRestart(log: ServerLog, started: Site, now: Site): void {
  for (const setting of ['endpoints', 'workers'] as const) {
    if (!sameJson({ ...started[setting] }, { ...now[setting] }))
      log('warn', `${setting} changed: they take effect when the server is started again`, { ...now[setting] })
  }
}

/** Hosts have keys and the server asks for none: somebody believes to be protected. Told once. */
export function createKeylessWarner(log: ServerLog, hasKey: boolean): (keys: ReadonlyMap<string, string>) => void {
  let told = hasKey
  return (keys) => {
    if (told || keys.size === 0) return
    told = true
    log(
      'warn',
      'hosts have a public_key, and this server has no key: whoever reaches its addresses is let in, and agents with keys are not served',
      {
        hosts: keys.size,
        fix: 'put the server.key that they know back beside the state file, or name it with --keys, and start the server again',
      },
    )
  }
}

/** What the repository is now, where that is worth a line; `before`: what it was. */
export function tellRepo(log: ServerLog, controller: Controller, before: Controller['repo']['state']): void {
  const { repo } = controller
  if (repo.state === 'broken') {
    const first = repo.issues.find((i) => i.severity === 'error')
    log('warn', 'the repository has mistakes; the last good state serves', {
      errors: repo.issues.filter((i) => i.severity === 'error').length,
      first: first === undefined ? '' : `${first.place?.file ?? ''}:${first.place?.line ?? ''} ${first.code} ${first.message}`,
    })
  } else if (repo.state === 'blocked') {
    log('warn', 'a guard refuses the plan', {
      plan: repo.plan.id,
      guards: repo.plan.blocked.map((b) => b.message),
      override: repo.plan.blocked.map((b) => b.override),
    })
  } else if (before === 'broken' || before === 'blocked') {
    log('info', 'the repository is in order again')
  }
}
