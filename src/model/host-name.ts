/** What a host may be called: the name is an argument of its agent, a topic on the wire and a folder's name. */
const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

export const HOST_NAME_RULE: string =
  'a host name has at most 63 letters, digits, dots, dashes and underscores, and begins with a letter or a digit'

export function isHostName(text: string): boolean {
  return HOST_NAME.test(text)
}
