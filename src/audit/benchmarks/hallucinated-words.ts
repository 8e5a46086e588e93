/** How annotators class a segment of a description. */
export type SegmentClass = 'accurate' | 'inaccurate' | 'analysis' | 'unsure'

/** A class as data sets write it, in any case; null for any other word. */
export function segmentClass(name: unknown): SegmentClass | null {
  const lower = String(name).toLowerCase()
  return (['accurate', 'inaccurate', 'analysis', 'unsure'] as const).find((known) => known === lower) ?? null
}

/**
 * Words in inaccurate segments / words outside of analysis (unsure ones count below). Null where there is no such
 * word.
 *
 * @param words  number of words by class
 * @source M-HalDetect, arXiv 2308.06394
 */
export function hallucinationRate(words: Readonly<Partial<Record<SegmentClass, number>>>): number | null {
  const { accurate = 0, inaccurate = 0, unsure = 0 } = words
  const total = accurate + inaccurate + unsure
  return total === 0 ? null : inaccurate / total
}

/**
 * What rejection sampling minimises: mean of -log P(not hallucinated) over the sentences [nats]. Null without
 * sentences, infinite where one is surely hallucinated. One short sentence is an easy way to a low score: log lengths.
 *
 * @param hallucinated  probability of hallucination of each sentence
 */
export function rejectionScore(hallucinated: readonly number[]): number | null {
  if (hallucinated.length === 0) return null
  return hallucinated.reduce((sum, p) => sum - Math.log1p(-p), 0) / hallucinated.length
}
