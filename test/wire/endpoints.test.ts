import test from 'ava'
import { endpointFault, isLocalEndpoint, plainEndpoint, reachableEndpoint } from '../../src/wire/endpoints.ts'

test('only loopback and ipc are local', (t) => {
  const local = [
    'tcp://127.0.0.1:9100',
    'tcp://127.8.8.8:*',
    'tcp://[::1]:9100',
    'tcp://localhost:9100',
    'tcp://[::ffff:127.0.0.1]:9100',
    'ipc:///run/netloom/rpc',
  ]
  const open = [
    'tcp://0.0.0.0:9100',
    'tcp://*:9100',
    'tcp://[::]:9100',
    'tcp://[::ffff:0.0.0.0]:9100',
    'tcp://192.0.2.1:9100',
    'tcp://lo:9100',
    'tcp://127.0.0.1.example:1',
    'tcp://127.evil:1',
    '',
  ]
  t.deepEqual(
    local.filter((e) => !isLocalEndpoint(e)),
    [],
  )
  t.deepEqual(open.filter(isLocalEndpoint), [])
})

test('what is wrong with an endpoint', (t) => {
  t.is(endpointFault('tcp://[::1]:*'), undefined)
  t.is(endpointFault(`ipc:///${'a'.repeat(106)}`), undefined)
  t.is(endpointFault(`ipc:///${'a'.repeat(107)}`), 'the path has 108 bytes, a unix socket takes at most 107')
  t.is(endpointFault('ipc://'), 'an ipc endpoint needs a path: ipc:///run/netloom/rpc')
  t.is(endpointFault('tcp://127.0.0.1'), 'expected tcp://ADDRESS:PORT, tcp://[IPV6]:PORT or ipc:///PATH')
})

test('a wildcard in what hello returns is the address under which the server was reached', (t) => {
  t.is(reachableEndpoint('tcp://0.0.0.0:9101', 'tcp://192.0.2.7:9100'), 'tcp://192.0.2.7:9101')
  t.is(reachableEndpoint('tcp://[::ffff:0.0.0.0]:9101', 'tcp://192.0.2.7:9100'), 'tcp://192.0.2.7:9101')
  t.is(plainEndpoint('tcp://[::ffff:127.0.0.1]:9101'), 'tcp://127.0.0.1:9101')
  t.is(reachableEndpoint('tcp://[::]:9101', 'tcp://[2001:db8::1]:9100'), 'tcp://[2001:db8::1]:9101')
  t.is(reachableEndpoint('tcp://127.0.0.1:9101', 'tcp://127.0.0.1:9100'), 'tcp://127.0.0.1:9101')
  t.is(reachableEndpoint('ipc:///run/n/pub', 'ipc:///run/n/rpc'), 'ipc:///run/n/pub')
})
