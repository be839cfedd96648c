import type { SystemSubscription } from '../callbacks.ts'

/** Who is there and who is not, in the server's log. */
export const agents: SystemSubscription = {
  name: 'agents',
  stage: 'system',
  events: ['agent/new', 'agent/revived', 'agent/down'],
  async act({ name, host = '' }, { log, revision }) {
    if (name === 'agent/down') log('warn', 'an agent is not heard of any more; its host keeps what it has', { host, revision })
    else log('info', name === 'agent/new' ? 'an agent reports for the first time' : 'an agent is back', { host, revision })
  },
}
