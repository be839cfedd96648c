import test from 'ava'
import { guestNetns, hostNetns, linkName, tagOf, tapName } from '../../src/lab/names.ts'
import { makeKey } from '../../src/model/key.ts'

test('the same folder is always the same lab, another folder another one', (t) => {
  t.is(tagOf('/srv/net/.netloom'), tagOf('/srv/net/.netloom'))
  t.not(tagOf('/srv/net/.netloom'), tagOf('/srv/net2/.netloom'))
  t.regex(tagOf('/srv/net/.netloom'), /^[a-z0-9]{6}$/)
})

test('a host and a port of one name are two namespaces, and the default project is left out', (t) => {
  t.is(hostNetns('ab12', 'db'), 'nl-ab12-host-db')
  t.is(guestNetns('ab12', makeKey('port', 'default', 'db')), 'nl-ab12-port-db')
  t.is(guestNetns('ab12', makeKey('port', 'shop', 'db')), 'nl-ab12-port-db@shop')
})

test('a name that no file can have is replaced, and two such names stay apart', (t) => {
  const [a, b] = [hostNetns('x', 'rack 1'), hostNetns('x', 'rack:1')]
  t.regex(a, /^nl-x-host-rack_1-[a-z0-9]{8}$/)
  t.not(a, b)
})

test('an interface name never exceeds 15 characters', (t) => {
  t.is(linkName('phy-', 'physnet1'), 'phy-physnet1')
  t.is(linkName('phy-', 'a-very-long-physical-network').length, 15)
  t.not(linkName('phy-', 'a-very-long-physical-network'), linkName('phy-', 'a-very-long-physical-network2'))
  t.is(tapName({ id: '3e5b2f1c-9d1a-4c7e-8f00-000000000000' }), 'tap3e5b2f1c-9d')
})
