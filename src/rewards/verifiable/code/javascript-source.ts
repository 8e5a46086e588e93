import type { ArrayExpression, BlockStatement, ExpressionStatement, Node, SequenceExpression } from 'acorn'
import { messageOf } from '../../../core/index.ts'
import { extractFence, type Which, withoutThoughts } from '../extract/extract.ts'

export interface JavaScriptSyntax {
  /** Statements at the top level that do something: no bare names or values, as words have; absent where the text is no program. */
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
      return {
        statements: parse(source, { ecmaVersion: 2025, sourceType }).body.filter(doesSomething).length,
      }
    } catch (thrown) {
      if (thrown instanceof RangeError) return { tooDeep: true }
      error ??= messageOf(thrown)
    }
  return { error: error! }
}

function doesSomething(node: Node): boolean {
  switch (node.type) {
    case 'EmptyStatement':
    case 'Identifier':
    case 'Literal':
      return false
    case 'ExpressionStatement':
      return doesSomething((node as ExpressionStatement).expression)
    case 'BlockStatement':
      return (node as BlockStatement).body.some(doesSomething)
    case 'SequenceExpression':
      return (node as SequenceExpression).expressions.some(doesSomething)
    case 'ArrayExpression':
      return (node as ArrayExpression).elements.some((element) => element !== null && doesSomething(element))
    default:
      return true
  }
}

/** The code of an answer, thoughts left out: its first (or last) code fence, closed or not, or the whole text where there is none. */
export function codeOf(text: string, which: Which = 'first'): string {
  const shown = withoutThoughts(text)
  const fence = extractFence(shown, { which, allowMissingClose: true })
  return fence.value ?? (fence.error === 'absent' ? shown : '')
}
