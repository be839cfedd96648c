/** Every node after all it depends on; `cycle` names one circle (first node repeated at the end) when there is no such order. */
export type Order<T> = { readonly ok: true; readonly order: readonly T[] } | { readonly ok: false; readonly cycle: readonly T[] }

/**
 * Stable topological order: nodes come in the order given, each preceded by its dependencies. Dependencies that are not among the nodes
 * are ignored. Iterative, so that a chain of 100,000 nodes does not exhaust the stack.
 */
export function topologicalOrder<T>(nodes: readonly T[], dependencies: (node: T) => Iterable<T>): Order<T> {
  const known = new Set(nodes)
  const done = new Set<T>()
  const order: T[] = []
  for (const root of nodes) {
    const open: { node: T; rest: Iterator<T> }[] = []
    const inPath = new Set<T>()
    const enter = (node: T): void => {
      inPath.add(node)
      open.push({ node, rest: dependencies(node)[Symbol.iterator]() })
    }
    if (!done.has(root)) enter(root)
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.rest.next()
      if (next.done === true) {
        open.pop()
        inPath.delete(top.node)
        done.add(top.node)
        order.push(top.node)
      } else if (inPath.has(next.value)) {
        const path = open.map((o) => o.node)
        return { ok: false, cycle: [...path.slice(path.indexOf(next.value)), next.value] }
      } else if (known.has(next.value) && !done.has(next.value)) enter(next.value)
    }
  }
  return { ok: true, order }
}
