import type { Request, Subscriber } from 'zeromq'

/**
 * Says why a connection came about and was not agreed on. After a final trouble the socket is dead: ZeroMQ does not try again (its session ends on a protocol error), so a new one has to be
 * made, or an agent that came before its key would stay outside for ever. To be called before the socket connects.
 */
export function onHandshakeTrouble(
  socket: Request | Subscriber,
  hasKeys: boolean,
  onTrouble: (words: string, final: boolean) => void,
): void {
  const other = hasKeys
    ? 'E0605: the server ended the handshake; has it keys, and is its key the one in the key file?'
    : 'E0605: the server wants keys, and this agent was started without --keys FILE'
  socket.events.on('handshake:error:auth', () =>
    onTrouble('E0605: the server knows no such key; is this host’s public_key in the repo, and applied?', true),
  )
  socket.events.on('handshake:error:protocol', () => onTrouble(other, true))
  socket.events.on('handshake:error:other', () => onTrouble(other, false))
}
