import test from 'ava'
import { createPresence } from '../../src/server/presence.ts'
import { MISSING_MS } from '../../src/server/render/fleet.ts'

test('new once, down once, revived once; a server that starts gives everybody the time to report', (t) => {
  const presence = createPresence(['old'], 1000)
  t.deepEqual(presence.heard('fresh', 1001), [{ name: 'agent/new', host: 'fresh' }])
  t.deepEqual(presence.heard('fresh', 1002), [])
  t.deepEqual(presence.missing(1000 + MISSING_MS), [])
  t.deepEqual(presence.missing(1001 + MISSING_MS), [{ name: 'agent/down', host: 'old' }])
  t.deepEqual(presence.missing(1002 + MISSING_MS), [], 'told once')
  t.deepEqual(presence.missing(1003 + MISSING_MS), [{ name: 'agent/down', host: 'fresh' }])
  t.deepEqual(presence.heard('old', 2000 + MISSING_MS), [{ name: 'agent/revived', host: 'old' }])
  t.deepEqual(presence.heard('old', 2001 + MISSING_MS), [])
  t.deepEqual(presence.missing(2001 + 2 * MISSING_MS), [])
})
