import { GuerdonError } from '../core/index.ts'
import type { CompileOptions } from '../tensor/compile.ts'
import { type Tensor, tensor } from '../tensor/tree.ts'
import type { Decoder, DecoderConfig } from './decoder.ts'
import { decoderGraphs, type Remembered } from './decoder-graphs.ts'
import type { Hooks } from './transformer.ts'

export interface CachedDecoderOptions extends CompileOptions {
  /**
   * Tokens that one graph's own memory takes before they join the long one. Texts are padded on the left to multiples
   * of it, so it also bounds how many graphs are compiled. @default 16
   */
  readonly block?: number
  /** Traced into every graph; to change them, make another decoder. */
  readonly hooks?: Hooks
  /** Blocks whose hidden states of the newest token are returned. @default none */
  readonly taps?: readonly number[]
}

export interface PrefillInputs {
  /** One text of at least one token for each row; lengths may differ. */
  readonly tokens: readonly (readonly number[])[]
  /** Vectors before the texts: `tokens` Float[B, N, width], `mask` Float[B, N]. */
  readonly prefix?: PrefixTensors | undefined
}

export interface PrefixTensors {
  readonly tokens: Tensor
  readonly mask?: Tensor | undefined
}

/** What a decoder remembers of a batch of texts. It never changes, so that one cache may be continued in many ways. */
export interface Cache {
  /** Rows of the batch. */
  readonly batch: number
  /** Tokens of each text so far, the prefix not counted. */
  readonly lengths: readonly number[]
  /** Place of the first token that is not of the prefix. */
  readonly prefix: number
  readonly parameters: Decoder<Tensor>
  readonly past: Remembered<Tensor>
  /** Float[B, P]: 1 where the past holds a token. */
  readonly present: Tensor
  readonly recent: Recent
  /** Tokens of `recent` that are this cache's; what stands behind them belongs to a continuation. */
  readonly used: number
}

/** The newest tokens, up to `block`. Caches that continue each other share it: places are written once, in order. */
interface Recent extends Remembered<Tensor> {
  filled: number
}

export interface Decoded {
  /** Of the token that comes next: `batch * vocabulary` numbers, by rows. */
  readonly logits: Float32Array
  readonly cache: Cache
  /** For each tap, Float[B, width] of the newest token. */
  readonly hidden: readonly Tensor[]
}

/** A decoder that continues texts token by token, remembering keys and values, and scores given texts. */
export interface CachedDecoder {
  readonly config: DecoderConfig
  /** Reads texts whole. */
  prefill(parameters: Decoder<Tensor>, inputs: PrefillInputs): Promise<Decoded>
  /** Reads one more token for each row. */
  step(cache: Cache, tokens: readonly number[]): Promise<Decoded>
  /** The rows chosen, in that order; a row may be repeated. */
  select(cache: Cache, rows: readonly number[]): Promise<Cache>
  /**
   * Log-probability of each token of each text given those before [nats]; the first one only after a prefix (without
   * one it is NaN). Lengths may differ.
   */
  score(parameters: Decoder<Tensor>, inputs: PrefillInputs): Promise<Float32Array[]>
  dispose(): Promise<void>
}

/**
 * Keys and values are kept in two memories: a long one that only grows every `block` tokens, and a short one that
 * takes the newest; so a step copies little. Graphs are compiled when a shape is first met and then kept.
 */
export function cachedDecoder(config: DecoderConfig, options: CachedDecoderOptions = {}): CachedDecoder {
  const { block = 16, hooks, taps = [] } = options
  const { heads, width, depth, context } = config
  const graphs = decoderGraphs(config, { ...options, block, hooks, taps })
  const emptyRecent = (batch: number) => emptied(depth, [batch, heads, block, width / heads])

  return {
    config,

    async prefill(parameters, { tokens, prefix }) {
      const lengths = checkedLengths(tokens, context)
      const padded = paddedLeft(tokens, Math.ceil(Math.max(...lengths) / block) * block, context)
      const before = prefix === undefined ? 0 : prefix.tokens.shape[1]!
      const { logits, hidden, keys, values } = await graphs.prefill(parameters, {
        ...padded,
        ...spliced(prefix),
      })
      const cache: Cache = {
        batch: tokens.length,
        lengths,
        prefix: before,
        parameters,
        past: { keys, values },
        present: joinedPresence(tokens.length, before, prefix?.mask, padded.mask),
        recent: emptyRecent(tokens.length),
        used: 0,
      }
      return { logits: logits.data as Float32Array, hidden, cache }
    },

    async step(given, tokens) {
      if (tokens.length !== given.batch)
        throw new GuerdonError(
          'shape-mismatch',
          `${tokens.length} tokens were given for ${given.batch} rows.`,
        )
      const lengths = given.lengths.map((length) => length + 1)
      checkContext(lengths, context)
      const cache = given.used === block ? await joined(given) : given
      const column = (numbers: readonly number[]) => tensor(numbers, [cache.batch, 1], 'int32')
      const { logits, hidden, ...newest } = await graphs.step(cache.prefix)(
        cache.parameters,
        column(tokens),
        column(given.lengths),
        cache.present,
        tensor([cache.used], [], 'int32'),
        cache.past,
        remembered(cache.recent),
      )
      const recent = cache.recent.filled === cache.used ? cache.recent : copied(cache.recent)
      write(recent, newest, cache.used)
      return {
        logits: logits.data as Float32Array,
        hidden,
        cache: { ...cache, lengths, recent, used: cache.used + 1 },
      }
    },

    async select(cache, rows) {
      const index = tensor(rows, [rows.length], 'int32')
      const picked = await graphs.select(cache.past, remembered(cache.recent), cache.present, index)
      return {
        ...cache,
        ...picked,
        recent: copied({ ...picked.recent, filled: cache.used }),
        batch: rows.length,
        lengths: rows.map((row) => cache.lengths[row]!),
      }
    },

    async score(parameters, { tokens, prefix }) {
      const longest = Math.max(...checkedLengths(tokens, context))
      const length = Math.min(context, Math.ceil(longest / block) * block)
      const ids = new Int32Array(tokens.length * length)
      tokens.forEach((text, row) => {
        ids.set(text, row * length)
      })
      const logp = await graphs.score(parameters, {
        tokens: tensor(ids, [tokens.length, length], 'int32'),
        ...spliced(prefix),
      })
      const scored = logp.shape[1]!
      return tokens.map((text, row) => {
        const numbers = (logp.data as Float32Array).subarray(row * scored, (row + 1) * scored)
        return prefix === undefined
          ? Float32Array.from(text, (_, index) => (index === 0 ? Number.NaN : numbers[index - 1]!))
          : numbers.slice(0, text.length)
      })
    },

    dispose: () => graphs.dispose(),
  }

  /** The recent memory put behind the past one. */
  async function joined(cache: Cache): Promise<Cache> {
    const filled = tensor(new Float32Array(cache.batch * block).fill(1), [cache.batch, block])
    return {
      ...cache,
      past: await graphs.join(cache.past, remembered(cache.recent)),
      present: joinedPresence(cache.batch, cache.present.shape[1]!, cache.present, filled),
      recent: emptyRecent(cache.batch),
      used: 0,
    }
  }
}

function checkedLengths(texts: readonly (readonly number[])[], context: number): number[] {
  const lengths = texts.map(({ length }) => length)
  if (lengths.length === 0 || Math.min(...lengths) < 1)
    throw new GuerdonError('empty-text', 'a text without tokens cannot be read.', {
      fix: 'Begin each text with a token of its own, such as one for its start.',
    })
  checkContext(lengths, context)
  return lengths
}

function checkContext(lengths: readonly number[], context: number): void {
  const longest = Math.max(...lengths)
  if (longest > context)
    throw new GuerdonError('text-too-long', `a text of ${longest} tokens exceeds the context of ${context}.`)
}

/** Texts padded on the left; padding has position 0 and is masked. */
function paddedLeft(texts: readonly (readonly number[])[], length: number, context: number) {
  const shape = [texts.length, length]
  const tokens = new Int32Array(texts.length * length)
  const mask = new Float32Array(texts.length * length)
  const positions = new Int32Array(texts.length * length)
  texts.forEach((text, row) => {
    const start = row * length + length - text.length
    text.forEach((token, index) => {
      tokens[start + index] = token
      mask[start + index] = 1
      positions[start + index] = Math.min(index, context - 1)
    })
  })
  return {
    tokens: tensor(tokens, shape, 'int32'),
    mask: tensor(mask, shape),
    positions: tensor(positions, shape, 'int32'),
  }
}

/** Float[B, before] (all ones when absent) and Float[B, T] side by side. */
function joinedPresence(batch: number, before: number, first: Tensor | undefined, mask: Tensor): Tensor {
  const length = mask.shape[1]!
  const present = new Float32Array(batch * (before + length)).fill(1)
  for (let row = 0; row < batch; row++) {
    const start = row * (before + length)
    if (first !== undefined)
      present.set((first.data as Float32Array).subarray(row * before, (row + 1) * before), start)
    present.set((mask.data as Float32Array).subarray(row * length, (row + 1) * length), start + before)
  }
  return tensor(present, [batch, before + length])
}

function emptied(depth: number, shape: readonly number[]): Recent {
  const zeros = () => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)
  const layers = () => Array.from({ length: depth }, zeros)
  return { keys: layers(), values: layers(), filled: 0 }
}

function remembered({ keys, values }: Recent): Remembered<Tensor> {
  return { keys, values }
}

function copied({ keys, values, filled }: Recent): Recent {
  const copy = ({ data, shape }: Tensor) => tensor((data as Float32Array).slice(), shape)
  return { keys: keys.map(copy), values: values.map(copy), filled }
}

/** Puts the keys and values of one token, Float[B, heads, 1, d], at a place of the recent memory. */
function write(recent: Recent, token: Remembered<Tensor>, place: number): void {
  const put = (memory: Tensor, newest: Tensor) => {
    const [into, from] = [memory.data as Float32Array, newest.data as Float32Array]
    const [block, size] = memory.shape.slice(2) as [number, number]
    for (let at = 0, to = place * size; at < from.length; at += size, to += block * size)
      for (let index = 0; index < size; index++) into[to + index] = from[at + index]!
  }
  recent.keys.forEach((memory, layer) => {
    put(memory, token.keys[layer]!)
  })
  recent.values.forEach((memory, layer) => {
    put(memory, token.values[layer]!)
  })
  recent.filled = place + 1
}

function spliced(prefix: PrefixTensors | undefined): { prefix?: { tokens: Tensor; mask?: Tensor } } {
  if (prefix === undefined) return {}
  const { tokens, mask } = prefix
  return { prefix: mask === undefined ? { tokens } : { tokens, mask } }
}
