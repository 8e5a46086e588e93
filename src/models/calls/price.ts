import type { Usage } from '../../core/index.ts'

/** What a model costs, as its provider says [US dollars per million tokens]. */
export interface Price {
  readonly input: number
  readonly output: number
}

/** [US dollars] Undefined where the price or a count of tokens is not known. */
export function costOf(
  { inputTokens, outputTokens }: Pick<Usage, 'inputTokens' | 'outputTokens'>,
  price: Price | undefined,
): number | undefined {
  if (price === undefined) return undefined
  if (price.input === 0 && price.output === 0) return 0
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  return (inputTokens * price.input + outputTokens * price.output) / 1e6
}
