import { compareText } from '../model/key.ts'

/** Tags are a set: their order in the file is no difference (Neutron: B3.18). */
export function sortedTags(tags: readonly string[] | undefined): readonly string[] {
  return [...(tags ?? [])].sort(compareText)
}
