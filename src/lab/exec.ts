import { spawn } from 'node:child_process'
import type { Key } from '../model/key.ts'
import { onHost } from './host.ts'
import { findGuest, findHost, type Lab } from './lab.ts'
import { guestNetns } from './names.ts'
import { type Ran, type RunOptions, run, tryRun } from './run.ts'

/** Where in a lab a program is run. */
export type Where = { readonly host: string } | { readonly port: Key }

/** `argv` wrapped so that it runs there, and the environment it needs. For callers that start the process themselves (an agent, say). */
export function commandAt(
  lab: Lab,
  where: Where,
  argv: readonly string[],
): { argv: readonly string[]; env: Readonly<Record<string, string>> } {
  if ('host' in where) return onHost(lab.tag, findHost(lab, where.host).name, argv)
  // `ip netns exec` and not nsenter: it also shows the namespace's own /sys, which tools like ethtool and bridge read.
  return { argv: ['ip', 'netns', 'exec', guestNetns(lab.tag, findGuest(lab, where.port).port), ...argv], env: {} }
}

/** Runs a program on a host (where `ovs-vsctl` and its kin act on that host's Open vSwitch) or in a guest. Its exit code is a result. */
export async function exec(lab: Lab, where: Where, argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const command = commandAt(lab, where, argv)
  return await tryRun(command.argv, { ...options, env: { ...command.env, ...options.env } })
}

/** As `exec`, but an exit code other than 0 is a LabError `command_failed`. Returns standard output. */
export async function execOk(lab: Lab, where: Where, argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const command = commandAt(lab, where, argv)
  return await run(command.argv, { ...options, env: { ...command.env, ...options.env } })
}

/** Runs a program with this process's own terminal (a shell, an editor, tcpdump). Resolves to its exit code. */
export function execInteractive(lab: Lab, where: Where, argv: readonly string[]): Promise<number> {
  const command = commandAt(lab, where, argv)
  const [file, ...args] = command.argv
  return new Promise((resolve, reject) => {
    const child = spawn(file ?? '', args, { stdio: 'inherit', env: { ...process.env, ...command.env } })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}
