import { statSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { makePath } from '../server/store/make-path.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import type { Output } from './output.ts'

/** `netloom init [DIR]`: a repo to start from. Never overwrites: a directory that has YAML already is refused. */
export async function init(dir: string, output: Output): Promise<ExitCode> {
  const root = resolve(dir)
  await makePath(root)
  if (!statSync(root).isDirectory())
    throw new CommandError(`${root} is no folder; nothing was written`, { hint: 'give init an empty directory, or one that is to be made' })
  const present = (await readdir(root)).filter((name) => /\.ya?ml$/.test(name))
  if (present.length > 0) {
    throw new CommandError(`${root} already has YAML files (${present.slice(0, 3).join(', ')}); nothing was written`, {
      hint: 'run `netloom validate` on it, or give init an empty directory',
    })
  }
  const installation =
    basename(root)
      .replace(/[^A-Za-z0-9-]+/g, '-')
      .toLowerCase() || 'netloom'
  const host = hostname().split('.')[0] ?? 'h1'
  const files: Record<string, string> = {
    'netloom.yaml': SITE(installation),
    'hosts.yaml': HOSTS(host),
    'networks.yaml': NETWORKS(host),
    '.gitignore': '.netloom/\n',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text, { flag: 'wx' }).catch(ignoreExisting)
  output.result({ dir: root, files: Object.keys(files) }, () =>
    [
      `Wrote ${Object.keys(files).join(', ')} in ${root}.`,
      'next: edit them, then',
      `  netloom validate ${dir}    every mistake, with its place`,
      `  netloom plan ${dir}        what would change, before anything does`,
      `  netloom lab up ${dir}      try it on real Open vSwitch hosts in network namespaces`,
      `  netloom serve ${dir}       watch and apply; on each host: netloom-agentd --host ${host} --server tcp://127.0.0.1:9611`,
    ].join('\n'),
  )
  return EXIT.clean
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

const SITE = (installation: string): string => `# The site file: what the whole installation shares. Everything left out has its default.
installation: ${installation}
`

const HOSTS = (host: string): string => `# Machines that run netloom-agentd.
# tunnel_ip: where this host's VXLAN, Geneve and GRE tunnels end. bridge_mappings: physical_network → a bridge that exists there.
hosts:
  ${host}: { tunnel_ip: 192.0.2.1 }
`

const NETWORKS = (host: string): string => `networks:
  blue: {}
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
ports:
  web-1: { network: blue, host: ${host} }
  web-2: { network: blue, host: ${host} }
`
