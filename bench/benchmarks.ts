/** A program of this folder, and the parameters of each run of it. Each run is a process of its own. */
export interface Benchmark {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly cases: (quick: boolean) => readonly object[]
}

export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'flows',
    title: 'Flow writes',
    about: 'The agent’s own OpenFlow client on a real bridge, beside ovs-ofctl (its process start included).',
    cases: (quick) => [{ counts: quick ? [20_000] : [20_000, 50_000], singles: quick ? 50 : 200 }],
  },
  {
    name: 'repo',
    title: 'Reading and planning',
    about:
      'From files to a plan: from nothing (cold), with state and parsed files there (warm), and one line changed in a running planner.',
    cases: (quick) => [
      { ports: 1000, perFile: 100 },
      { ports: 10_000, perFile: 100 },
      ...(quick
        ? []
        : [
            { ports: 100_000, perFile: 100 },
            { ports: 100_000, perFile: 100_000, lines: 3 },
          ]),
    ],
  },
]
