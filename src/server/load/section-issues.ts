import { didYouMean } from '../../lib/suggest.ts'
import type { Issue } from '../../model/issue.ts'
import { absentCollection } from '../../plugins/absent.ts'
import type { KindTable } from './kind-table.ts'
import { NEUTRON_COLLECTIONS } from './neutron-words.ts'
import type { ParsedSection } from './parsed.ts'

/** What is wrong with a top-level key that is no collection, or that holds no map. */
export function sectionIssue(table: KindTable, section: ParsedSection, inSiteFile: boolean): Issue {
  const base = { severity: 'error', place: section.place } as const
  const kind = table.byCollection.get(section.key)
  if (kind !== undefined) return { ...base, ...wrongCollection(section, kind.definition.kind) }
  if (table.settings.has(section.key) && !inSiteFile) {
    const hint = 'move it to netloom.yaml at the root of the repo'
    return {
      ...base,
      code: 'E0310',
      message: `\`${section.key}\` is a setting of the whole installation`,
      label: 'only in the site file',
      hint,
    }
  }
  return {
    ...base,
    code: 'E0303',
    message: `unknown top-level key \`${section.key}\``,
    label: inSiteFile ? 'neither a collection nor a setting' : 'no collection has this name',
    hint:
      table.absent.get(absentCollection(section.key)) ??
      NEUTRON_COLLECTIONS.get(section.key) ??
      suggestion(table, section.key, inSiteFile) ??
      knownKeys(table, inSiteFile),
  }
}

function wrongCollection(section: ParsedSection, kind: string): Pick<Issue, 'code' | 'message' | 'hint' | 'label'> {
  const { key, value } = section
  // A file cut off behind a collection's key must not read as "none of them any more".
  if (value === null || value === undefined) {
    return {
      code: 'E0304',
      message: `\`${key}\` holds nothing: nothing is deleted by that`,
      hint: `write \`${key}: {}\` if none are wanted, or remove the line`,
    }
  }
  const label = Array.isArray(value) ? 'this is a list' : 'this is a single value'
  return {
    code: 'E0305',
    message: `\`${key}\` must be a map, from the name of a ${kind} to its attributes`,
    label,
    hint: `write \`${key}:\` and below it \`  name: { … }\``,
  }
}

/** Misspellings, and Neutron's word for one (`port:` for `ports:`). A setting is suggested anywhere, with the file it belongs to. */
function suggestion(table: KindTable, word: string, inSiteFile: boolean): string | undefined {
  for (const [collection, { definition }] of table.byCollection) if (definition.kind === word) return `did you mean \`${collection}\`?`
  const near = didYouMean(word, ['project', ...table.byCollection.keys(), ...table.settings])
  if (near === undefined) return undefined
  const elsewhere = table.settings.has(near) && !inSiteFile ? ' That is a setting: move it to netloom.yaml at the root of the repo' : ''
  return `did you mean \`${near}\`?${elsewhere}`
}

function knownKeys(table: KindTable, inSiteFile: boolean): string {
  const collections = [...table.byCollection.keys()].sort().join(', ')
  return `known are: ${collections}${inSiteFile ? `; settings: ${[...table.settings].sort().join(', ')}` : ''}`
}
