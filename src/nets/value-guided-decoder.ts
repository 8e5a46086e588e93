import { logSoftmax } from './guided-decoder.ts'
import type { SourceReading, TokenSource } from './sampling.ts'

/** A text in the making. */
export interface PartialText {
  readonly prompt: readonly number[]
  /** What was written so far and one more token. */
  readonly tokens: readonly number[]
}

export interface ValueGuide {
  /** Values of texts that may come next, in their order. */
  readonly values: (texts: readonly PartialText[]) => Promise<ArrayLike<number>>
  /** What a value counts beside a log-probability. */
  readonly weight: number
  /** Tokens that are considered at each step; all others are ruled out. @default 8 */
  readonly top?: number
}

export interface ValuedMemory<Memory> {
  readonly lengths: readonly number[]
  readonly inner: Memory
  readonly texts: readonly PartialText[]
}

/**
 * A decoder that asks for the value of each of its likeliest next tokens: their logits become log p(v) + weight *
 * value(text, v), all others -Infinity. Greedy with a trajectory's reward model as the value it is the usual form of
 * reward-guided search (ARGS, arXiv 2402.01694); costs `top` values a token.
 */
export function valueGuidedDecoder<Parameters, Memory extends { readonly lengths: readonly number[] }>(
  source: TokenSource<Parameters, Memory>,
  { values, weight, top = 8 }: ValueGuide,
): TokenSource<Parameters, ValuedMemory<Memory>> {
  const { vocabulary } = source.config
  const valued = async (
    { logits, cache }: SourceReading<Memory>,
    texts: readonly PartialText[],
  ): Promise<SourceReading<ValuedMemory<Memory>>> => {
    const result = new Float32Array(logits.length).fill(-Infinity)
    // rows that fill a batch up are copies: each text is asked about once
    const asked = new Map<string, PartialText>()
    const key = ({ prompt, tokens }: PartialText) => `${prompt.join(' ')}|${tokens.join(' ')}`
    const candidates = texts.flatMap(({ prompt, tokens }, row) => {
      const logp = logSoftmax(logits.subarray(row * vocabulary, (row + 1) * vocabulary))
      const likeliest = [...logp.keys()].sort((a, b) => logp[b]! - logp[a]!).slice(0, top)
      return likeliest
        .filter((token) => logp[token]! > -Infinity)
        .map((token) => {
          const text = { prompt, tokens: [...tokens, token] }
          asked.set(key(text), text)
          return { place: row * vocabulary + token, logp: logp[token]!, key: key(text) }
        })
    })
    const found = await values([...asked.values()])
    const known = new Map([...asked.keys()].map((name, index) => [name, found[index]!]))
    for (const candidate of candidates)
      result[candidate.place] = candidate.logp + weight * known.get(candidate.key)!
    return { logits: result, cache: { lengths: cache.lengths, inner: cache, texts } }
  }
  return {
    config: source.config,
    async prefill(parameters, inputs) {
      const texts = inputs.tokens.map((prompt) => ({ prompt, tokens: [] }))
      return valued(await source.prefill(parameters, inputs), texts)
    },
    async step({ inner, texts }, tokens) {
      const longer = texts.map((text, row) => ({ ...text, tokens: [...text.tokens, tokens[row]!] }))
      return valued(await source.step(inner, tokens), longer)
    },
    async select({ inner, texts }, rows) {
      const chosen = await source.select(inner, rows)
      return { lengths: chosen.lengths, inner: chosen, texts: rows.map((row) => texts[row]!) }
    },
  }
}
