import test from 'ava'
import { endpointFault, serverFault } from '../../src/lib/endpoint.ts'
import { isLocalEndpoint, plainEndpoint, reachableEndpoint } from '../../src/wire/endpoints.ts'

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
  for (const bad of ['', 'h', 'tcp://', 'tcp://h', 'tcp://h:', 'tcp://:1', 'tcp://127.0.0.1', 'http://h:1', 'tcp://fd00::1:1'])
    t.is(endpointFault(bad), 'expected tcp://ADDRESS:PORT, tcp://[IPV6]:PORT or ipc:///PATH', bad)
  for (const port of ['0', '65536', '99999']) t.is(endpointFault(`tcp://h:${port}`), `${port} is no port: expected 1 to 65535`)
  for (const good of ['tcp://h:1', 'tcp://*:65535', 'tcp://[fd00::1]:9611', 'ipc://relative']) t.is(endpointFault(good), undefined, good)
  t.is(serverFault('tcp://h:9611'), undefined)
  t.regex(serverFault('tcp://h:*') ?? '', /^\* is no port to connect to/)
  t.regex(serverFault('tcp://*:1') ?? '', /^\* is no address to connect to/)
  t.regex(serverFault('ipc://') ?? '', /needs a path/)
})

test('a wildcard in what hello returns is the address under which the server was reached', (t) => {
  t.is(reachableEndpoint('tcp://0.0.0.0:9101', 'tcp://192.0.2.7:9100'), 'tcp://192.0.2.7:9101')
  t.is(reachableEndpoint('tcp://[::ffff:0.0.0.0]:9101', 'tcp://192.0.2.7:9100'), 'tcp://192.0.2.7:9101')
  t.is(plainEndpoint('tcp://[::ffff:127.0.0.1]:9101'), 'tcp://127.0.0.1:9101')
  t.is(reachableEndpoint('tcp://[::]:9101', 'tcp://[2001:db8::1]:9100'), 'tcp://[2001:db8::1]:9101')
  t.is(reachableEndpoint('tcp://127.0.0.1:9101', 'tcp://127.0.0.1:9100'), 'tcp://127.0.0.1:9101')
  t.is(reachableEndpoint('ipc:///run/n/pub', 'ipc:///run/n/rpc'), 'ipc:///run/n/pub')
})
