/**
 * Number of `?` placeholders in an SQL text, outside strings, quoted names and comments. node-sqlite3 binds a missing parameter as
 * NULL without a word, so the wrapper counts. Numbered and named placeholders are not used here and are refused.
 */
export function countPlaceholders(sql: string): number {
  const known = counted.get(sql)
  if (known !== undefined) return known
  let count = 0
  for (const [token] of sql.matchAll(TOKENS)) {
    if (token === '?') count++
    else if (/^[?:@$]/.test(token)) throw new Error(`only plain ? placeholders are used here, not ${token}: ${sql}`)
  }
  counted.set(sql, count)
  return count
}

const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?\d*|[:@$][A-Za-z_]\w*/g

/** Statement texts are constants of this folder, so this stays small. */
const counted: Map<string, number> = new Map()
