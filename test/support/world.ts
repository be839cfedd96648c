import { Ajv } from 'ajv'
import { parseAllDocuments } from 'yaml'
import { ownNames } from '../../src/kinds/own-names.ts'
import type { JsonObject } from '../../src/model/brand.ts'
import type { Finding } from '../../src/model/issue.ts'
import { DEFAULT_PROJECT, type Key, keyParts, makeKey } from '../../src/model/key.ts'
import type { Declared } from '../../src/model/resource.ts'
import { createEngine } from '../../src/server/engine/engine.ts'
import type { Engine, World } from '../../src/server/engine/types.ts'
import { impliedBy } from '../../src/server/load/implied.ts'
import { kinds } from './kinds.ts'

/** Resources from YAML text as an operator writes it, without the loader: documents with collections, and `site:` for the site file. */
export interface Written {
  readonly declared: readonly Declared[]
  /** What the schemas and `normalise` say, as `findingText` puts it. */
  readonly findings: readonly string[]
}

export const engine: Engine = createEngine(kinds)
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true })
const schemas = new Map(kinds.map((k) => [k.kind, ajv.compile(k.schema as object)]))

export function write(yaml: string): Written {
  const parts = parseAllDocuments(yaml).map((d) => writeOne((d.toJS() ?? {}) as Document))
  return { declared: withImplied(parts.flatMap((p) => p.declared)), findings: parts.flatMap((p) => p.findings) }
}

const byName = new Map(kinds.map((k) => [k.kind, k]))

/** Besides, what these take for granted and nobody wrote. */
export function withImplied(declared: readonly Declared[]): readonly Declared[] {
  const implied = declared.flatMap((d) => impliedBy(byName, d)).map((d) => [d.key, d] as const)
  return [...new Map([...implied, ...declared.map((d) => [d.key, d] as const)]).values()]
}

type Document = Record<string, Record<string, JsonObject | null>>

function writeOne(document: Document): Written {
  const project = (document['project'] as unknown as string | undefined) ?? DEFAULT_PROJECT
  const declared: Declared[] = []
  const findings: string[] = []
  for (const kind of kinds) {
    const resources =
      kind.collection === '' ? (document['site'] === undefined ? {} : { site: document['site'] }) : (document[kind.collection] ?? {})
    for (const [name, value] of Object.entries(resources)) {
      const key = makeKey(kind.kind, kind.scope === 'global' ? '' : project, name)
      const spec = (value ?? {}) as JsonObject
      const validate = schemas.get(kind.kind)
      if (validate?.(spec) !== true) findings.push(`schema ${key}: ${ajv.errorsText(validate?.errors ?? null)}`)
      else {
        const normalised = kind.normalise(spec)
        findings.push(...normalised.findings.map((f) => findingText(key, f)))
        if (!normalised.findings.some((f) => f.severity === undefined || f.severity === 'error')) {
          declared.push({
            key,
            kind: kind.kind,
            project: kind.scope === 'global' ? '' : project,
            name,
            spec: ownNames(kind, normalised.spec, kind.scope === 'global' ? '' : project),
          })
        }
      }
    }
  }
  return { declared, findings }
}

/** `E0203 subnet b cidr: message (related, …) → hint`: everything a finding says, on one line. */
export function findingText(key: Key, finding: Finding): string {
  const { kind, name } = keyParts(key)
  const at = finding.at === undefined || finding.at.length === 0 ? '' : ` ${finding.at.join('.')}`
  const related =
    finding.related === undefined
      ? ''
      : ` (${finding.related.map((r) => `${r.key}${r.at ? ` ${r.at.join('.')}` : ''}: ${r.message}`).join('; ')})`
  return `${finding.code} ${kind} ${name}${at}: ${finding.message}${related} → ${finding.hint ?? ''}`
}

export function findingsOf(world: World): string[] {
  return [...world.findings].flatMap(([key, findings]) => findings.map((f) => findingText(key, f))).sort()
}

/** The world of one or several documents, all new at once. Throws on text that the schemas refuse. */
export function build(...yaml: readonly string[]): World {
  const written = yaml.map(write)
  const bad = written.flatMap((w) => w.findings).filter((f) => f.startsWith('schema'))
  if (bad.length > 0) throw new Error(bad.join('\n'))
  return engine.step(engine.empty(), { set: written.flatMap((w) => w.declared), del: [] }, { now: 0 }).world
}

/** Everything that is wrong with the documents. */
export function judge(...yaml: readonly string[]): readonly string[] {
  const written = yaml.map(write)
  const world = engine.step(engine.empty(), { set: written.flatMap((w) => w.declared), del: [] }, { now: 0 }).world
  return [...written.flatMap((w) => w.findings), ...findingsOf(world)]
}

/** The resolved spec of a resource, by its name in the default project or `project/name`; undefined when it is in error. */
export function spec(world: World, kind: string, name: string): JsonObject | undefined {
  const global = kinds.some((k) => k.kind === kind && k.scope === 'global')
  const slash = name.indexOf('/')
  const key = slash < 0 ? makeKey(kind, global ? '' : DEFAULT_PROJECT, name) : makeKey(kind, name.slice(0, slash), name.slice(slash + 1))
  return world.resources.get(key)?.spec
}
