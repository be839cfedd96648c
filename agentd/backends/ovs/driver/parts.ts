import type { Delta, Item } from '../../backend.ts'
import type { LinkValue, OvsValue, RowValue } from '../compile/values.ts'

/**
 * Pairs whose end was on the bridge, by rows of ours that are going: an agent that was started after its port had been deleted knows no link of it. Only a
 * pair has no type; it carries the key of its row, with which it is deferred.
 */
export function pairsLeft(removed: readonly Item[]): Item[] {
  return removed.flatMap((item) => {
    const { row } = item.value as RowValue
    const type = row.columns['type'] ?? ''
    if (row.table !== 'Interface' || type !== '') return []
    return [
      {
        ...item,
        value: {
          kind: 'link',
          link: { name: row.name, type: 'veth', guest: '', mac: '', mtu: 0, up: true, addresses: [] },
        } satisfies LinkValue,
      },
    ]
  })
}

export interface Parts {
  readonly links: readonly Item[]
  readonly rows: readonly Item[]
  readonly flows: readonly { readonly before?: Item; readonly after: Item }[]
  readonly gone: readonly Item[]
  readonly meters: readonly { readonly before?: Item; readonly after: Item }[]
  readonly goneMeters: readonly Item[]
  readonly removed: readonly Item[]
  readonly goneLinks: readonly Item[]
  readonly settings: readonly Item[]
}

/** A delta by what its items are. */
export function partsOf(delta: Delta): Parts {
  const kind = (item: Item): OvsValue['kind'] => (item.value as OvsValue).kind
  const written = [...delta.add.map((after) => ({ after })), ...delta.change]
  const of = (k: OvsValue['kind']): Item[] => written.filter(({ after }) => kind(after) === k).map(({ after }) => after)
  return {
    links: of('link'),
    rows: of('row'),
    flows: written.filter(({ after }) => kind(after) === 'flow'),
    gone: delta.remove.filter((i) => kind(i) === 'flow'),
    meters: written.filter(({ after }) => kind(after) === 'meter'),
    goneMeters: delta.remove.filter((i) => kind(i) === 'meter'),
    removed: delta.remove.filter((i) => kind(i) === 'row'),
    goneLinks: delta.remove.filter((i) => kind(i) === 'link'),
    settings: delta.remove.filter((i) => kind(i) === 'setting'),
  }
}
