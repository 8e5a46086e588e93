import { GuerdonError } from '../../core/index.ts'
import { rasterOf } from '../../models/chat-image.ts'
import type { Embedder, Raster } from '../../models/embedder.ts'
import { runReadable } from '../../models/outcome.ts'
import { type Tokenizer, wordTokenizer } from '../../models/tokenizer.ts'
import { type Compiled, type CompileOptions, compile } from '../../tensor/compile.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { type DualEncoder, imageVectors, textVectors } from '../dual-encoder.ts'
import { textTensors } from '../image-sampler.ts'
import { checkImageSize, imageTensor } from './conversation.ts'
import type { Manifest } from './manifest.ts'

/** Texts and images as unit vectors of one space. */
export interface EmbeddedDualEncoder extends Required<Embedder> {
  readonly kind: 'embedder'
  readonly dimensions: number
  readonly manifest: Manifest
  readonly parameters: Tree<Tensor>
  readonly tokenizer: Tokenizer
  dispose(): Promise<void>
}

const batchSize = 64

export function embeddedDualEncoder(
  id: string,
  manifest: Manifest,
  parameters: Tree<Tensor>,
  options: CompileOptions,
): EmbeddedDualEncoder {
  const { network } = manifest
  if (network.kind !== 'dual-encoder')
    throw new GuerdonError('bad-weights', `${manifest.name} is no dual encoder.`)
  const { config } = network
  const tokenizer = wordTokenizer(manifest.tokenizer)
  const compiled = new Map<string, Promise<Compiled<readonly Tree<Tensor>[], Tensor>>>()
  const run = async (
    name: string,
    fn: (...args: any[]) => any,
    args: readonly Tree<Tensor>[],
    rows: number,
  ) => {
    const key = `${name} ${rows}`
    if (!compiled.has(key)) compiled.set(key, compile(fn, args, options) as never)
    return (await compiled.get(key)!).run(...args)
  }
  /** Unit vectors of items, in batches of a few sizes. */
  const vectors = async <Item>(
    items: readonly Item[],
    of: (batch: readonly Item[]) => Promise<Tensor>,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array[]> => {
    const found: Float32Array[] = []
    for (let first = 0; first < items.length; first += batchSize) {
      signal?.throwIfAborted()
      const chunk = items.slice(first, first + batchSize)
      const size = 2 ** Math.ceil(Math.log2(chunk.length))
      const { data } = await of(Array.from({ length: size }, (_, index) => chunk[index % chunk.length]!))
      chunk.forEach((_, row) => {
        found.push((data as Float32Array).slice(row * config.dimensions, (row + 1) * config.dimensions))
      })
    }
    return found
  }

  return {
    kind: 'embedder',
    id,
    manifest,
    parameters,
    tokenizer,
    dimensions: config.dimensions,
    embedText: (texts, signal) =>
      runReadable(
        texts,
        (text) => tokenizer.encode(text),
        (readings) =>
          vectors(
            readings,
            (batch) => {
              const { tokens, mask } = textTensors(batch, config.text.context)
              const embed = (p: DualEncoder<any>, ids: any, present: any) =>
                textVectors(p, config, ids, present)
              return run('text', embed, [parameters, tokens, mask], batch.length)
            },
            signal,
          ),
        signal,
      ),
    embedImage: (images, signal) =>
      runReadable(
        images,
        async (image): Promise<Raster> => {
          const raster = await rasterOf(image)
          checkImageSize(raster, config.image.image)
          return raster
        },
        (readings) =>
          vectors(
            readings,
            (batch) => {
              const { images: pixels } = imageTensor(batch, config.image.image)
              const embed = (p: DualEncoder<any>, given: any) => imageVectors(p, config, given)
              return run('image', embed, [parameters, pixels], batch.length)
            },
            signal,
          ),
        signal,
      ),
    async dispose() {
      for (const made of compiled.values()) await made.then((graph) => graph.dispose()).catch(() => {})
      compiled.clear()
    },
  }
}
