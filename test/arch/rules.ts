import type { IForbiddenRuleType } from 'dependency-cruiser'

/** A rule of the import graph. `comment` says what to do instead; `planted` is an import that must trip it (the test writes it and looks). */
export type ImportRule = IForbiddenRuleType & {
  readonly name: string
  readonly comment: string
  readonly planted: { readonly file: string; readonly imports: string }
}

const OURS = '^(src|agentd|schemas|test|bench)/'

/** What each layer may import of ours, itself aside. Everything else is forbidden. */
const LAYERS: readonly { layer: string; path: string; may: readonly string[]; instead: string; planted: string }[] = [
  {
    layer: 'lib',
    path: '^src/lib/',
    may: [],
    instead: 'lib is generic: pass what it needs as an argument, or move the file to the folder whose words it uses',
    planted: 'src/model/key.ts',
  },
  {
    layer: 'model',
    path: '^src/model/',
    may: ['^src/lib/'],
    instead: 'the words both processes share know nobody who uses them: move the function to the folder that needs both',
    planted: 'src/wire/messages.ts',
  },
  {
    layer: 'schemas',
    path: '^schemas/',
    may: ['^src/lib/', '^src/model/'],
    instead: 'a schema is data; put the rule that needs more into the kind’s check.ts',
    planted: 'src/kinds/kind.ts',
  },
  {
    layer: 'kinds',
    path: '^src/kinds/',
    may: ['^src/lib/', '^src/model/', '^schemas/'],
    instead: 'a kind turns resources into intents and knows no server, wire or backend: say it as an intent, or take it as an argument',
    planted: 'src/server/plan/plan.ts',
  },
  {
    layer: 'plugins',
    path: '^src/plugins/',
    may: ['^src/lib/', '^src/model/', '^schemas/', '^src/kinds/'],
    instead: 'a plugin lists kinds and attributes; the engine reads the list, not the other way round',
    planted: 'src/server/plan/plan.ts',
  },
  {
    layer: 'wire',
    path: '^src/wire/',
    may: ['^src/lib/', '^src/model/', '^schemas/'],
    instead: 'messages carry intents and scopes, never kinds; sockets live in src/server/hub and agentd/northbound',
    planted: 'src/kinds/kind.ts',
  },
  {
    layer: 'server',
    path: '^src/server/',
    may: ['^src/lib/', '^src/model/', '^schemas/', '^src/kinds/', '^src/plugins/', '^src/wire/', '^agentd/backends/compilers\\.ts$'],
    instead: 'the server neither knows its commands nor the lab: take it as an argument',
    planted: 'src/cli/main.ts',
  },
  {
    layer: 'lab',
    path: '^src/lab/',
    may: ['^src/lib/', '^src/model/'],
    instead: 'a lab is made from a plain LabSpec: derive that in src/cli',
    planted: 'src/server/plan/plan.ts',
  },
  {
    layer: 'agentd',
    path: '^agentd/',
    may: ['^src/lib/', '^src/model/', '^src/wire/', '^schemas/'],
    instead: 'the agent knows intents, never kinds or the server: what it needs must be in an intent or a message',
    planted: 'src/kinds/kind.ts',
  },
]

const layerRules = LAYERS.map(
  ({ layer, path, may, instead, planted }): ImportRule => ({
    name: `${layer} imports only what lies below it`,
    comment: instead,
    severity: 'error',
    from: { path },
    to: { path: OURS, pathNot: [path, ...may] },
    planted: { file: `src/${layer}/planted.ts`.replace(/^src\/(schemas|agentd)/, '$1'), imports: planted },
  }),
)

/** Folders that touch files, sockets, processes, clocks or threads. All others are pure: the same input gives the same output. */
export const EDGES: readonly string[] = [
  '^src/cli/',
  '^src/lab/',
  '^src/setup/',
  // The files of src/server itself join the pure parts and the edges.
  '^src/server/[^/]+\\.ts$',
  '^src/server/(repo|store|hub|control|callbacks)/',
  '^agentd/[^/]+\\.ts$',
  '^agentd/(northbound|cli|main)/',
  '^agentd/backends/[^/]+/(driver|ovsdb|openflow|responder)/',
]
const SERVER_EDGES = '^src/server/([^/]+\\.ts$|(repo|store|hub|control|callbacks)/)'
const IO =
  '^(fs|fs/promises|net|dgram|dns|dns/promises|tls|http|https|http2|child_process|worker_threads|cluster|os|readline|readline/promises|timers|timers/promises)$'
const IO_PACKAGES = '(^|node_modules/)(zeromq|sqlite3|chokidar|node-cron|pino|listr2|fastify|commander|p-queue)(/|$)'

export const RULES: readonly ImportRule[] = [
  ...layerRules,
  {
    name: 'pure folders touch nothing outside',
    comment:
      'take the file’s content, the clock or the socket as an argument, and do the reading in one of the edges (src/cli, src/lab, src/server/{repo,store,hub,control}, agentd/northbound, a backend’s driver)',
    severity: 'error',
    from: { path: '^(src|agentd|schemas)/', pathNot: [...EDGES] },
    to: { path: [IO, IO_PACKAGES] },
    planted: { file: 'src/kinds/reads.ts', imports: 'node:fs' },
  },
  {
    name: 'pure parts of the server know no edge',
    comment:
      'an edge calls the pure part, not the other way round; types that both need belong in the pure part (engine/types, plan/types, store/types)',
    severity: 'error',
    from: { path: '^src/server/', pathNot: SERVER_EDGES },
    to: { path: SERVER_EDGES, pathNot: '/types\\.ts$' },
    planted: { file: 'src/server/plan/edge.ts', imports: 'src/server/store/store.ts' },
  },
  ...(['repo', 'store', 'hub', 'control', 'callbacks'] as const).map(
    (edge): ImportRule => ({
      name: `${edge} knows no other edge`,
      comment: 'edges meet in the files of src/server itself, where one is given what the other has read',
      severity: 'error',
      from: { path: `^src/server/${edge}/` },
      to: { path: '^src/server/(repo|store|hub|control|callbacks|serve)(/|\\.ts$)', pathNot: [`^src/server/${edge}/`, '/types\\.ts$'] },
      planted: { file: `src/server/${edge}/edge.ts`, imports: edge === 'hub' ? 'src/server/store/store.ts' : 'src/server/hub/hub.ts' },
    }),
  ),
  {
    name: 'one door from src to the backends',
    comment:
      'only src/cli and src/server/impact show flows, through agentd/backends/compilers.ts; everything that touches a switch is a netloom-agentd subcommand',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/(cli|server/impact)/' },
    to: { path: '^agentd/' },
    planted: { file: 'src/server/plan/door.ts', imports: 'agentd/backends/compilers.ts' },
  },
  {
    name: 'the door is compilers.ts',
    comment: 'import agentd/backends/compilers.ts; drivers are started as netloom-agentd, never loaded into another process',
    severity: 'error',
    from: { path: '^src/(cli|server/impact)/' },
    to: { path: '^agentd/', pathNot: '^agentd/backends/compilers\\.ts$' },
    planted: { file: 'src/cli/door.ts', imports: 'agentd/backends/ovs/driver/driver.ts' },
  },
  {
    name: 'a backend knows no wire and no other backend',
    comment:
      'a backend gets intents and facts and gives tables; northbound speaks to the server. What two backends share belongs in src/lib or agentd/backends/*.ts',
    severity: 'error',
    from: { path: '^agentd/backends/([^/]+)/' },
    to: { path: ['^src/wire/', '^agentd/(?!backends/|converge/)', '^agentd/backends/[^/]+/'], pathNot: '^agentd/backends/$1/' },
    planted: { file: 'agentd/backends/fake/other.ts', imports: 'agentd/backends/ovs/driver/driver.ts' },
  },
  {
    name: 'compilers load no driver',
    comment: 'compile/ and flow/ are the pure half of a backend: the planner loads them on machines without a switch',
    severity: 'error',
    from: { path: '^agentd/backends/([^/]+)/(compile|flow)/' },
    to: { path: '^agentd/backends/[^/]+/(driver|ovsdb|openflow|responder)/' },
    planted: { file: 'agentd/backends/ovs/compile/loads.ts', imports: 'agentd/backends/ovs/driver/driver.ts' },
  },
  {
    name: 'the product knows no test',
    comment: 'move what both need to src/lib, or src/lab',
    severity: 'error',
    from: { path: '^(src|agentd|schemas)/' },
    to: { path: '^(test|bench)/' },
    planted: { file: 'src/cli/tests.ts', imports: 'test/support/tag.ts' },
  },
  {
    name: 'no import cycle',
    comment: 'move what both files need into a third; a cycle of types alone is allowed',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    planted: { file: 'src/lib/cycle.ts', imports: 'src/lib/cycle.ts' },
  },
  {
    name: 'every import exists',
    comment: 'the file or package is missing, or package.json does not name it',
    severity: 'error',
    from: { path: '^(src|agentd|schemas)/' },
    to: { couldNotResolve: true },
    planted: { file: 'src/lib/missing.ts', imports: 'a-package-that-nobody-made' },
  },
  {
    name: 'the product needs no development package',
    comment: 'move the package to "dependencies" in package.json, or the import to test/',
    severity: 'error',
    from: { path: '^(src|agentd|schemas)/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    planted: { file: 'src/lib/dev.ts', imports: 'ava' },
  },
]
