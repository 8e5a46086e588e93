import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { GuerdonError } from '../core/index.ts'
import { type Compiled, type CompileOptions, compile } from '../tensor/compile.ts'
import { leavesOf, type Tensor, type Tree, tensor } from '../tensor/tree.ts'
import { cacheMasks, type Memory, paddingMask } from './attention.ts'
import {
  type Decoder,
  type DecoderConfig,
  decoderHidden,
  decoderLogits,
  embeddedText,
  tokenLogp,
} from './decoder.ts'
import { type Hooks, type KeyValue, transformer } from './transformer.ts'

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
  readonly past: Remembered
  /** Float[B, P]: 1 where the past holds a token. */
  readonly present: Tensor
  readonly recent: Recent
  /** Tokens of `recent` that are this cache's; what stands behind them belongs to a continuation. */
  readonly used: number
}

/** The newest tokens, up to `block`. Caches that continue each other share it: places are written once, in order. */
interface Recent extends Remembered {
  filled: number
}

/** For each block, Float[B, heads, S, d]. */
interface Remembered {
  readonly keys: readonly Tensor[]
  readonly values: readonly Tensor[]
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

type Step = {
  readonly logits: Tensor
  readonly keys: Tensor[]
  readonly values: Tensor[]
  readonly hidden: Tensor[]
}
type Layers = { readonly keys: readonly JaxArray[]; readonly values: readonly JaxArray[] }

/**
 * Keys and values are kept in two memories: a long one that only grows every `block` tokens, and a short one that
 * takes the newest; so a step copies little. Graphs are compiled when a shape is first met and then kept.
 */
export function cachedDecoder(config: DecoderConfig, options: CachedDecoderOptions = {}): CachedDecoder {
  const { block = 16, hooks, taps = [] } = options
  const { heads, width, depth, context } = config
  const perHead = width / heads
  const compiled = new Map<string, Promise<Compiled<readonly Tree<Tensor>[], any>>>()

  /** Runs a traced function, compiled once for each name and shapes of its arguments. */
  const run = async <Result>(name: string, fn: (...args: any[]) => any, args: readonly Tree<Tensor>[]) => {
    const key = `${name} ${leavesOf(args).map(({ leaf }) => leaf.shape.join('x'))}`
    // The products of single steps are too small for threads to share.
    const threads = name === 'prefill' || name === 'score' ? (options.threads ?? 0) : 1
    if (!compiled.has(key)) compiled.set(key, compile(fn, args, { ...options, threads }))
    return (await (await compiled.get(key)!).run(...args)) as Result
  }

  const tapping = () => {
    const hidden: JaxArray[] = []
    return {
      hidden,
      hooks: {
        ...hooks,
        ...(taps.length === 0
          ? {}
          : {
              hidden(given: JaxArray, layer: number) {
                const states = hooks?.hidden?.(given, layer) ?? given
                const place = taps.indexOf(layer)
                if (place >= 0) {
                  const length = states.shape[1]!
                  hidden[place] = states.ref
                    .slice([], [length - 1, length])
                    .reshape([states.shape[0]!, width])
                }
                return states
              },
            }),
      },
    }
  }

  return {
    config,

    async prefill(parameters, { tokens, prefix }) {
      const lengths = tokens.map(({ length }) => length)
      checkLengths(lengths, context)
      const padded = paddedLeft(tokens, Math.ceil(Math.max(...lengths) / block) * block, context)
      const before = prefix === undefined ? 0 : prefix.tokens.shape[1]!
      const prefill = (p: Decoder<JaxArray>, inputs: any) => {
        const { hidden, hooks: tapped } = tapping()
        const [keys, values]: JaxArray[][] = [[], []]
        const states = decoderHidden(p, config, inputs, {
          hooks: tapped,
          onKeyValue(own) {
            keys!.push(own.key)
            values!.push(own.value)
          },
        })
        const [batch, length] = states.shape as [number, number]
        const newest = states.slice([], [length - 1, length]).reshape([batch, width])
        return { logits: decoderLogits(p, newest), keys, values, hidden }
      }
      const inputs = { ...padded, ...(prefix === undefined ? {} : { prefix: definedOf(prefix) }) }
      const result = await run<Step>('prefill', prefill, [parameters, inputs as unknown as Tree<Tensor>])
      const batch = tokens.length
      return {
        logits: result.logits.data as Float32Array,
        hidden: result.hidden,
        cache: {
          batch,
          lengths,
          prefix: before,
          parameters,
          past: { keys: result.keys, values: result.values },
          present: joinedPresence(batch, before, prefix?.mask, padded.mask),
          recent: emptied(depth, [batch, heads, block, perHead]),
          used: 0,
        },
      }
    },

    async step(given, tokens) {
      if (tokens.length !== given.batch)
        throw new GuerdonError(
          'shape-mismatch',
          `${tokens.length} tokens were given for ${given.batch} rows.`,
        )
      const lengths = given.lengths.map((length) => length + 1)
      checkLengths(lengths, context)
      const cache = given.used === block ? await joined(given) : given
      const step = (
        p: Decoder<JaxArray>,
        ids: JaxArray,
        places: JaxArray,
        present: JaxArray,
        used: JaxArray,
        past: Layers,
        recent: Layers,
      ) => {
        const { hidden, hooks: tapped } = tapping()
        const [keys, values]: JaxArray[][] = [[], []]
        const length = present.shape[1]!
        const masks = cacheMasks({ past: length, block, prefix: cache.prefix, window: config.window }, used)
        const pastMask =
          masks.past === undefined ? paddingMask(present) : paddingMask(present).add(masks.past)
        const memories = (own: KeyValue, layer: number): Memory[] => {
          keys!.push(own.key.ref)
          values!.push(own.value.ref)
          return [
            { key: past.keys[layer]!, value: past.values[layer]!, mask: pastMask.ref },
            { key: recent.keys[layer]!, value: recent.values[layer]!, mask: masks.recent.ref },
            own,
          ]
        }
        const x = embeddedText(p, ids, places)
        const states = transformer(p.transformer, config, x, { memories, hooks: tapped })
        return { logits: decoderLogits(p, states.reshape([cache.batch, width])), keys, values, hidden }
      }
      const column = (numbers: readonly number[]) => tensor(numbers, [cache.batch, 1], 'int32')
      const result = await run<Step>(`step ${cache.prefix}`, step, [
        cache.parameters,
        column(tokens),
        column(given.lengths),
        cache.present,
        tensor([cache.used], [], 'int32'),
        cache.past,
        remembered(cache.recent),
      ] as unknown as Tree<Tensor>[])
      const recent = cache.recent.filled === cache.used ? cache.recent : copied(cache.recent)
      write(recent, result, cache.used)
      return {
        logits: result.logits.data as Float32Array,
        hidden: result.hidden,
        cache: { ...cache, lengths, recent, used: cache.used + 1 },
      }
    },

    async select(cache, rows) {
      const select = (past: Layers, recent: Layers, present: JaxArray, index: JaxArray) => {
        const chosen = (array: JaxArray) => np.take(array, index.ref, 0)
        const all = ({ keys, values }: Layers) => ({ keys: keys.map(chosen), values: values.map(chosen) })
        return { past: all(past), recent: all(recent), present: chosen(present) }
      }
      const picked = await run<{ past: Remembered; recent: Remembered; present: Tensor }>('select', select, [
        cache.past,
        remembered(cache.recent),
        cache.present,
        tensor(rows, [rows.length], 'int32'),
      ] as unknown as Tree<Tensor>[])
      return {
        ...cache,
        ...picked,
        recent: copied({ ...picked.recent, filled: cache.used }),
        batch: rows.length,
        lengths: rows.map((row) => cache.lengths[row]!),
      }
    },

    async score(parameters, { tokens, prefix }) {
      checkLengths(
        tokens.map(({ length }) => length),
        context,
      )
      const longest = Math.max(...tokens.map(({ length }) => length))
      const length = Math.min(context, Math.ceil(longest / block) * block)
      const ids = new Int32Array(tokens.length * length)
      tokens.forEach((text, row) => {
        ids.set(text, row * length)
      })
      const score = (p: Decoder<JaxArray>, inputs: any) =>
        tokenLogp(p, config, inputs, hooks === undefined ? {} : { hooks })
      const logp = await run<Tensor>('score', score, [
        parameters,
        {
          tokens: tensor(ids, [tokens.length, length], 'int32'),
          ...(prefix === undefined ? {} : { prefix: definedOf(prefix) }),
        } as unknown as Tree<Tensor>,
      ])
      const scored = logp.shape[1]!
      return tokens.map((text, row) => {
        const numbers = (logp.data as Float32Array).subarray(row * scored, (row + 1) * scored)
        return prefix === undefined
          ? Float32Array.from(text, (_, index) => (index === 0 ? Number.NaN : numbers[index - 1]!))
          : numbers.slice(0, text.length)
      })
    },

    async dispose() {
      for (const made of compiled.values()) await made.then((graph) => graph.dispose()).catch(() => {})
      compiled.clear()
    },
  }

  /** The recent memory put behind the past one. */
  async function joined(cache: Cache): Promise<Cache> {
    const join = (past: Layers, recent: Layers) => {
      const both = (a: readonly JaxArray[], b: readonly JaxArray[]) =>
        a.map((array, layer) => np.concatenate([array, b[layer]!], 2))
      return { keys: both(past.keys, recent.keys), values: both(past.values, recent.values) }
    }
    const past = await run<Remembered>('join', join, [
      cache.past,
      remembered(cache.recent),
    ] as unknown as Tree<Tensor>[])
    const [batch, length] = cache.present.shape as [number, number]
    const present = new Float32Array(batch * (length + block)).fill(1)
    for (let row = 0; row < batch; row++)
      present.set(
        (cache.present.data as Float32Array).subarray(row * length, (row + 1) * length),
        row * (length + block),
      )
    return {
      ...cache,
      past,
      present: tensor(present, [batch, length + block]),
      recent: emptied(depth, [batch, heads, block, perHead]),
      used: 0,
    }
  }
}

function checkLengths(lengths: readonly number[], context: number): void {
  if (lengths.length === 0 || Math.min(...lengths) < 1)
    throw new GuerdonError('empty-text', 'a text without tokens cannot be read.', {
      fix: 'Begin each text with a token of its own, such as one for its start.',
    })
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

function joinedPresence(batch: number, before: number, prefixMask: Tensor | undefined, mask: Tensor): Tensor {
  const length = mask.shape[1]!
  const present = new Float32Array(batch * (before + length)).fill(1)
  for (let row = 0; row < batch; row++) {
    const start = row * (before + length)
    if (prefixMask !== undefined)
      present.set((prefixMask.data as Float32Array).subarray(row * before, (row + 1) * before), start)
    present.set((mask.data as Float32Array).subarray(row * length, (row + 1) * length), start + before)
  }
  return tensor(present, [batch, before + length])
}

function emptied(depth: number, shape: readonly number[]): Recent {
  const zeros = () => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)
  const layers = () => Array.from({ length: depth }, zeros)
  return { keys: layers(), values: layers(), filled: 0 }
}

function remembered({ keys, values }: Recent): Remembered {
  return { keys, values }
}

function copied({ keys, values, filled }: Recent): Recent {
  const copy = ({ data, shape }: Tensor) => tensor((data as Float32Array).slice(), shape)
  return { keys: keys.map(copy), values: values.map(copy), filled }
}

/** Puts the keys and values of one token, Float[B, heads, 1, d], at a place of the recent memory. */
function write(recent: Recent, token: Remembered, place: number): void {
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

function definedOf({ tokens, mask }: PrefixTensors): { tokens: Tensor; mask?: Tensor } {
  return mask === undefined ? { tokens } : { tokens, mask }
}
