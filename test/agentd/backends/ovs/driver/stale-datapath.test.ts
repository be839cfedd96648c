import test from 'ava'
import { keepsStaleFlows } from '../../../../../agentd/backends/ovs/driver/stale-datapath.ts'

test('releases whose userspace datapath keeps stale decisions, and those that are mended', (t) => {
  for (const version of ['2.15.0', '2.16.9', '2.17.7', '3.0.4', '3.1.0', '3.1.2']) t.true(keepsStaleFlows(version), version)
  for (const version of ['2.17.8', '3.0.5', '3.1.3', '3.1.10', '3.2.0', '3.3.1', '4.0.0', '', 'unknown'])
    t.false(keepsStaleFlows(version), version)
})
