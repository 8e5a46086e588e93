import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { CompileOptions } from '../tensor/compile.ts'
import { type CompiledByShape, compileByShape } from '../tensor/compile-by-shape.ts'
import type { Tensor, Tree } from '../tensor/tree.ts'
import { cacheMasks, type Memory, paddingMask } from './attention.ts'
import {
  type Decoder,
  type DecoderConfig,
  type DecoderInputs,
  decoderHidden,
  decoderLogits,
  embeddedText,
  tokenLogp,
} from './decoder.ts'
import { type Hooks, type KeyValue, transformer } from './transformer.ts'

/** Keys and values of each block, [B, heads, S, d]. */
export interface Remembered<Leaf> {
  readonly keys: readonly Leaf[]
  readonly values: readonly Leaf[]
}

/** What reading tokens gives: logits of the next, keys and values of those read, hidden states at the taps. */
export interface Reading<Leaf> extends Remembered<Leaf> {
  /** [B, vocabulary] */
  readonly logits: Leaf
  /** Of the newest token, [B, width] each. */
  readonly hidden: readonly Leaf[]
}

export interface DecoderGraphOptions extends CompileOptions {
  readonly block: number
  readonly hooks: Hooks | undefined
  readonly taps: readonly number[]
}

/** The graphs of a decoder with a cache, each compiled when a shape is first met. */
export interface DecoderGraphs {
  /** Arguments: parameters, `DecoderInputs`. */
  readonly prefill: Graph<Reading<Tensor>>
  /** Arguments: parameters, tokens and positions [B, 1], presence of the past [B, P], used places [], past, recent. */
  step(prefix: number): Graph<Reading<Tensor>>
  /** Arguments: past, recent. The past with the recent behind it. */
  readonly join: Graph<Remembered<Tensor>>
  /** Arguments: past, recent, presence, rows. */
  readonly select: Graph<{
    readonly past: Remembered<Tensor>
    readonly recent: Remembered<Tensor>
    readonly present: Tensor
  }>
  /** Arguments: parameters, `DecoderInputs`. Log-probabilities as `tokenLogp` gives them. */
  readonly score: Graph<Tensor>
  dispose(): Promise<void>
}

type Graph<Result> = (...args: readonly object[]) => Promise<Result>

/** A text of 64 blocks needs as many graphs of one kind. */
const keptShapes = 64

export function decoderGraphs(config: DecoderConfig, options: DecoderGraphOptions): DecoderGraphs {
  const { block, hooks, taps } = options
  const { width, window } = config
  const made: CompiledByShape<readonly Tree<Tensor>[], unknown>[] = []
  const graph = <Result>(fn: unknown, threads?: number): Graph<Result> => {
    const own = threads === undefined ? options : { ...options, threads }
    const compiled = compileByShape<readonly Tree<Tensor>[], unknown>(fn as never, {
      ...own,
      limit: keptShapes,
    })
    made.push(compiled)
    return (...args) => compiled.run(...(args as readonly Tree<Tensor>[])) as Promise<Result>
  }

  const prefill = (parameters: Decoder<JaxArray>, inputs: DecoderInputs): Reading<JaxArray> => {
    const { hidden, hooks: tapped } = withTaps(hooks, taps)
    const [keys, values]: [JaxArray[], JaxArray[]] = [[], []]
    const states = decoderHidden(parameters, config, inputs, {
      hooks: tapped,
      onKeyValue({ key, value }) {
        keys.push(key)
        values.push(value)
      },
    })
    return { logits: decoderLogits(parameters, newest(states)), keys, values, hidden }
  }

  const step =
    (prefix: number) =>
    (
      parameters: Decoder<JaxArray>,
      tokens: JaxArray,
      positions: JaxArray,
      present: JaxArray,
      used: JaxArray,
      past: Remembered<JaxArray>,
      recent: Remembered<JaxArray>,
    ): Reading<JaxArray> => {
      const { hidden, hooks: tapped } = withTaps(hooks, taps)
      const [keys, values]: [JaxArray[], JaxArray[]] = [[], []]
      const masks = cacheMasks({ past: present.shape[1]!, block, prefix, window }, used)
      const padding = paddingMask(present)
      const pastMask = masks.past === undefined ? padding : padding.add(masks.past)
      const memories = (own: KeyValue, layer: number): Memory[] => {
        keys.push(own.key.ref)
        values.push(own.value.ref)
        return [
          { key: past.keys[layer]!, value: past.values[layer]!, mask: pastMask.ref },
          { key: recent.keys[layer]!, value: recent.values[layer]!, mask: masks.recent.ref },
          own,
        ]
      }
      const x = embeddedText(parameters, tokens, positions)
      const states = transformer(parameters.transformer, config, x, { memories, hooks: tapped })
      return { logits: decoderLogits(parameters, newest(states)), keys, values, hidden }
    }

  const join = (past: Remembered<JaxArray>, recent: Remembered<JaxArray>): Remembered<JaxArray> => {
    const both = (a: readonly JaxArray[], b: readonly JaxArray[]) =>
      a.map((array, layer) => np.concatenate([array, b[layer]!], 2))
    return { keys: both(past.keys, recent.keys), values: both(past.values, recent.values) }
  }

  const select = (
    past: Remembered<JaxArray>,
    recent: Remembered<JaxArray>,
    present: JaxArray,
    rows: JaxArray,
  ) => {
    const chosen = (array: JaxArray) => np.take(array, rows.ref, 0)
    const all = ({ keys, values }: Remembered<JaxArray>) => ({
      keys: keys.map(chosen),
      values: values.map(chosen),
    })
    return { past: all(past), recent: all(recent), present: chosen(present) }
  }

  const score = (parameters: Decoder<JaxArray>, inputs: DecoderInputs) =>
    tokenLogp(parameters, config, inputs, hooks === undefined ? {} : { hooks })

  // Only a window needs to know where the prefix ends. Products of single steps are too small for threads to share.
  const steps = new Map<number, Graph<Reading<Tensor>>>()
  return {
    prefill: graph(prefill),
    step(prefix) {
      const kind = window === undefined ? 0 : prefix
      const known = steps.get(kind) ?? graph<Reading<Tensor>>(step(kind), 1)
      steps.set(kind, known)
      return known
    },
    join: graph(join, 1),
    select: graph(select, 1),
    score: graph(score),
    async dispose() {
      await Promise.all(made.map((compiled) => compiled.dispose()))
    },
  }

  /** Float[B, T, width] to the last token's Float[B, width]. Consumes `states`. */
  function newest(states: JaxArray): JaxArray {
    const [batch, length] = states.shape as [number, number]
    return states.slice([], [length - 1, length]).reshape([batch, width])
  }

  /** Hooks that also keep the newest token's hidden states at the taps. */
  function withTaps(given: Hooks | undefined, blocks: readonly number[]) {
    const hidden: JaxArray[] = []
    if (blocks.length === 0) return { hidden, hooks: given }
    const tapped: Hooks = {
      ...given,
      hidden(arriving, layer) {
        const states = given?.hidden?.(arriving, layer) ?? arriving
        const place = blocks.indexOf(layer)
        if (place >= 0) hidden[place] = newest(states.ref)
        return states
      },
    }
    return { hidden, hooks: tapped }
  }
}
