import { type DefaultRenderer, Listr, type ListrTask } from 'listr2'
import { count } from '../lib/text.ts'
import type { HostState } from '../server/render/fleet.ts'
import type { Output } from './output.ts'

/** How hosts come to hold a revision, while it happens. */
export interface Progress {
  /** A host's state, each time it changes. */
  tell(state: HostState): void
  /** No more comes. Resolves when the last line is written. */
  end(): Promise<void>
}

/** On a terminal a line for each host, which changes in place, all collapsing into one at the end; else a line for every change. */
export function createProgress(output: Output): Progress {
  return output.interactive ? liveProgress() : plainProgress(output)
}

/** `h1  Applying  Progressing  2 waiting` */
function hostLine({ host, sync, health, notes }: HostState): string {
  return [host, sync, health, ...(notes.length === 0 ? [] : [notes.join('; ')])].join('  ')
}

function plainProgress(output: Output): Progress {
  return { tell: (state) => output.say(hostLine(state)), end: () => Promise.resolve() }
}

/** The server tells of all hosts at once, and then of changes: this long the first are gathered, since lines cannot be added to a list that is drawn. */
const GATHER_MS = 50
const REDRAW_MS = 100

function liveProgress(): Progress {
  const began = performance.now()
  const rows = new Map<string, Row>()
  let drawn: Promise<void> | undefined
  return {
    tell(state) {
      const row = rows.get(state.host) ?? createRow(began)
      rows.set(state.host, row)
      row.tell(state)
      drawn ??= new Promise((resolve) => setTimeout(resolve, GATHER_MS)).then(() => draw([...rows.values()], began))
    },
    async end() {
      for (const row of rows.values()) row.end()
      await drawn
    },
  }
}

async function draw(rows: readonly Row[], began: number): Promise<void> {
  const all: ListrTask<unknown, typeof DefaultRenderer> = {
    title: count(rows.length, 'host'),
    task: async (_, task) => {
      const list = task.newListr(
        rows.map((row) => row.task),
        { concurrent: true, exitOnError: false },
      )
      const there = Promise.all(rows.map((row) => row.outcome)).then((outcomes) => outcomes.filter((ok) => ok).length)
      void there.then((n) => {
        task.title = `${n === rows.length ? count(n, 'host') : `${n} of ${count(rows.length, 'host')}`} in ${seconds(began)}`
      })
      return list
    },
  }
  // The command ends by signals as it does without a list.
  await new Listr([all], { exitOnError: false, registerSignalListeners: false }).run()
}

interface Row {
  readonly task: ListrTask<unknown, typeof DefaultRenderer>
  /** True once the host is there; false when the end comes before. */
  readonly outcome: Promise<boolean>
  tell(state: HostState): void
  end(): void
}

function createRow(began: number): Row {
  let line = ''
  let settle: (there: boolean) => void = () => {}
  const outcome = new Promise<boolean>((resolve) => {
    settle = resolve
  })
  let time: string | undefined
  const title = (): string => `${line}  ${time ?? seconds(began)}`
  return {
    outcome,
    task: {
      // A title that is not empty from the beginning is one that the list lets be changed.
      title: ' ',
      task: async (_, task) => {
        task.title = title()
        const clock = setInterval(() => {
          task.title = title()
        }, REDRAW_MS)
        const there = await outcome
        clearInterval(clock)
        task.title = title()
        if (!there) throw new Error(title())
      },
    },
    tell(state) {
      line = hostLine(state)
      if (state.sync !== 'Synced' || state.health === 'Progressing') return
      time ??= seconds(began)
      settle(true)
    },
    end: () => settle(false),
  }
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}
