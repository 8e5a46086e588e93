import { GuerdonError, Rng } from '../core/index.ts'
import { rowsOf } from '../tensor/tree.ts'
import type { PrefillInputs, PrefixTensors } from './cached-decoder.ts'

/** What texts are continued with, token by token: a `CachedDecoder`, or one that others guide. */
export interface TokenSource<Parameters, Memory extends { readonly lengths: readonly number[] }> {
  readonly config: { readonly vocabulary: number; readonly context: number }
  prefill(parameters: Parameters, inputs: PrefillInputs): Promise<SourceReading<Memory>>
  step(cache: Memory, tokens: readonly number[]): Promise<SourceReading<Memory>>
  select(cache: Memory, rows: readonly number[]): Promise<Memory>
}

export interface SourceReading<Memory> {
  /** Of the token that comes next: rows * vocabulary numbers, by rows. */
  readonly logits: Float32Array
  readonly cache: Memory
}

export interface SamplingOptions {
  /** New tokens of each text at most; also bounded by the context. */
  readonly maxTokens: number
  /** 0 takes the likeliest token (the first of equals). @default 1 */
  readonly temperature?: number
  /** Only the k likeliest tokens are drawn. @default all */
  readonly topK?: number
  /** Only the likeliest tokens whose probabilities reach this sum are drawn. @default 1 */
  readonly topP?: number
  /** A text ends with one of these tokens (it is kept), or when the function says so. */
  readonly stop?: readonly number[] | ((tokens: readonly number[]) => boolean)
  /**
   * Changes the logits of one row in place before the temperature: bans (-Infinity), grammars, mixtures. `row` is the
   * text's index, `tokens` what it has so far, its prompt included.
   */
  readonly process?: (logits: Float32Array, row: number, tokens: readonly number[]) => void
  /** Each text draws from its own stream, so that its neighbours do not matter; or the stream of each. @default 0 */
  readonly seed?: string | number | ((text: number) => Rng)
  /** Texts decoded together. @default 64 */
  readonly batch?: number
  readonly signal?: AbortSignal
}

export interface SampledText {
  /** New tokens, the stop token included. */
  readonly tokens: readonly number[]
  /** Log-probability of each new token under the model itself: temperature 1, no filter, logits as they came [nats]. */
  readonly logp: readonly number[]
  /** Log-probability of each new token in the distribution that it was drawn from [nats]; 0 when greedy. */
  readonly sampledLogp: readonly number[]
  /** False when it was cut off at `maxTokens` or at the end of the context. */
  readonly stopped: boolean
}

export interface Prompts {
  readonly tokens: readonly (readonly number[])[]
  /** Vectors before each prompt, Float[prompts, N, width]. */
  readonly prefix?: PrefixTensors | undefined
}

/** Continues each prompt. The same seed gives the same texts. */
export async function sampledTexts<Parameters, Memory extends { readonly lengths: readonly number[] }>(
  decoder: TokenSource<Parameters, Memory>,
  parameters: Parameters,
  prompts: Prompts,
  options: SamplingOptions,
): Promise<SampledText[]> {
  const size = options.batch ?? 64
  const texts: SampledText[] = []
  for (let first = 0; first < prompts.tokens.length; first += size)
    texts.push(...(await sampledBatch(decoder, parameters, prompts, first, size, options)))
  return texts
}

interface Row {
  readonly index: number
  readonly rng: Rng
  readonly prompt: readonly number[]
  readonly tokens: number[]
  readonly logp: number[]
  readonly sampledLogp: number[]
  stopped: boolean
}

async function sampledBatch<Parameters, Memory extends { readonly lengths: readonly number[] }>(
  decoder: TokenSource<Parameters, Memory>,
  parameters: Parameters,
  prompts: Prompts,
  first: number,
  size: number,
  options: SamplingOptions,
): Promise<SampledText[]> {
  const { maxTokens, stop = [], seed = 0, signal } = options
  const { context, vocabulary } = decoder.config
  const ends =
    typeof stop === 'function' ? stop : (tokens: readonly number[]) => stop.includes(tokens.at(-1)!)
  const streamOf = typeof seed === 'function' ? seed : (index: number) => new Rng(seed).fork(index)
  const rows: Row[] = prompts.tokens.slice(first, first + size).map((prompt, offset) => ({
    index: first + offset,
    rng: streamOf(first + offset),
    prompt,
    tokens: [],
    logp: [],
    sampledLogp: [],
    stopped: false,
  }))
  // Row numbers of the batch that is decoded: filled up to a power of two with copies, so that few graphs are compiled.
  let slots = filledUp(rows.map((_, index) => index))
  let decoded = await decoder.prefill(parameters, {
    tokens: slots.map((index) => rows[index]!.prompt),
    prefix:
      prompts.prefix &&
      prefixRows(
        prompts.prefix,
        slots.map((index) => first + index),
      ),
  })
  let open = rows.map((_, index) => index)
  for (;;) {
    signal?.throwIfAborted()
    for (const index of open) {
      const row = rows[index]!
      const slot = slots.indexOf(index)
      drawToken(row, decoded.logits.slice(slot * vocabulary, (slot + 1) * vocabulary), options)
      row.stopped = ends(row.tokens)
    }
    open = open.filter((index) => {
      const { stopped, tokens, prompt } = rows[index]!
      return !stopped && tokens.length < maxTokens && prompt.length + tokens.length <= context
    })
    if (open.length === 0) break
    const next = filledUp(open)
    const full = decoded.cache.lengths.some((length) => length >= context)
    if (next.length < slots.length || full) {
      const places = next.map((index) => slots.indexOf(index))
      decoded = { ...decoded, cache: await decoder.select(decoded.cache, places) }
      slots = next
    }
    decoded = await decoder.step(
      decoded.cache,
      slots.map((index) => rows[index]!.tokens.at(-1)!),
    )
  }
  return rows.map(({ tokens, logp, sampledLogp, stopped }) => ({ tokens, logp, sampledLogp, stopped }))
}

/** Draws the next token of a row; `logits` may be changed. */
function drawToken(row: Row, logits: Float32Array, options: SamplingOptions): void {
  const { temperature = 1, process } = options
  const model = weightsOf(logits, logits[greatest(logits)]!, 1)
  process?.(logits, row.index, [...row.prompt, ...row.tokens])
  const best = greatest(logits)
  if (!(logits[best]! > Number.NEGATIVE_INFINITY))
    throw new GuerdonError(
      'nothing-to-sample',
      `every token of text ${row.index} is ruled out or not a number.`,
      {
        fix: 'Let `process` leave at least one token.',
      },
    )
  const unchanged = temperature === 1 && process === undefined
  const { token, logp } =
    temperature === 0
      ? { token: best, logp: 0 }
      : drawnToken(row.rng, unchanged ? model : weightsOf(logits, logits[best]!, temperature), options)
  row.tokens.push(token)
  row.sampledLogp.push(logp)
  row.logp.push(Math.log(model.weights[token]! / model.sum))
}

interface Weights {
  /** Proportional to the probabilities. */
  readonly weights: Float64Array
  readonly sum: number
}

function weightsOf(logits: Float32Array, top: number, temperature: number): Weights {
  const weights = new Float64Array(logits.length)
  let sum = 0
  for (let token = 0; token < logits.length; token++) {
    const weight = Math.exp((logits[token]! - top) / temperature)
    weights[token] = weight
    sum += weight
  }
  return { weights, sum }
}

/** A token in proportion to the weights that top-k and top-p leave. */
function drawnToken(
  rng: Rng,
  { weights, sum }: Weights,
  { topK = weights.length, topP = 1 }: SamplingOptions,
): { readonly token: number; readonly logp: number } {
  const filtered = topK < weights.length || topP < 1
  const kept = filtered ? mostLikely(weights, topK, topP) : weights
  const mass = filtered ? kept.reduce((a, b) => a + b) : sum
  let left = rng.uniform() * mass
  let token = 0
  for (let candidate = 0; candidate < kept.length && left >= 0; candidate++) {
    if (kept[candidate] === 0) continue
    token = candidate
    left -= kept[candidate]!
  }
  return { token, logp: Math.log(kept[token]! / mass) }
}

/** The weights of the k likeliest tokens, and of those only the likeliest that reach `topP` of their sum; 0 elsewhere. */
function mostLikely(weights: Float64Array, topK: number, topP: number): Float64Array {
  const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]!).slice(0, topK)
  const mass = order.reduce((sum, token) => sum + weights[token]!, 0)
  const kept = new Float64Array(weights.length)
  let sum = 0
  for (const token of order) {
    if (sum >= topP * mass) break
    kept[token] = weights[token]!
    sum += weights[token]!
  }
  return kept
}

/** Index of the greatest number, the first of equals. */
function greatest(numbers: Float32Array): number {
  let best = 0
  for (let index = 1; index < numbers.length; index++) if (numbers[index]! > numbers[best]!) best = index
  return best
}

/** Repeated from the start up to the next power of two. */
function filledUp(rows: readonly number[]): number[] {
  const size = 2 ** Math.ceil(Math.log2(rows.length))
  return Array.from({ length: size }, (_, index) => rows[index % rows.length]!)
}

function prefixRows({ tokens, mask }: PrefixTensors, rows: readonly number[]): PrefixTensors {
  return { tokens: rowsOf(tokens, rows), mask: mask && rowsOf(mask, rows) }
}
