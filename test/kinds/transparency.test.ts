import test from 'ava'
import { transparencyFindings } from '../../src/kinds/network/transparency.ts'
import type { MechanismDriver } from '../../src/kinds/port/mechanism-driver.ts'

const driver = (name: string, says: Pick<MechanismDriver, 'vlan_transparent' | 'qinq'> = {}): MechanismDriver => ({
  name,
  summary: '',
  vnic_types: ['normal'],
  backend: 'ovs',
  bind: () => ({ ok: true, vif_type: 'ovs' }),
  ...says,
})
const YES = { can: true } as const
const said = (...drivers: readonly MechanismDriver[]): readonly string[] =>
  transparencyFindings({ vlan_transparent: true }, drivers).map((f) => f.message.replace(/^.* of its guests: /, ''))

test('vlan_transparent takes one driver that can, and none that cannot', (t) => {
  const can = driver('can', { vlan_transparent: YES })
  const cannot = driver('cannot', { vlan_transparent: { can: false, why: 'its frames are short' } })
  t.deepEqual(said(can), [])
  t.deepEqual(said(can, driver('silent')), [])
  t.deepEqual(said(driver('silent')), ['silent does not say that it can'])
  t.deepEqual(said(driver('a'), driver('b')), ['a and b do not say that it can'])
  t.deepEqual(said(can, cannot), ['cannot: its frames are short'])
  t.deepEqual(said(driver('other', { qinq: YES })), ['other does not say that it can'], 'qinq is another matter')
})
