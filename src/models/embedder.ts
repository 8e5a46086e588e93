import type { ChatImage } from './chat-image.ts'
import type { Outcome } from './outcome.ts'

export type { Raster } from './raster.ts'

/**
 * Texts and images as vectors of one space, so that their dot product is their cosine similarity. An embedder that
 * does only one of the two leaves the other out.
 */
export interface Embedder {
  /** Names the model and its weights; part of the identity of every reward that uses it. */
  readonly id: string
  /** Of the vectors; undefined where only the first answer will tell. */
  readonly dimensions: number | undefined
  /** One unit vector for each text, in order. */
  embedText?(texts: readonly string[], signal?: AbortSignal): Promise<readonly Outcome<Float32Array>[]>
  /** One unit vector for each image, in order. */
  embedImage?(images: readonly ChatImage[], signal?: AbortSignal): Promise<readonly Outcome<Float32Array>[]>
}

/** Cosine similarity of two unit vectors, in [-1, 1]; NaN when their lengths differ. */
export function cosineSimilarity(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return Math.min(1, Math.max(-1, sum))
}
