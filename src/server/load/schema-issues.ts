import type { ErrorObject } from 'ajv'
import { parseIp } from '../../lib/ip.ts'
import { didYouMean } from '../../lib/suggest.ts'
import { listed } from '../../lib/text.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import { NEUTRON_WORDS } from './neutron-words.ts'

/** A finding of the schema; `key` says that the path's last key itself is meant, not its value. */
export interface SchemaFinding extends Finding {
  readonly onKey: boolean
}

/**
 * Ajv's errors as findings in an operator's words, one per mistake. `subject` is how the resource is called ("port web-1"). `value` is
 * what was validated, `errors` come from a validator made with `allErrors` and `verbose`. `absent` says how to get an attribute that nobody
 * here brings.
 */
export function schemaFindings(subject: string, value: unknown, errors: readonly ErrorObject[], absent: AbsentAttribute): SchemaFinding[] {
  return onePerMistake(errors).map((error) => finding(subject, value, error, absent))
}

type AbsentAttribute = (attribute: string) => string | undefined

/**
 * A `oneOf` that fails reports the errors of every branch and then itself. Kept is what one branch says if its shape fits (its errors lie
 * deeper than the branch point, or name attributes); else only the `oneOf` itself.
 */
function onePerMistake(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let kept = errors.filter((e) => e.keyword !== 'if' && e.keyword !== 'propertyNames')
  for (const choice of errors.filter((e) => (e.keyword === 'oneOf' || e.keyword === 'anyOf') && Array.isArray(e.schema))) {
    const prefix = `${choice.schemaPath}/`
    const inside = kept.filter((e) => e.schemaPath.startsWith(prefix) && e.instancePath.startsWith(choice.instancePath))
    const branches = new Map<string, ErrorObject[]>()
    for (const error of inside) {
      const branch = error.schemaPath.slice(prefix.length).split('/', 1)[0] ?? ''
      branches.set(branch, [...(branches.get(branch) ?? []), error])
    }
    const fitting = [...branches.values()].filter((of) => !of.some((e) => missesShape(e, choice.instancePath)))
    const best = fitting.length === 1 ? fitting[0] : undefined
    const drop = new Set<ErrorObject>(best === undefined ? inside : [choice, ...inside.filter((e) => !best.includes(e))])
    kept = kept.filter((e) => !drop.has(e))
  }
  return kept
}

function missesShape(error: ErrorObject, at: string): boolean {
  if (error.keyword === 'const') return true
  return error.instancePath === at && (error.keyword === 'type' || error.keyword === 'enum' || error.keyword === 'required')
}

function finding(subject: string, root: unknown, error: ErrorObject, absent: AbsentAttribute): SchemaFinding {
  const at = pointerPath(error.instancePath, root)
  const name = at.length === 0 ? subject : `${subject}: \`${pathText(at)}\``
  const make = RULES[error.keyword] ?? fallback
  return { at, onKey: false, ...make({ error, at, name, subject, params: error.params as Params, value: error.data, absent }) }
}

type Params = Readonly<Record<string, unknown>>

interface Context {
  readonly error: ErrorObject
  readonly at: ValuePath
  /** The resource and the attribute, e.g. "port web-1: `mac_address`". */
  readonly name: string
  readonly subject: string
  readonly params: Params
  readonly value: unknown
  readonly absent: AbsentAttribute
}

type Made = Pick<Finding, 'code' | 'message' | 'label' | 'hint'> & { readonly at?: ValuePath; readonly onKey?: boolean }

const RULES: Readonly<Record<string, (context: Context) => Made>> = {
  additionalProperties: unknownAttribute,
  unevaluatedProperties: unknownAttribute,
  required: ({ name, params }) => ({
    code: 'E0321',
    message: `${name}: \`${params['missingProperty']}\` is missing`,
    label: `needs \`${params['missingProperty']}\``,
    hint: `add \`${params['missingProperty']}:\``,
  }),
  type: typeMismatch,
  enum: notInList,
  const: ({ name, params, value }) => ({ code: 'E0323', message: `${name} must be ${shown(params['allowedValue'])}, not ${shown(value)}` }),
  pattern: badPattern,
  format: ({ name, params, value }) => ({ code: 'E0329', message: `${name}: ${shown(value)} is no ${params['format']}` }),
  minimum: outOfRange,
  maximum: outOfRange,
  exclusiveMinimum: outOfRange,
  exclusiveMaximum: outOfRange,
  multipleOf: ({ name, params, value }) => ({
    code: 'E0325',
    message: `${name} must be a multiple of ${params['multipleOf']}, not ${shown(value)}`,
  }),
  minLength: ({ name, params }) => ({
    code: 'E0326',
    message: params['limit'] === 1 ? `${name} cannot be empty` : `${name} needs at least ${params['limit']} characters`,
  }),
  maxLength: ({ name, params, value }) => ({
    code: 'E0326',
    message: `${name} has ${typeof value === 'string' ? [...value].length : '?'} characters, at most ${params['limit']} are allowed`,
  }),
  minItems: ({ name, params }) => ({
    code: 'E0327',
    message: `${name} needs at least ${params['limit']} ${params['limit'] === 1 ? 'item' : 'items'}`,
  }),
  maxItems: ({ name, params, value }) => ({
    code: 'E0327',
    message: `${name} has ${Array.isArray(value) ? value.length : '?'} items, at most ${params['limit']} are allowed`,
  }),
  minProperties: ({ name, params }) => ({ code: 'E0327', message: `${name} needs at least ${params['limit']} of its attributes` }),
  maxProperties: ({ name, params }) => ({ code: 'E0327', message: `${name} has more than ${params['limit']} members` }),
  uniqueItems: ({ name, params, at, value }) => ({
    code: 'E0327',
    message: `${name}: ${shown(itemOf(value, params['j']))} is listed twice`,
    at: [...at, Number(params['i'])],
    hint: 'remove one of the two',
  }),
  dependentRequired: dependency,
  dependencies: dependency,
  discriminator: ({ name, params }) => ({
    code: 'E0328',
    message: `${name}: \`${params['tag']}\` ${params['error'] === 'tag' ? 'is missing or no text' : `has no form ${shown(params['tagValue'])}`}`,
  }),
}

function unknownAttribute({ error, at, name, subject, params, absent }: Context): Made {
  const wrong = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
  const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {})
  const kind = subject.split(' ', 1)[0] ?? subject
  return {
    code: 'E0320',
    message: `${name}: unknown attribute \`${wrong}\``,
    at: [...at, wrong],
    onKey: true,
    label: at.length === 0 ? `not an attribute of a ${kind}` : `not an attribute of \`${pathText(at)}\``,
    hint: (at.length === 0 ? absent(wrong) : undefined) ?? unknownHint(wrong, known),
  }
}

/** A word of Neutron's has one translation, where that is an attribute here; else the nearest spelling, else all there are. */
function unknownHint(wrong: string, known: readonly string[]): string {
  const translation = NEUTRON_WORDS.get(wrong)
  if (translation !== undefined && 'instead' in translation) return translation.instead
  if (translation !== undefined && known.includes(translation.write)) return `write \`${translation.write}\``
  const near = didYouMean(wrong, known)
  return near !== undefined ? `did you mean \`${near}\`?` : `known are: ${known.toSorted().join(', ') || 'none'}`
}

function typeMismatch({ name, params, value, error }: Context): Made {
  const types = [params['type']].flat().map(String)
  const address = addressHint(error, types, value)
  if (address !== undefined) return { code: 'E0329', message: `${name}: the number ${shown(value)} is no address`, hint: address }
  const message = `${name}: expected ${listed(
    types.map((t) => TYPE_WORDS[t] ?? t),
    'or',
  )}, found ${described(value)}`
  const hint = typeHint(types, value) ?? explained(error)
  return { code: 'E0322', message, ...(hint === undefined ? {} : { hint }) }
}

/** `tunnel_ip: 10.0` is a number: quoted it would be text, and still no address. */
function addressHint(error: ErrorObject, types: readonly string[], value: unknown): string | undefined {
  const examples: unknown = error.parentSchema?.['examples']
  const example: unknown = Array.isArray(examples) ? examples[0] : undefined
  if (typeof value !== 'number' || !types.includes('string') || typeof example !== 'string') return undefined
  return parseIp(example.split('/', 1)[0] ?? '') === undefined ? undefined : `write it in full, such as ${example}`
}

function typeHint(types: readonly string[], value: unknown): string | undefined {
  if (value === null) return 'give it a value, or remove the line'
  if (types.includes('string') && (typeof value === 'number' || typeof value === 'boolean')) return `quote it: "${value}"`
  if (types.includes('array') && typeof value !== 'object') return `write a list: [${String(value)}]`
  if (typeof value !== 'string') return undefined
  if (types.some((t) => t === 'integer' || t === 'number') && /^-?\d+$/.test(value)) return `remove the quotes: ${Number(value)}`
  if (types.includes('boolean') && /^(?:yes|on|true|1|y|t|enabled?)$/i.test(value)) return 'write true'
  if (types.includes('boolean') && /^(?:no|off|false|0|n|f|disabled?)$/i.test(value)) return 'write false'
  return undefined
}

function notInList({ name, params, value }: Context): Made {
  const allowed = params['allowedValues'] as readonly unknown[]
  const texts = allowed.filter((a) => typeof a === 'string')
  const near = typeof value === 'string' ? didYouMean(value, texts) : undefined
  return {
    code: 'E0323',
    message: `${name}: ${shown(value)} is not one of ${allowed.map((a) => (typeof a === 'string' ? a : shown(a))).join(', ')}`,
    ...(near === undefined ? {} : { hint: `did you mean \`${near}\`?` }),
  }
}

function badPattern({ name, params, value, error }: Context): Made {
  return {
    code: 'E0324',
    message: `${name}: ${shown(value)} has the wrong form`,
    hint: explained(error) ?? `it must match ${params['pattern']}`,
  }
}

function outOfRange({ name, params, value, error }: Context): Made {
  const schema = error.parentSchema ?? {}
  const { minimum, maximum } = schema as { readonly minimum?: number; readonly maximum?: number }
  const range = minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : `${params['comparison']} ${params['limit']}`
  return { code: 'E0325', message: `${name}: ${shown(value)} is out of range`, label: `allowed: ${range}` }
}

function dependency({ name, params }: Context): Made {
  const missing = params['missingProperty']
  return { code: 'E0321', message: `${name}: \`${params['property']}\` needs \`${missing}\` beside it`, hint: `add \`${missing}:\`` }
}

function fallback({ error, name }: Context): Made {
  const hint = explained(error)
  const choice = error.keyword === 'oneOf' || error.keyword === 'anyOf' || error.keyword === 'not'
  const message = choice ? `${name} has none of the allowed forms` : `${name} ${error.message ?? `breaks the rule ${error.keyword}`}`
  return { code: 'E0328', message, ...(hint === undefined ? {} : { hint }) }
}

/** The schema's own sentence about the attribute. */
function explained(error: ErrorObject): string | undefined {
  const description: unknown = error.parentSchema?.['description']
  return typeof description === 'string' ? description : undefined
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a map',
  null: 'nothing',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  string: 'text',
}

function described(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  return `${typeof value === 'string' ? 'text' : TYPE_WORDS[typeof value]?.replace(/^true or false$/, 'boolean').replace(/^an? /, '')} ${shown(value)}`
}

const SHOWN_LENGTH = 60

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 1)}…` : text
}

function itemOf(value: unknown, index: unknown): unknown {
  return Array.isArray(value) ? value[Number(index)] : undefined
}

/** A JSON pointer as a path; numbers where the value holds a list. */
function pointerPath(pointer: string, root: unknown): ValuePath {
  const path: (string | number)[] = []
  let node = root
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(node) ? Number(step) : step)
    node = node !== null && typeof node === 'object' ? (node as Record<string, unknown>)[step] : undefined
  }
  return path
}

/** `fixed_ips[0].ip_address`. */
export function pathText(path: ValuePath): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('')
}
