import type { AttributeExtension } from '../kinds/extension.ts'
import type { KindDefinition } from '../kinds/kind.ts'
import type { JsonObject } from '../model/brand.ts'
import type { Finding } from '../model/issue.ts'

/*
 * A third party's functions, fenced: an exception of theirs is one resource's mistake with the plugin's name, not the end of the server. What the engine itself
 * throws through them to set a resource aside is no error and passes.
 */

type Values = { readonly spec: JsonObject; readonly findings: readonly Finding[] }

export function guardKind(plugin: string, kind: KindDefinition): KindDefinition {
  const fence = fenceOf(`plugin ${plugin}: kind ${kind.kind}`)
  return {
    ...kind,
    normalise: (spec) => fence.values('normalise', spec, () => kind.normalise(spec)),
    references: (spec, project) => fence.must('references', () => kind.references(spec, project)),
    check: (resource, view) => fence.findings('check', () => kind.check(resource, view)),
    resolve: (resource, view, pools) => fence.values('resolve', resource.spec, () => kind.resolve(resource, view, pools)),
    lower: (resource, view) => fence.must('lower', () => kind.lower(resource, view)),
  }
}

export function guardExtension(plugin: string, extension: AttributeExtension): AttributeExtension {
  const fence = fenceOf(`plugin ${plugin}: attributes of kind ${extension.kind}`)
  const { normalise, references, check, resolve, lower } = extension
  return {
    ...extension,
    ...(normalise === undefined
      ? {}
      : { normalise: (values) => fence.values('normalise', values, () => normalise.call(extension, values)) }),
    ...(references === undefined ? {} : { references: (values) => fence.must('references', () => references.call(extension, values)) }),
    ...(check === undefined
      ? {}
      : { check: (resource, values, view) => fence.findings('check', () => check.call(extension, resource, values, view)) }),
    ...(resolve === undefined
      ? {}
      : {
          resolve: (resource, values, view, pools) =>
            fence.values('resolve', values, () => resolve.call(extension, resource, values, view, pools)),
        }),
    ...(lower === undefined
      ? {}
      : { lower: (resource, values, view) => fence.must('lower', () => lower.call(extension, resource, values, view)) }),
  }
}

interface Fence {
  values(name: string, otherwise: JsonObject, work: () => Values): Values
  findings(name: string, work: () => readonly Finding[]): readonly Finding[]
  /** Nothing can stand in for its answer: the error says whose it is. */
  must<T>(name: string, work: () => T): T
}

function fenceOf(who: string): Fence {
  const failed = (name: string, error: Error): Finding => ({
    code: 'E0726',
    message: `${who}: ${name} failed: ${error.message.split('\n')[0] ?? ''}`,
    hint: 'this is a fault of the plugin, not of the repository: mend it, or take it out of service_plugins in netloom.yaml',
  })
  return {
    values: (name, otherwise, work) => caught(work, (error) => ({ spec: otherwise, findings: [failed(name, error)] })),
    findings: (name, work) => caught(work, (error) => [failed(name, error)]),
    must: (name, work) =>
      caught(work, (error) => {
        throw new Error(`${who}: ${name} failed: ${error.message}`, { cause: error })
      }),
  }
}

function caught<T>(work: () => T, instead: (error: Error) => T): T {
  try {
    return work()
  } catch (thrown) {
    if (thrown instanceof Error) return instead(thrown)
    throw thrown
  }
}
