import { GuerdonError } from '../core/index.ts'
import type { PrefillInputs } from './cached-decoder.ts'
import type { SourceReading, TokenSource } from './sampling.ts'

/** Another model that reads along and has a say in each token. */
export interface DecodingGuide<Parameters, Memory extends { readonly lengths: readonly number[] }> {
  readonly source: TokenSource<Parameters, Memory>
  readonly weight: number
  /** Its own number of a token; undefined rules the token out. @default the same number */
  readonly tokenOf?: (token: number) => number | undefined
}

export interface GuidedOptions {
  /**
   * The sum is divided by one and all weights, so that it is as sharp as one model: a weighted mean. Without it, a weight is
   * the strength 1 / beta of KL-regularised reward maximisation. @default false
   */
  readonly normalised?: boolean
}

/**
 * Log-probabilities [nats] of the next token where guides have a say: log p(v) + sum of weight * log p_guide(v), normalised
 * over the vocabulary. Logits will do, as constants cancel. A guide that gives -Infinity rules the token out, also at
 * weight 0.
 *
 * @source GenARM, arXiv 2410.08193 (autoregressive reward models as guides; weight = 1 / beta)
 */
export function guidedLogp(
  base: ArrayLike<number>,
  guides: readonly { readonly logits: ArrayLike<number>; readonly weight: number }[],
  { normalised = false }: GuidedOptions = {},
): Float32Array {
  const mixed = logSoftmax(base)
  let total = 1
  for (const { logits, weight } of guides) {
    total += weight
    const own = logSoftmax(logits)
    for (let token = 0; token < mixed.length; token++)
      mixed[token]! += own[token] === -Infinity ? -Infinity : weight * own[token]!
  }
  if (normalised) for (let token = 0; token < mixed.length; token++) mixed[token]! /= total
  return Float32Array.from(logSoftmax(mixed))
}

/** Parameters of a guided decoder: the writer's, and each guide's. */
export interface GuidedParameters<Base, Guide> {
  readonly base: Base
  readonly guides: readonly Guide[]
}

export interface GuidedMemory<Base, Guide> {
  readonly lengths: readonly number[]
  readonly base: Base
  readonly guides: readonly Guide[]
}

interface Lengths {
  readonly lengths: readonly number[]
}

/**
 * A decoder whose every token is guided (`guidedLogp`): all read the same text, each with a memory of its own. A prefix goes
 * to the writer alone. Throws `bad-option` for a guide of another vocabulary without `tokenOf`, and `unknown-token` for a
 * prompt that a guide cannot read.
 */
export function guidedDecoder<Parameters, Memory extends Lengths, Own, Kept extends Lengths>(
  base: TokenSource<Parameters, Memory>,
  guides: readonly DecodingGuide<Own, Kept>[],
  options: GuidedOptions = {},
): TokenSource<GuidedParameters<Parameters, Own>, GuidedMemory<Memory, Kept>> {
  const { vocabulary } = base.config
  const maps = guides.map(({ source, tokenOf }) => {
    if (tokenOf === undefined && source.config.vocabulary !== vocabulary)
      throw new GuerdonError(
        'bad-option',
        `a guide has ${source.config.vocabulary} tokens, the model that it guides ${vocabulary}.`,
        { fix: 'Give `tokenOf`, which tells its number of each token.' },
      )
    return tokenOf && Array.from({ length: vocabulary }, (_, token) => tokenOf(token))
  })
  const read = (guide: number, token: number): number => {
    const map = maps[guide]
    const own = map === undefined ? token : map[token]
    if (own !== undefined) return own
    throw new GuerdonError('unknown-token', `guide ${guide} does not know token ${token} of the text.`)
  }
  /** Logits of a guide's row as tokens of the base. */
  const heard = (guide: number, { logits }: SourceReading<Kept>, row: number): Float32Array => {
    const size = guides[guide]!.source.config.vocabulary
    const own = logits.subarray(row * size, (row + 1) * size)
    const map = maps[guide]
    return map === undefined ? own : Float32Array.from(map, (token) => own[token ?? -1] ?? -Infinity)
  }
  const joined = (spoken: SourceReading<Memory>, others: readonly SourceReading<Kept>[]) => {
    const { lengths } = spoken.cache
    const logits = others.length === 0 ? spoken.logits : new Float32Array(spoken.logits.length)
    if (others.length > 0)
      for (let row = 0; row < lengths.length; row++)
        logits.set(
          guidedLogp(
            spoken.logits.subarray(row * vocabulary, (row + 1) * vocabulary),
            others.map((other, guide) => ({
              logits: heard(guide, other, row),
              weight: guides[guide]!.weight,
            })),
            options,
          ),
          row * vocabulary,
        )
    return { logits, cache: { lengths, base: spoken.cache, guides: others.map(({ cache }) => cache) } }
  }
  return {
    config: {
      vocabulary,
      context: Math.min(base.config.context, ...guides.map(({ source }) => source.config.context)),
    },
    async prefill(parameters, inputs: PrefillInputs) {
      const others: SourceReading<Kept>[] = []
      for (const [index, { source }] of guides.entries()) {
        const tokens = inputs.tokens.map((text) => text.map((token) => read(index, token)))
        others.push(await source.prefill(parameters.guides[index]!, { tokens }))
      }
      return joined(await base.prefill(parameters.base, inputs), others)
    },
    async step(cache, tokens) {
      const others: SourceReading<Kept>[] = []
      for (const [index, { source }] of guides.entries())
        others.push(
          await source.step(
            cache.guides[index]!,
            tokens.map((token) => read(index, token)),
          ),
        )
      return joined(await base.step(cache.base, tokens), others)
    },
    async select(cache, rows) {
      const others: Kept[] = []
      for (const [index, { source }] of guides.entries())
        others.push(await source.select(cache.guides[index]!, rows))
      return {
        lengths: rows.map((row) => cache.lengths[row]!),
        base: await base.select(cache.base, rows),
        guides: others,
      }
    },
  }
}

/** Log-probabilities of logits. */
export function logSoftmax(logits: ArrayLike<number>): Float64Array {
  let highest = Number.NEGATIVE_INFINITY
  for (let index = 0; index < logits.length; index++) highest = Math.max(highest, logits[index]!)
  let sum = 0
  for (let index = 0; index < logits.length; index++) sum += Math.exp(logits[index]! - highest)
  const whole = highest + Math.log(sum)
  return Float64Array.from(logits, (logit) => logit - whole)
}
