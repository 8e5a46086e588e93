import { messageOf } from '../../../core/index.ts'
import { extractFence, type Which } from '../extract/extract.ts'

export interface JavaScriptSyntax {
  /** Statements at the top level; absent where the text is no program. */
  readonly statements?: number
  /** Why it is none, with line and column. */
  readonly error?: string
  /** Nested too deeply for the parser's stack: neither valid nor invalid. */
  readonly tooDeep?: true
}

/**
 * Whether `source` is a JavaScript program (ECMAScript 2025, read by the parser acorn and not run): as a classic
 * script, as a module, or as either.
 */
export async function javascriptSyntax(
  source: string,
  as: 'script' | 'module' | 'either' = 'either',
): Promise<JavaScriptSyntax> {
  const { parse } = await import('acorn')
  let error: string | undefined
  for (const sourceType of as === 'either' ? (['script', 'module'] as const) : [as])
    try {
      return { statements: parse(source, { ecmaVersion: 2025, sourceType }).body.length }
    } catch (thrown) {
      if (thrown instanceof RangeError) return { tooDeep: true }
      error ??= messageOf(thrown)
    }
  return { error: error! }
}

/** The code of an answer: its first (or last) code fence, closed or not, or the whole text where there is none. */
export function codeOf(text: string, which: Which = 'first'): string {
  const fence = extractFence(text, { which, allowMissingClose: true })
  return fence.value ?? (fence.error === 'absent' ? text : '')
}
