import type { Flow } from '../../agentd/backends/ovs/flow/types.ts'
import type { OpenFlowClient } from '../../agentd/backends/ovs/openflow/client.ts'
import { openOvsdb } from '../../agentd/backends/ovs/ovsdb/client.ts'
import type { Switch } from '../../test/agentd/backends/ovs/switch.ts'
import { median } from './figures.ts'

/**
 * Milliseconds, median, in which flows are written by the least that can: a row's column in one transaction and one bundle. No agent may run; the interface `v0`
 * is there, and so are the flows.
 */
export async function rawFloor(sw: Switch, client: OpenFlowClient, added: readonly Flow[], times: number): Promise<number> {
  const ovsdb = openOvsdb({
    endpoint: `unix:${sw.database}`,
    tables: { Open_vSwitch: ['cur_cfg', 'next_cfg'] },
    onUpdate: () => {},
    backoff: () => 100,
  })
  try {
    await ovsdb.ready(5000)
    const samples: number[] = []
    for (let n = 0; n < times; n++) {
      await client.applyBundle(added.map((flow) => ({ command: 'delete_strict', flow })))
      const began = performance.now()
      const mutations = [['external_ids', 'insert', ['map', [['bench', String(n)]]]]]
      await ovsdb.transact([{ op: 'mutate', table: 'Interface', where: [['name', '==', 'v0']], mutations }])
      await client.applyBundle(added.map((flow) => ({ command: 'add', flow })))
      samples.push(performance.now() - began)
    }
    return median(samples)
  } finally {
    ovsdb.close()
  }
}
