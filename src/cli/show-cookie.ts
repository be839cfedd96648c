import { COOKIE_PREFIX, type CookieUse, cookiesOf, PIPELINE_COOKIE } from '../../agentd/backends/compilers.ts'
import { type NetworkSpec, segmentsOf, segmentText } from '../kinds/network/spec.ts'
import { domainOf } from '../model/intent.ts'
import type { Place } from '../model/issue.ts'
import { displayKey, type Key, keyParts } from '../model/key.ts'
import type { Resource } from '../model/resource.ts'
import { headText, revisionText } from '../server/render/resource.ts'
import { openStore } from '../server/store/open.ts'
import type { RevisionInfo, Store } from '../server/store/types.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'

/** The resource a cookie leads back to. */
interface Owner {
  readonly use: CookieUse
  readonly key: Key
  readonly place?: Place
  /** The revision that took it away. */
  readonly gone?: number
}

const SAYS: Readonly<Record<CookieUse, (name: string) => string>> = {
  own: (name) => `flows of ${name}`,
  members: (name) => `flows by which rules know the addresses of ${name}`,
  flood: (name) => `flows that copy frames to all of ${name}`,
  learned: (name) => `addresses that the switch learned in ${name}, of others`,
  'learned-here': (name) => `addresses that the switch learned in ${name}, of its own ports`,
  adverts: (name) => `what routers say of themselves on ${name}`,
  snooped: (name) => `groups that ports of ${name} asked for`,
}

/** `netloom show --cookie 0x4e4c…`: from a flow in a dump to the resource it is for, its file and line, and the revision and commit that last changed it. Needs no server. */
export async function showCookie(stateFile: string, text: string, output: Output): Promise<ExitCode> {
  const cookie = cookieIn(text)
  if (cookie === PIPELINE_COOKIE) {
    output.result({ cookie, use: 'pipeline', key: null }, () => `${cookie}: flows that every host has; they are for no resource`)
    return EXIT.clean
  }
  const store = await openStore(stateFile, { access: 'read' })
  try {
    const owner = (await findOwner(store, cookie)) ?? (await findFormer(store, cookie))
    if (owner === undefined)
      throw new CommandError(`no resource of this state file has the cookie ${cookie}, now or before`, {
        hint: 'the flow is of another installation, or of one whose state file was lost: netloom drift lists what should not be there',
      })
    const changed = await lastChange(store, owner)
    const { use, key, place, gone } = owner
    output.result({ cookie, use, key, place: place ?? null, gone: gone !== undefined, changed: changed ?? null }, () =>
      [
        headText(owner, styleOf(output)),
        `    ${cookie}: ${SAYS[use](displayKey(key))}`,
        ...(changed === undefined
          ? []
          : [`    ${gone === undefined ? 'last changed in' : 'gone since'} ${revisionText(changed, Date.now())}`]),
      ].join('\n'),
    )
    return EXIT.clean
  } finally {
    await store.close()
  }
}

/** As `ovs-ofctl` writes it, or the dump's own word `cookie=0x…,`. */
function cookieIn(text: string): string {
  const digits = /^(?:cookie=)?(?:0x)?([0-9a-f]{1,16})(?:\/-1|\/0xf+)?,?$/i.exec(text.trim())?.[1]
  if (digits === undefined)
    throw new CommandError(`${text} is no cookie`, { hint: `write it as ovs-ofctl dump-flows does: ${COOKIE_PREFIX}…` })
  const cookie = `0x${digits.toLowerCase().replace(/^0+(?=.)/, '')}`
  if (!cookie.startsWith(COOKIE_PREFIX) || cookie.length !== 18)
    throw new CommandError(`${cookie} is no cookie of Netloom`, {
      hint: `those begin with ${COOKIE_PREFIX} and have 16 digits; the flow is somebody else's`,
    })
  return cookie
}

async function findOwner(store: Store, cookie: string): Promise<Owner | undefined> {
  for await (const page of store.resources()) {
    for (const { resource, place } of page) {
      const use = cookiesOf(resource.key, domainsOf(resource)).get(cookie)
      if (use !== undefined) return { use, key: resource.key, ...(place === undefined ? {} : { place }) }
    }
  }
  return undefined
}

/** A flow that a host still has although its resource is gone: the host is away, or behind. */
async function findFormer(store: Store, cookie: string): Promise<Owner | undefined> {
  for (const [key, gone] of await store.formerKeys()) {
    const before = keyParts(key).kind === 'network' ? await store.resourceAt(key, gone - 1) : undefined
    const use = cookiesOf(key, before === undefined ? [] : domainsOf(before)).get(cookie)
    if (use !== undefined) return { use, key, gone }
  }
  return undefined
}

function domainsOf({ key, kind, spec }: Resource): readonly string[] {
  if (kind !== 'network') return []
  const network = spec as unknown as NetworkSpec
  return network.segments === undefined
    ? [domainOf({ network: key })]
    : segmentsOf(network).map((segment) => domainOf({ network: key, segment: segmentText(segment) }))
}

async function lastChange(store: Store, { key, gone }: Owner): Promise<RevisionInfo | undefined> {
  const revision = gone ?? (await store.lifeOf(key)).at(-1)?.revision
  return revision === undefined ? undefined : await store.revision(revision)
}
