import type { ImagePart } from '../src/core/index.ts'
import type { Embedder, Raster } from '../src/models/index.ts'
import { failed } from '../src/models/outcome.ts'
import { encodePng } from '../src/worlds/scenes/png.ts'

/** An image part whose pixels say its number, for `stubEmbedder`. */
export function picture(number: number): ImagePart {
  const bytes = encodePng({ width: 2, height: 1, data: Uint8Array.of(number, 0, 0, number, 0, 0) })
  return { type: 'image', image: { bytes, mediaType: 'image/png' } }
}

/**
 * An embedder that knows the vectors of a few texts and of the pictures 0, 1, ...; any other fails by itself. `seen`
 * lists what it was asked for.
 */
export function stubEmbedder(
  texts: Readonly<Record<string, readonly number[]>>,
  pictures: readonly (readonly number[])[] = [],
): Embedder & { readonly seen: { readonly texts: string[]; pictures: number } } {
  const unit = (vector: readonly number[] | undefined) => {
    if (vector === undefined) return failed('outage', 'not known to the stub')
    const length = Math.hypot(...vector)
    return Float32Array.from(vector, (value) => value / length)
  }
  const seen = { texts: [] as string[], pictures: 0 }
  return {
    id: 'stub',
    dimensions: undefined,
    seen,
    embedText: async (asked) => {
      seen.texts.push(...asked)
      return asked.map((text) => unit(Object.hasOwn(texts, text) ? texts[text] : undefined))
    },
    embedImage: async (asked) => {
      seen.pictures += asked.length
      return asked.map((image) => unit(pictures[(image as Raster).data[0]!]))
    },
  }
}
