import type { Finding, ValuePath } from '../model/issue.ts'
import { displayKey, type Key } from '../model/key.ts'
import type { Claim } from './kind.ts'

/** `3 ports: web-1, web-2 and 1 more`: enough to see who it is, never a screenful. */
export function nameHolders(keys: readonly Key[], most = 3): string {
  const shown = keys.slice(0, most).map(displayKey)
  if (keys.length > most) return `${shown.join(', ')} and ${keys.length - most} more`
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}` : shown.join('')
}

/** The finding for a value that somebody else holds: names the holder and where it is written. */
export function takenFinding(
  claim: Extract<Claim, { readonly reason: 'taken' }>,
  what: { readonly code: string; readonly message: string; readonly at: ValuePath; readonly holderAt: ValuePath; readonly hint: string },
): Finding {
  const held = `${displayKey(claim.holder)} ${claim.explicit ? 'has it' : 'got it automatically'}`
  return {
    code: what.code,
    message: `${what.message}: ${held}`,
    at: what.at,
    related: [{ message: `${held}`, key: claim.holder, ...(claim.explicit ? { at: what.holderAt } : {}) }],
    hint: what.hint,
  }
}
