const LONGEST = 255
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

export interface NameFault {
  readonly message: string
  readonly hint: string
}

/**
 * What is wrong with the name of a resource or a project; undefined when nothing is. 255 is what Neutron's `name` holds; `/` parts project
 * and name in references and in keys.
 */
export function nameFault(name: string): NameFault | undefined {
  if (name.trim() === '') return { message: `a name cannot be ${name === '' ? 'empty' : 'blank'}`, hint: 'give it a name' }
  if ([...name].length > LONGEST) return { message: `a name has at most ${LONGEST} characters`, hint: 'shorten it' }
  if (name.includes('/'))
    return { message: 'a name cannot hold a `/`', hint: `write ${name.replaceAll('/', '-')}; \`project/name\` is only for references` }
  if (CONTROL.test(name)) return { message: 'a name cannot hold control characters', hint: 'remove them' }
  if (name !== name.trim()) return { message: 'a name cannot start or end with a space', hint: `write \`${name.trim()}\`` }
  return undefined
}

/** A name as it is shown in a message. */
export function shortened(name: string): string {
  return name.trim() === '' ? '(no name)' : name.length > 60 ? `${name.slice(0, 59)}…` : name
}
