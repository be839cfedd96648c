import { createHook } from 'node:async_hooks'
import type { Watched } from '../plugins/judge.ts'

let began: string[] = []
const hook = createHook({
  init(_id, type) {
    began.push(type)
  },
})

/**
 * Runs a judge with an ear on what it begins: every socket, file, timer or promise of Node announces itself when it is made. What is begun cannot be called back, but nothing
 * is committed on the word of a judge that did more than judge.
 */
export const watched: Watched = (judge) => {
  began = []
  hook.enable()
  try {
    const answer = judge()
    return { answer, began }
  } finally {
    hook.disable()
  }
}
