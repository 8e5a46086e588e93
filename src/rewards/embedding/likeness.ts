import { cosineSimilarity, type Embedder, type Raster } from '../../models/embedder.ts'

/** A cosine in [-1, 1] as a reward term in [0, 1]. */
function rescaledCosine(cosine: number): number {
  return (cosine + 1) / 2
}

/** (cos + 1) / 2 of each text and the picture of the same index. One call for all texts, one for all pictures. */
export async function captionLikeness(
  embedder: Required<Pick<Embedder, 'embedText' | 'embedImage'>>,
  captions: readonly string[],
  pictures: readonly Raster[],
  signal?: AbortSignal,
): Promise<number[]> {
  if (captions.length === 0) return []
  const texts = await embedder.embedText(captions, signal)
  const images = await embedder.embedImage(pictures, signal)
  return captions.map((_, index) => rescaledCosine(cosineSimilarity(texts[index]!, images[index]!)))
}

/** (cos + 1) / 2 of each picture and the reference of the same index; null where there is no reference. */
export async function pictureLikeness(
  embedder: Required<Pick<Embedder, 'embedImage'>>,
  pictures: readonly Raster[],
  references: readonly (Raster | undefined)[],
  signal?: AbortSignal,
): Promise<(number | null)[]> {
  const compared = references.flatMap((reference, index) => (reference ? [index] : []))
  const likeness: (number | null)[] = references.map(() => null)
  if (compared.length === 0) return likeness
  const wanted = await embedder.embedImage(
    compared.map((index) => references[index]!),
    signal,
  )
  const given = await embedder.embedImage(
    compared.map((index) => pictures[index]!),
    signal,
  )
  for (const [position, index] of compared.entries())
    likeness[index] = rescaledCosine(cosineSimilarity(wanted[position]!, given[position]!))
  return likeness
}
