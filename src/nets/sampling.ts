import { GuerdonError, Rng } from '../core/index.ts'
import { type Tensor, tensor } from '../tensor/tree.ts'
import type { CachedDecoder, PrefixTensors } from './cached-decoder.ts'
import type { Decoder } from './decoder.ts'

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
  /** Each text draws from its own stream, so that its neighbours do not matter. @default 0 */
  readonly seed?: string | number
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
export async function sampledTexts(
  decoder: CachedDecoder,
  parameters: Decoder<Tensor>,
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

async function sampledBatch(
  decoder: CachedDecoder,
  parameters: Decoder<Tensor>,
  prompts: Prompts,
  first: number,
  size: number,
  options: SamplingOptions,
): Promise<SampledText[]> {
  const { maxTokens, stop = [], seed = 0, signal } = options
  const { context, vocabulary } = decoder.config
  const ends =
    typeof stop === 'function' ? stop : (tokens: readonly number[]) => stop.includes(tokens.at(-1)!)
  const random = new Rng(seed)
  const rows: Row[] = prompts.tokens.slice(first, first + size).map((prompt, offset) => ({
    index: first + offset,
    rng: random.fork(first + offset),
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
  const { temperature = 1, topK, topP, process } = options
  const total = logSumExp(logits)
  const original = process === undefined ? logits : logits.slice()
  process?.(logits, row.index, [...row.prompt, ...row.tokens])
  const best = logits.reduce((top, value, token) => (value > logits[top]! ? token : top), 0)
  if (!(logits[best]! > Number.NEGATIVE_INFINITY))
    throw new GuerdonError(
      'nothing-to-sample',
      `every token of text ${row.index} is ruled out or not a number.`,
      {
        fix: 'Let `process` leave at least one token.',
      },
    )
  const [token, sampledLogp] =
    temperature === 0 ? [best, 0] : drawn(row.rng, logits, { temperature, topK, topP, best })
  row.tokens.push(token)
  row.logp.push(original[token]! - total)
  row.sampledLogp.push(sampledLogp)
}

function drawn(
  rng: Rng,
  logits: Float32Array,
  filter: {
    readonly temperature: number
    readonly topK: number | undefined
    readonly topP: number | undefined
    readonly best: number
  },
): [token: number, logp: number] {
  const { temperature, topK = logits.length, topP = 1, best } = filter
  const weights = Float64Array.from(logits, (value) => Math.exp((value - logits[best]!) / temperature))
  if (topK < logits.length || topP < 1) {
    const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]!)
    const mass = order.slice(0, topK).reduce((sum, token) => sum + weights[token]!, 0)
    let sum = 0
    order.forEach((token, rank) => {
      if (rank >= topK || sum >= topP * mass) weights[token] = 0
      else sum += weights[token]!
    })
  }
  const whole = weights.reduce((a, b) => a + b)
  let left = rng.uniform() * whole
  let token = best
  for (let candidate = 0; candidate < weights.length; candidate++) {
    if (weights[candidate] === 0) continue
    token = candidate
    left -= weights[candidate]!
    if (left < 0) break
  }
  return [token, Math.log(weights[token]! / whole)]
}

function logSumExp(logits: Float32Array): number {
  const top = logits.reduce((a, b) => Math.max(a, b))
  return top + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - top), 0))
}

/** Repeated from the start up to the next power of two. */
function filledUp(rows: readonly number[]): number[] {
  const size = 2 ** Math.ceil(Math.log2(rows.length))
  return Array.from({ length: size }, (_, index) => rows[index % rows.length]!)
}

function prefixRows({ tokens, mask }: PrefixTensors, rows: readonly number[]): PrefixTensors {
  return { tokens: rowsOf(tokens, rows), mask: mask && rowsOf(mask, rows) }
}

function rowsOf({ data, shape, dtype }: Tensor, rows: readonly number[]): Tensor {
  const size = shape.slice(1).reduce((a, b) => a * b, 1)
  const numbers = new Float32Array(rows.length * size)
  rows.forEach((row, index) => {
    numbers.set((data as Float32Array).subarray(row * size, (row + 1) * size), index * size)
  })
  return tensor(numbers, [rows.length, ...shape.slice(1)], dtype)
}
