/** What Linux takes as a name of an interface (`dev_valid_name`, IFNAMSIZ): 1 to 15 bytes, no `/`, no blank, not `.` or `..`. Undefined = fine. */
export function interfaceNameFault(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'is no name for an interface'
  // Letters beyond ASCII, colons (aliases), `|` and `%` (formats) only make trouble in tools that list interfaces.
  if (!/^[A-Za-z0-9_.@+-]+$/.test(name)) return 'holds a character that interfaces cannot have'
  return name.length > 15 ? `has ${name.length} characters; Linux takes at most 15` : undefined
}
