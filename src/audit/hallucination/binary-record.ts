/** Counts of right and wrong verdicts, and what follows from them; a ratio over nothing is null. */
export interface BinaryRecord {
  readonly truePositives: number
  readonly falsePositives: number
  readonly trueNegatives: number
  readonly falseNegatives: number
  readonly accuracy: number | null
  readonly precision: number | null
  readonly recall: number | null
  readonly f1: number | null
  /** Share of positive verdicts: near 1 (or 0) for a model that always says the same. */
  readonly positiveRatio: number | null
}

/** `verdicts[i]` and `truths[i]` say whether item i is positive. Throws a `RangeError` for lists of unequal length. */
export function binaryRecord(verdicts: readonly boolean[], truths: readonly boolean[]): BinaryRecord {
  if (verdicts.length !== truths.length)
    throw new RangeError(`${verdicts.length} verdicts for ${truths.length} truths`)
  let [truePositives, falsePositives, trueNegatives, falseNegatives] = [0, 0, 0, 0]
  verdicts.forEach((verdict, index) => {
    if (verdict && truths[index]) truePositives++
    else if (verdict) falsePositives++
    else if (truths[index]) falseNegatives++
    else trueNegatives++
  })
  const precision = ratio(truePositives, truePositives + falsePositives)
  const recall = ratio(truePositives, truePositives + falseNegatives)
  return {
    truePositives,
    falsePositives,
    trueNegatives,
    falseNegatives,
    accuracy: ratio(truePositives + trueNegatives, verdicts.length),
    precision,
    recall,
    f1: harmonicMean(precision, recall),
    positiveRatio: ratio(truePositives + falsePositives, verdicts.length),
  }
}

/** `part / whole`, or null where there is no whole. */
export function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

/** 2 a b / (a + b); null where either is unknown or both are 0. */
export function harmonicMean(a: number | null, b: number | null): number | null {
  return a === null || b === null || a + b === 0 ? null : (2 * a * b) / (a + b)
}
