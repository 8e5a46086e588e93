import { isObject } from '../../core/index.ts'

/**
 * The action that a policy's text asks for: `"action"` of the last JSON object in it that has one, else the text or its
 * last line that is not empty, after "action:" where that stands there. Surrounding white space, quotes and a full stop
 * are forgiven, and case where it leads to exactly one legal action. What fits no legal action is returned as it was
 * read, to be refused as illegal.
 */
export function readAction(text: string, legal: readonly string[]): string {
  const said = jsonAction(text) ?? lastLine(text)
  if (legal.includes(said)) return said
  const bare = said.trim().replace(/^["'`]+|["'`]+$/g, '')
  for (const candidate of [bare, bare.replace(/\.$/, '')]) {
    if (legal.includes(candidate)) return candidate
    const alike = legal.filter((action) => action.toLowerCase() === candidate.toLowerCase())
    if (alike.length === 1) return alike[0]!
  }
  return bare
}

function lastLine(text: string): string {
  const line = text.trimEnd().split('\n').at(-1)!.trim()
  return /\baction\s*[:=]\s*(.+)$/i.exec(line)?.[1] ?? line
}

/** Objects are looked for from the end: thoughts come first. Braces inside strings end the search for one object only. */
function jsonAction(text: string): string | undefined {
  let tries = 0
  for (
    let start = text.lastIndexOf('{');
    start >= 0 && tries < 20;
    start = text.lastIndexOf('{', start - 1)
  ) {
    tries++
    for (let end = text.lastIndexOf('}'); end > start; end = text.lastIndexOf('}', end - 1)) {
      try {
        const value: unknown = JSON.parse(text.slice(start, end + 1))
        if (isObject(value) && (typeof value.action === 'string' || typeof value.action === 'number'))
          return String(value.action)
        break
      } catch {
        if (++tries >= 20) break
      }
    }
    if (start === 0) break
  }
  return undefined
}
