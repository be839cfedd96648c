import { access } from 'node:fs/promises'
import { LabError } from './errors.ts'

/** Programs a lab runs, and Debian's packages that bring them. */
const PROGRAMS: readonly (readonly [program: string, pkg: string])[] = [
  ['ovs-vswitchd', 'openvswitch-switch'],
  ['ovsdb-server', 'openvswitch-switch'],
  ['ovs-vsctl', 'openvswitch-switch'],
  ['ip', 'iproute2'],
  ['nsenter', 'util-linux'],
  ['ethtool', 'ethtool'],
  ['ping', 'iputils-ping'],
]
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin']

/**
 * @throws LabError `cannot_run_here`, with the command to type, when this is not root on a Linux with namespaces, TUN and Open vSwitch.
 */
export async function assertCanRun(): Promise<void> {
  if (process.platform !== 'linux')
    throw new LabError('cannot_run_here', `a lab needs Linux (network namespaces); this is ${process.platform}`)
  if (process.getuid?.() !== 0) {
    throw new LabError('cannot_run_here', 'a lab makes network namespaces and needs root: type it again after sudo')
  }
  const missing = new Set<string>()
  for (const [program, pkg] of PROGRAMS) if (!(await isInstalled(program))) missing.add(pkg)
  if (missing.size > 0) {
    throw new LabError('cannot_run_here', `programs are missing: type  apt-get install --no-install-recommends ${[...missing].join(' ')}`)
  }
  if (!(await readable('/dev/net/tun'))) {
    throw new LabError(
      'cannot_run_here',
      '/dev/net/tun is missing (Open vSwitch needs it): type  modprobe tun,  or give the container --device /dev/net/tun',
    )
  }
}

async function isInstalled(program: string): Promise<boolean> {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...FOLDERS]
  for (const folder of folders) if (await readable(`${folder}/${program}`)) return true
  return false
}

async function readable(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
