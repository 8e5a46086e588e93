import { lax } from '@jax-js/jax'
import type { Embedder } from '../../models/embedder.ts'
import { runReadable } from '../../models/outcome.ts'
import { type Decoder, type DecoderConfig, decoderHidden } from '../../nets/decoder.ts'
import type { EmbeddedLanguageModel } from '../../nets/embedded/language-model.ts'
import { maskedMean } from '../../nets/layers.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import { compileByShape } from '../../tensor/compile-by-shape.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'

/** Texts that run together. */
const together = 64
const lengthStep = 16

/**
 * Texts as the mean of an embedded language model's last hidden states, of length 1: features of a frozen model, for
 * reward models that train in seconds. Texts beyond its vocabulary or context fail one by one.
 */
export function stateEmbedder(
  { id, manifest, parameters, tokenizer }: EmbeddedLanguageModel,
  options: CompileOptions = {},
): Embedder & { dispose(): Promise<void> } {
  const { network } = manifest
  const seeing = network.kind === 'vision-language'
  const config = (seeing ? network.config.decoder : network.config) as DecoderConfig
  const decoder = (seeing ? (parameters as { decoder: Tree<Tensor> }).decoder : parameters) as Tree<Tensor>
  const compiled = compileByShape<readonly Tree<Tensor>[], Tensor>(
    ((weights: Decoder<never>, tokens: never, mask: never) =>
      lax.stopGradient(maskedMean(decoderHidden(weights, config, { tokens }), mask))) as never,
    options,
  )
  return {
    id: `states of ${id}`,
    dimensions: config.width,
    embedText: (texts, signal) =>
      runReadable(
        texts,
        (text) => {
          const tokens = tokenizer.encode(text)
          return tokens.length === 0 ? [0] : tokens.slice(0, config.context)
        },
        async (readings) => {
          const vectors = new Array<Float32Array>(readings.length)
          const order = readings
            .map((_, index) => index)
            .sort((a, b) => readings[a]!.length - readings[b]!.length)
          for (let first = 0; first < order.length; first += together) {
            signal?.throwIfAborted()
            const own = order.slice(first, first + together)
            const longest = readings[own.at(-1)!]!.length
            const length = Math.min(config.context, Math.ceil(longest / lengthStep) * lengthStep)
            const tokens = new Int32Array(together * length)
            const mask = new Float32Array(together * length)
            own.forEach((index, row) => {
              tokens.set(readings[index]!, row * length)
              mask.fill(1, row * length, row * length + readings[index]!.length)
            })
            const { data } = await compiled.run(
              decoder,
              tensor(tokens, [together, length], 'int32'),
              tensor(mask, [together, length]),
            )
            own.forEach((index, row) => {
              const vector = (data as Float32Array).slice(row * config.width, (row + 1) * config.width)
              const size = Math.hypot(...vector) || 1
              vectors[index] = vector.map((value) => value / size)
            })
          }
          return vectors
        },
        signal,
      ),
    dispose: () => compiled.dispose(),
  }
}
