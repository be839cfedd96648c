import type { DriftItem } from '../model/status.ts'
import { askControl, ControlError } from '../server/control/socket.ts'
import { renderDrift } from '../server/render/drift.ts'
import { controlPath } from '../server/serve.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'
import { askServer } from './status.ts'

interface HostDrift {
  readonly host: string
  readonly items?: readonly DriftItem[]
  readonly error?: string
}

/** `netloom drift`: every host reads its switch again and compares. Nothing is written, neither by the server nor by an agent. */
export async function drift(stateFile: string, detailed: boolean, output: Output): Promise<ExitCode> {
  const answers = await ask(stateFile)
  const status = await askServer(stateFile)
  const items = answers.flatMap((a) => (a.items ?? []).map((item) => ({ host: a.host, ...item })))
  const silent = answers.filter((a) => a.error !== undefined)
  output.result({ hosts: answers, drift: items }, () => {
    if (status === undefined) return 'the server ended'
    const places = new Map(status.places)
    const fleet = {
      ...status.fleet,
      targets: new Map(status.fleet.targets),
      drift: items,
      unheard: new Set(silent.map((s) => s.host)),
      now: Date.now(),
    }
    const text = renderDrift({ ...fleet, places: (key) => places.get(key) ?? undefined }, styleOf(output))
    return [text, ...silent.map((s) => `${s.host}: did not answer (${s.error ?? ''}); nothing is known of its switch now`)].join('\n')
  })
  if (silent.length > 0) return EXIT.error
  return detailed && items.some((i) => i.kind !== 'foreign') ? EXIT.changes : EXIT.clean
}

async function ask(stateFile: string): Promise<readonly HostDrift[]> {
  try {
    return (await askControl(controlPath(stateFile), { command: 'drift' }))['hosts'] as unknown as readonly HostDrift[]
  } catch (error) {
    if (!(error instanceof ControlError) || error.code !== 'absent') throw error
    throw new CommandError(`no server runs on ${stateFile}`, {
      hint: 'start `netloom serve`, or ask one host by itself: netloom-agentd drift --host NAME',
      cause: error,
    })
  }
}
