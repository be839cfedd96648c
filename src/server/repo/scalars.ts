import type { Issue, Place } from '../../model/issue.ts'

const LEADING_ZERO = /^[-+]?0[0-9]+$/
const BOOLEAN_OF_1_1 = /^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+$/
const PLAIN_DECIMAL = /^[-+]?[0-9]+$/

/**
 * Scalars that mean one thing to this reader (YAML 1.2, core schema) and another to the eye or to a YAML 1.1 tool. `source` is the plain
 * text as typed, `value` what it was read as. Returns nothing for the ordinary ones.
 */
export function scalarIssue(source: string, value: unknown, place: () => Place): Issue | undefined {
  if (typeof value === 'number') return numberIssue(source, value, place)
  if (typeof value !== 'string') return undefined
  if (BOOLEAN_OF_1_1.test(source)) {
    const meant = /^(?:y|on)/i.test(source)
    return warning(
      'W0153',
      `\`${source}\` is read as text, not as ${meant}`,
      place(),
      `write ${meant}, or "${source}" if the text is meant`,
    )
  }
  if (SEXAGESIMAL.test(source)) {
    return warning(
      'W0154',
      `\`${source}\` is read as text here, but as a number in base 60 by YAML 1.1 tools`,
      place(),
      `quote it: "${source}"`,
    )
  }
  return undefined
}

function numberIssue(source: string, value: number, place: () => Place): Issue | undefined {
  if (!Number.isFinite(value)) {
    return error('E0114', `\`${source}\` is no number that can be used`, place(), `quote it if the text is meant: "${source}"`)
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return error('E0114', `\`${source}\` is too large to be read exactly (it would become ${value})`, place(), `quote it: "${source}"`)
  }
  if (LEADING_ZERO.test(source)) {
    return warning('W0151', `\`${source}\` is read as the number ${value}`, place(), `write ${value}, or "${source}" if the text is meant`)
  }
  if (!PLAIN_DECIMAL.test(source) && !/^0[xo]/.test(source) && String(value) !== source) {
    return warning('W0152', `\`${source}\` is read as the number ${value}`, place(), `write ${value}, or "${source}" if the text is meant`)
  }
  return undefined
}

function warning(code: string, message: string, place: Place, hint: string): Issue {
  return { code, severity: 'warning', message, place, hint }
}

function error(code: string, message: string, place: Place, hint: string): Issue {
  return { code, severity: 'error', message, place, hint }
}
