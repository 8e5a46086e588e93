import type { Unscored } from '../../core/index.ts'
import type { Embedder, Raster } from '../../models/index.ts'
import { type Embedded, embedImages, embedTexts, isVector } from './embed.ts'
import { dotProduct } from './vectors.ts'

/** A cosine in [-1, 1] as a reward term in [0, 1]. */
export function rescaledCosine(cosine: number): number {
  return (Math.min(1, Math.max(-1, cosine)) + 1) / 2
}

/** (cos + 1) / 2 of each text and the picture of the same index. One call for all texts, one for all pictures. */
export async function captionLikeness(
  embedder: Embedder,
  captions: readonly string[],
  pictures: readonly Raster[],
  signal?: AbortSignal,
): Promise<(number | Unscored)[]> {
  const texts = await embedTexts(embedder, captions, signal)
  const images = await embedImages(embedder, pictures, signal)
  return captions.map((_, index) => likeness(texts[index]!, images[index]!))
}

/** (cos + 1) / 2 of each picture and the reference of the same index; null where there is no reference. */
export async function pictureLikeness(
  embedder: Pick<Embedder, 'embedImage'>,
  pictures: readonly Raster[],
  references: readonly (Raster | undefined)[],
  signal?: AbortSignal,
): Promise<(number | null | Unscored)[]> {
  const compared = references.flatMap((reference, index) => (reference ? [index] : []))
  const likenesses: (number | null | Unscored)[] = references.map(() => null)
  const wanted = await embedImages(
    embedder,
    compared.map((index) => references[index]!),
    signal,
  )
  const given = await embedImages(
    embedder,
    compared.map((index) => pictures[index]!),
    signal,
  )
  for (const [position, index] of compared.entries())
    likenesses[index] = likeness(wanted[position]!, given[position]!)
  return likenesses
}

function likeness(a: Embedded, b: Embedded): number | Unscored {
  if (!isVector(a)) return a
  return isVector(b) ? rescaledCosine(dotProduct(a, b)) : b
}
