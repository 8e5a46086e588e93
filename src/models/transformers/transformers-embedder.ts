import type { ChatImage } from '../chat-image.ts'
import { rasterOf } from '../chat-image.ts'
import type { Embedder } from '../embedder.ts'
import { failed, type Outcome, runReadable } from '../outcome.ts'
import type { Raster } from '../raster.ts'
import { unitVector } from '../unit-vector.ts'
import {
  loading,
  modelTypeOf,
  type Transformers,
  type TransformersOptions,
  transformersId,
  transformersPackage,
} from './transformers-package.ts'

/** Items that run together. */
const batchSize = 32

/** Encoders of texts and images into one space. */
const twins = {
  clip: { text: 'CLIPTextModelWithProjection', image: 'CLIPVisionModelWithProjection', padding: true },
  siglip: { text: 'SiglipTextModel', image: 'SiglipVisionModel', padding: 'max_length' },
} as const

/**
 * An encoder that runs in this process with transformers.js: CLIP and SigLIP (texts and images), or an encoder of texts
 * (means of its last hidden states). Weights come from the Hugging Face hub once, or from a local folder.
 *
 * @param model its name on the hub, such as `Xenova/clip-vit-base-patch32` or `Xenova/all-MiniLM-L6-v2`
 * @throws GuerdonError `package-missing`; what loading the weights throws
 */
export async function transformersEmbedder(
  model: string,
  options: TransformersOptions = {},
): Promise<Embedder & Required<Pick<Embedder, 'embedText'>>> {
  const library = await transformersPackage()
  const type = (await modelTypeOf(model, options)).replace(/^siglip2$/, 'siglip')
  const encoder =
    type === 'clip' || type === 'siglip'
      ? await twinEncoders(library, model, twins[type], options)
      : await textEncoder(library, model, options)
  let dimensions: number | undefined
  const inBatches = async <Item>(
    items: readonly Item[],
    encode: (batch: Item[]) => Promise<Float32Array[]>,
    signal: AbortSignal | undefined,
  ): Promise<Outcome<Float32Array>[]> => {
    const vectors: Outcome<Float32Array>[] = []
    for (let first = 0; first < items.length; first += batchSize) {
      signal?.throwIfAborted()
      for (const values of await encode(items.slice(first, first + batchSize))) {
        dimensions ??= values.length
        vectors.push(unitVector(values) ?? failed('not-applicable', `${model} gave a vector without length`))
      }
    }
    return vectors
  }
  const { text, image } = encoder
  return {
    id: transformersId(model, options),
    get dimensions() {
      return dimensions
    },
    embedText: (texts, signal) =>
      runReadable(
        texts,
        (item) => item,
        (items) => inBatches(items, text, signal),
        signal,
      ),
    ...(image === undefined
      ? {}
      : {
          embedImage: (images: readonly ChatImage[], signal?: AbortSignal) =>
            runReadable(images, rasterOf, (rasters) => inBatches(rasters, image, signal), signal),
        }),
  }
}

interface Encoders {
  readonly text: (texts: string[]) => Promise<Float32Array[]>
  readonly image?: (images: Raster[]) => Promise<Float32Array[]>
}

async function twinEncoders(
  { AutoTokenizer, AutoProcessor, RawImage, ...models }: Transformers,
  model: string,
  names: (typeof twins)[keyof typeof twins],
  options: TransformersOptions,
): Promise<Encoders> {
  const settings = loading(options)
  const [tokenizer, processor, textModel, imageModel] = await Promise.all([
    AutoTokenizer.from_pretrained(model, settings),
    AutoProcessor.from_pretrained(model, settings),
    models[names.text].from_pretrained(model, settings),
    models[names.image].from_pretrained(model, settings),
  ])
  const vectorsOf = (output: Record<'text_embeds' | 'image_embeds' | 'pooler_output', Values | undefined>) =>
    rowsOf(output.text_embeds ?? output.image_embeds ?? output.pooler_output!)
  return {
    text: async (texts) =>
      vectorsOf(await textModel(tokenizer(texts, { padding: names.padding as true, truncation: true }))),
    image: async (images) => {
      const pictures = images.map(({ data, width, height }) => new RawImage(onWhite(data), width, height, 3))
      return vectorsOf(await imageModel(await processor(pictures)))
    },
  }
}

async function textEncoder(
  { pipeline }: Transformers,
  model: string,
  options: TransformersOptions,
): Promise<Encoders> {
  const extract = await pipeline('feature-extraction', model, loading(options))
  return { text: async (texts) => rowsOf((await extract(texts, { pooling: 'mean' })) as unknown as Values) }
}

interface Values {
  readonly data: ArrayLike<number>
  readonly dims: readonly number[]
}

/** One vector for each row of [rows, width]. */
function rowsOf({ data, dims }: Values): Float32Array[] {
  const width = dims.at(-1)!
  const values = Float32Array.from(data)
  return Array.from({ length: values.length / width }, (_, row) =>
    values.slice(row * width, (row + 1) * width),
  )
}

/** Three bytes a pixel; transparency shows white. */
function onWhite(rgba: Uint8Array): Uint8ClampedArray {
  const pixels = rgba.length / 4
  const rgb = new Uint8ClampedArray(pixels * 3)
  for (let pixel = 0; pixel < pixels; pixel++) {
    const opacity = rgba[pixel * 4 + 3]! / 255
    for (let channel = 0; channel < 3; channel++)
      rgb[pixel * 3 + channel] = 255 * (1 - opacity) + rgba[pixel * 4 + channel]! * opacity
  }
  return rgb
}
