#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { startAgent } from './agent.ts'
import { BACKENDS } from './backends/drivers.ts'
import { inspectDrift, inspectItems } from './inspect.ts'
import { readKeyFile } from './key-file.ts'
import { lockDirectory, lockSwitch } from './lock.ts'
import { createLog } from './log.ts'
import type { AgentOptions } from './options.ts'
import { agentCommand } from './options.ts'

/** Runs until SIGTERM or SIGINT. Stopping removes nothing: the switch goes on forwarding. */
async function run(options: AgentOptions): Promise<void> {
  const log = createLog(options.host, options.logLevel)
  const backend = BACKENDS[options.backend]
  if (backend === undefined) throw new Error(`no backend ${options.backend}`)
  const { keys: file, ...rest } = options
  const keys = file === undefined ? {} : { keys: readKeyFile(file, options.host) }
  const lock = await lockDirectory(options.stateDir, log)
  const switchLock = options.backend === 'ovs' ? await lockSwitch(options.rundir, log) : undefined
  const agent = await startAgent({ ...rest, ...keys, backend, log })
  log('info', 'started', { server: options.server, pid: process.pid })
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  log('info', 'stopping; the switch keeps forwarding what it has')
  await agent.close()
  await switchLock?.release()
  await lock.release()
}

async function main(): Promise<void> {
  // A host's memory belongs to its guests: V8 keeps its heap a third smaller for a fifth more processor time, which an agent seldom needs.
  setFlagsFromString('--optimize-for-size')
  await agentCommand({
    run,
    respond: async ({ backend, rundir, logLevel }) => {
      await BACKENDS[backend]?.respond?.({ rundir, log: createLog('responder', logLevel) })
    },
    drift: async (options) => {
      process.exitCode = await inspectDrift(options, process.stdout)
    },
    flows: async (options) => {
      process.exitCode = await inspectItems(options, process.stdout)
    },
  }).parseAsync(process.argv)
}

main().catch((error: unknown) => {
  process.stderr.write(`netloom-agentd: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
