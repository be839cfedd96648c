import { encodeText, refusalReply } from '../../wire/codec.ts'
import type { Report } from '../../wire/messages.ts'
import { answerVersion, inVersion } from '../../wire/versions.ts'
import type { Desk } from './desk.ts'
import type { Gate, GateRefusal } from './gate.ts'

export interface Reception {
  readonly gate: Gate
  readonly desk: Desk
  readonly forward: (report: Report, at: number) => void
  readonly refuse: (refused: GateRefusal) => void
}

/** The answer to what came by the reports endpoint. Never waits for anybody. */
export function receiveReport({ gate, desk, forward, refuse }: Reception, body: readonly Uint8Array[]): string {
  const admitted = gate.admit(body)
  if (!admitted.ok) {
    if (admitted.refused !== undefined) refuse(admitted.refused)
    return encodeText(admitted.reply)
  }
  const { message } = admitted
  if (message.type !== 'report') {
    const { id, host } = message
    const words = `${message.type} belongs to the rpc endpoint`
    return encodeText(refusalReply({ code: 'malformed', message: words, id, host, v: answerVersion(message) }))
  }
  const received = desk.receive(message)
  if (received.forward !== undefined) forward(received.forward, Date.now())
  return encodeText(inVersion(received.reply, message.v))
}
