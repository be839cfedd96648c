import test from 'ava'
import { type Look, type Settling, settle, type Verdict } from '../../../src/server/repo/settle.ts'

// Each story is a list of looks; the clock stands in `at`. What is checked is the verdict after each.
function story(...looks: (Partial<Look> & { at: number })[]): string[] {
  let state: Settling | undefined
  return looks.map((look) => {
    const step = settle(state, { changed: 0, removed: 0, moved: false, doubtful: false, ...look })
    state = step.state
    return said(step.verdict)
  })
}

function said(verdict: Verdict): string {
  return verdict.act ? 'act' : verdict.until === undefined ? 'rest' : `until ${verdict.until}`
}

test('one changed file is read twice, 20 ms apart, and acted on', (t) => {
  t.deepEqual(story({ at: 0, changed: 1, moved: true }, { at: 20, changed: 1 }), ['until 20', 'act'])
})

test('a look that comes early waits for the rest of the 20 ms', (t) => {
  t.deepEqual(story({ at: 0, changed: 1, moved: true }, { at: 7, changed: 1 }, { at: 21, changed: 1 }), ['until 20', 'until 20', 'act'])
})

test('a file that is still being written is waited for', (t) => {
  const looks = [0, 20, 40, 60].map((at) => ({ at, changed: 1, moved: true }))
  t.deepEqual(story(...looks, { at: 80, changed: 1 }), ['until 20', 'until 40', 'until 60', 'until 80', 'act'])
})

test('a half-written file wants 300 ms of quiet', (t) => {
  t.deepEqual(
    story(
      { at: 0, changed: 1, moved: true, doubtful: true },
      { at: 20, changed: 1, doubtful: true },
      { at: 300, changed: 1, doubtful: true },
    ),
    ['until 300', 'until 300', 'act'],
  )
})

test('two files, or one that is gone, want 300 ms of quiet', (t) => {
  t.deepEqual(story({ at: 0, changed: 2, moved: true }, { at: 100, changed: 3, moved: true }, { at: 400, changed: 3 }), [
    'until 300',
    'until 400',
    'act',
  ])
  t.deepEqual(story({ at: 0, removed: 1, moved: true }, { at: 300, removed: 1 }), ['until 300', 'act'])
})

test('a file deleted and made again within the quiet time was one change', (t) => {
  t.deepEqual(story({ at: 0, removed: 1, moved: true }, { at: 200, changed: 1, moved: true }, { at: 220, changed: 1 }), [
    'until 300',
    'until 220',
    'act',
  ])
})

test('a change that is taken back is nothing to act on', (t) => {
  t.deepEqual(story({ at: 0, changed: 1, moved: true }, { at: 10, moved: true }), ['until 20', 'rest'])
})

test('while git is at work nothing is acted on, however long it takes', (t) => {
  const looks = [0, 50, 60_000].map((at) => ({ at, operation: 'a rebase is not finished' }))
  t.deepEqual(story(...looks), ['until 50', 'until 100', 'until 60050'])
})

test('after git is done a single file wants quiet too, counted from its end', (t) => {
  t.deepEqual(
    story({ at: 0, changed: 1, moved: true }, { at: 10, operation: 'x' }, { at: 60, changed: 1, moved: true }, { at: 360, changed: 1 }),
    ['until 20', 'until 60', 'until 360', 'act'],
  )
})

test('git came and went without a difference: at rest, and the next save is quick again', (t) => {
  t.deepEqual(story({ at: 0, operation: 'x' }, { at: 50 }, { at: 90, changed: 1, moved: true }, { at: 110, changed: 1 }), [
    'until 50',
    'rest',
    'until 110',
    'act',
  ])
})

test('a tree that never comes to rest is acted on after 5 s, counted from when git was done', (t) => {
  const looks = Array.from({ length: 30 }, (_, i) => ({ at: 1000 + i * 200, changed: 2 + i, moved: true }))
  const verdicts = story({ at: 0, operation: 'x' }, { at: 800, operation: 'x' }, ...looks)
  t.is(verdicts.indexOf('act') - 2, 24)
  t.is(looks[24]?.at, 5800)
})
