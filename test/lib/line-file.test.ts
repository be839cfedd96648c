import test from 'ava'
import { type LineFiles, openLineFile } from '../../src/lib/line-file.ts'

function memory() {
  const held = new Map<string, string>()
  const state = { full: false }
  const files: LineFiles = {
    mkdir: async () => undefined,
    appendFile: async (path, text) => {
      if (state.full) throw new Error('ENOSPC')
      held.set(path, `${held.get(path) ?? ''}${text}`)
    },
    stat: async (path) => {
      const text = held.get(path)
      if (text === undefined) throw new Error('ENOENT')
      return { size: text.length }
    },
    rename: async (from, to) => {
      held.set(to, held.get(from) ?? '')
      held.delete(from)
    },
  }
  return { held, state, files }
}

const setTimer = (ms: number, fn: () => void): { cancel(): void } => {
  const timer = setTimeout(fn, ms)
  return { cancel: () => clearTimeout(timer) }
}

const settle = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, 150))

test('lines in order; what is full becomes .1, and there is no third', async (t) => {
  const { held, files } = memory()
  held.set('d/log', 'before\n')
  const file = openLineFile({ path: 'd/log', maxBytes: 20, files, setTimer, onTrouble: () => t.fail() })
  for (const line of ['one', 'two', 'three']) {
    file.add(line)
    await settle()
  }
  t.is(held.get('d/log'), 'three\n')
  t.is(held.get('d/log.1'), 'before\none\ntwo\n')
  file.add('a line that is longer than the file may be')
  file.add('last')
  await file.close()
  t.is(held.get('d/log'), 'a line that is longer than the file may be\nlast\n')
  t.is(held.get('d/log.1'), 'three\n')
  t.is(held.size, 2)
})

test('a full disk is told once, and what was lost when it works again', async (t) => {
  const { held, state, files } = memory()
  const told: object[] = []
  const file = openLineFile({ path: 'd/log', maxBytes: 1000, files, setTimer, onTrouble: (trouble) => told.push(trouble) })
  state.full = true
  file.add('a')
  file.add('b')
  await settle()
  file.add('c')
  await settle()
  state.full = false
  file.add('d')
  await file.close()
  t.deepEqual(told, [{ error: 'Error: ENOSPC' }, { lost: 3 }])
  t.is(held.get('d/log'), 'd\n')
})
