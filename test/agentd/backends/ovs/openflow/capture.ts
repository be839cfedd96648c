import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const HELLO = 0
/** What is answered by itself, with the same body: echoes and barriers. */
const ANSWERS: Readonly<Record<number, number>> = { 2: 3, 20: 21 }

/**
 * The messages that `ovs-ofctl -O OpenFlow14 <command> <switch> <file>` sends, with transaction ids set to zero: a switch that says
 * hello, answers what ovs-ofctl asks, and writes everything else down.
 */
export async function capture(command: string, lines: readonly string[], ...options: string[]): Promise<Buffer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'netloom-capture-'))
  const messages: Buffer[] = []
  const server = createServer((socket) => serve(socket, messages))
  try {
    const path = join(folder, 'switch')
    await new Promise<void>((resolve) => server.listen(path, resolve))
    await writeFile(join(folder, 'flows'), `${lines.join('\n')}\n`)
    await run('ovs-ofctl', ['-O', 'OpenFlow14', '--no-names', ...options, command, `unix:${path}`, join(folder, 'flows')], {
      timeout: 20_000,
    })
  } finally {
    server.close()
    await rm(folder, { recursive: true, force: true })
  }
  return messages
}

function serve(socket: Socket, messages: Buffer[]): void {
  let held = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.write(Buffer.from([5, HELLO, 0, 8, 0, 0, 0, 1]))
  socket.on('data', (piece) => {
    held = Buffer.concat([held, piece])
    while (held.length >= 8 && held.length >= held.readUInt16BE(2)) {
      const message = Buffer.from(held.subarray(0, held.readUInt16BE(2)))
      held = held.subarray(message.length)
      const type = message[1] ?? 0
      const answer = ANSWERS[type]
      if (answer !== undefined) {
        message[1] = answer
        socket.write(message)
      } else if (type !== HELLO) {
        message.writeUInt32BE(0, 4)
        messages.push(message)
      }
    }
  })
}
