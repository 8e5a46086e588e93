import type { Raster } from '../../models/index.ts'

/**
 * How much the grey levels of a frame differ [bits]: Shannon's entropy of the histogram of each of red, green and blue, and
 * their mean. `released` takes a density over [0, 255] in 256 bins with 1e-9 added for the histogram: 0.4% too much, and
 * slightly below 0 where there is one level only.
 */
export function frameEntropy(
  { width, height, data }: Raster,
  { variant = 'paper' }: { readonly variant?: 'released' | 'paper' } = {},
): number {
  const pixels = width * height
  const binWidth = 255 / 256
  let sum = 0
  for (let channel = 0; channel < 3; channel++) {
    const counts = new Uint32Array(256)
    for (let at = channel; at < pixels * 4; at += 4) counts[data[at]!]!++
    for (const count of counts) {
      const share = variant === 'released' ? count / pixels / binWidth + 1e-9 : count / pixels
      if (share > 0) sum -= share * Math.log2(share)
    }
  }
  return sum / 3
}

/** Entropy-calibrated relevance as published: similarity * entropy / the sum of all entropies. */
export function calibratedRelevance(similarities: readonly number[], entropies: readonly number[]): number[] {
  const total = entropies.reduce((sum, entropy) => sum + entropy, 0)
  return similarities.map((similarity, index) => (total === 0 ? 0 : (similarity * entropies[index]!) / total))
}

export interface FrameSelectionOptions {
  /** @default 10 */
  readonly rounds?: number
  /** Frames stay whose score is above threshold * growth^round. @default 0.03 */
  readonly threshold?: number
  /** @default 1.01 */
  readonly growth?: number
  /** Where fewer are left, this many of the best frames of all join them. @default 32 */
  readonly fewest?: number
}

/**
 * Places of the frames that matter for a question, from their similarity to it and their entropy, as released: in each
 * round both are scaled to [0, 1] over the frames left, multiplied and scaled again, and frames with a score above the
 * rising threshold stay, until nothing changes or nothing would be left. Every round loses at least the frame of the least
 * similarity and that of the least entropy. The result may be longer than `fewest`.
 *
 * @source ReAgent-V, arXiv 2506.01300 (released frame selection)
 */
export function selectFrames(
  similarities: readonly number[],
  entropies: readonly number[],
  { rounds = 10, threshold = 0.03, growth = 1.01, fewest = 32 }: FrameSelectionOptions = {},
): number[] {
  const scoresOf = (places: readonly number[]) => {
    const [s, h] = [similarities, entropies].map((values) => scaled(places.map((place) => values[place]!)))
    return scaled(s!.map((similarity, index) => similarity * h![index]!))
  }
  let left = similarities.map((_, index) => index)
  for (let round = 0; round < rounds; round++) {
    const scores = scoresOf(left)
    const kept = left.filter((_, index) => scores[index]! > threshold * growth ** round)
    if (kept.length === 0 || kept.length === left.length) break
    left = kept
  }
  if (left.length >= fewest) return left
  const all = similarities.map((_, index) => index)
  const scores = scoresOf(all)
  const best = all.toSorted((a, b) => scores[b]! - scores[a]! || a - b).slice(0, fewest)
  return [...new Set([...left, ...best])].sort((a, b) => a - b)
}

function scaled(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return values.map((value) => (value - low) / (high - low + 1e-9))
}
