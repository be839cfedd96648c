import type { Key } from '../../../../src/model/key.ts'
import type { CompileInput, Item } from '../../backend.ts'
import type { Announced } from './announced.ts'
import type { Memo } from './memo.ts'
import type { Numbers } from './numbers.ts'
import type { Copies } from './taps.ts'
import type { HostView } from './view.ts'
import type { Wiring } from './wiring.ts'

/** Everything one compilation walks with. */
export interface Work {
  readonly input: CompileInput
  readonly view: HostView
  readonly numbers: Numbers
  readonly wiring: ReadonlyMap<Key, Wiring>
  readonly copies: ReadonlyMap<Key, Copies>
  readonly memo: Memo
  readonly out: (readonly Item[])[]
  readonly announced: Announced[]
  /** Networks on which a router is. */
  readonly joined: ReadonlySet<Key>
}

export function emit({ out }: Pick<Work, 'out'>, items: readonly Item[]): void {
  out.push(items)
}
