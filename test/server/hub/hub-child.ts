import { startAgent, startHub } from './fleet.ts'
import { testKeys } from './test-keys.ts'
import { nextWorld, world } from './worlds.ts'

/* A process with a hub under way, keys on, that ends in the way it is told to (see endurance.test.ts): its exit code is the test. */

const never = { teardown: () => undefined }
const keys = testKeys()
const hub = await startHub(never, { heartbeatMs: 20, security: keys.security })
hub.setKeys(keys.list(['h1']))
const w = world({ fabric: { e: 1 } }, { h1: ['fabric'] })
hub.restore(1, w, [])
const agent = startAgent(never, { server: hub.endpoints.rpc, host: 'h1', keys: keys.of('h1') })
let revision = 1
const big = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`p${i}`, i]))
setInterval(() => {
  revision++
  hub.publish(revision, nextWorld(w, { fabric: { ...big, e: revision } }))
}, 2)
const timer = setInterval(() => {
  if (agent.offers.length < 20) return
  clearInterval(timer)
  if (process.argv[2] === 'exit') process.exit(7)
  if (process.argv[2] === 'throw') throw new Error('on purpose')
  void hub.close().then(() => process.exit(7))
}, 5)
