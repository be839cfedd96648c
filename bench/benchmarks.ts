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
    name: 'save-to-flow',
    title: 'Save to flow',
    about:
      'A port’s line is saved; server and netloom-agentd run against a real switch with 50 ports. Floor: the same flows and a row written raw to the same switch.',
    cases: (quick) => (quick ? [100, 10_000] : [100, 10_000, 100_000]).map((ports) => ({ ports, saves: quick ? 10 : 30 })),
  },
  {
    name: 'attach',
    title: 'Many ports onto one host',
    about:
      'veth ports plugged in one transaction, until the last one is reported ACTIVE. Floor: the same transaction and the same flows by hand, no agent.',
    cases: (quick) => (quick ? [200] : [200, 500, 1000]).map((ports) => ({ ports, idleSeconds: quick ? 10 : 30 })),
  },
  {
    name: 'groups',
    title: 'A rule and a member more',
    about:
      'A security group that 1,000 ports with two addresses are in, and that lets its own members in: a rule is added, then a member on another host. Floor: the same flows and a row written raw to the same switch.',
    cases: (quick) => [
      { here: 20, elsewhere: 980, saves: quick ? 5 : 20 },
      { here: 1000, elsewhere: 0, saves: quick ? 5 : 20 },
    ],
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
  {
    name: 'routed',
    title: 'Routed and switched',
    about:
      'TCP and ping between guests of two networks that a router joins, on one host and to another. Floor: the same between guests of one network.',
    cases: (quick) => [{ rounds: quick ? 2 : 6, seconds: 3 }],
  },
  {
    name: 'fleet',
    title: 'A thousand agents at once',
    about: 'The wire’s end of every agent, on real sockets in four processes: all pull everything at once, then one port is added.',
    cases: (quick) => [1, 2].map((workers) => ({ hosts: quick ? 200 : 1000, portsPerHost: quick ? 20 : 100, workers })),
  },
]
