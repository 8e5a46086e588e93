import { sigmoid } from '../../stats/logistic.ts'

/** Form is a few numbers; of words there are thousands, most of which occur a few times. */
export const formRidge = 1e-3
export const ngramRidge = 3

/** Numbers of one answer that are not 0, by feature. */
export type SparseFeatures = readonly (readonly [feature: number, value: number])[]

export interface SparseComparison {
  /** Rows. */
  readonly better: number
  readonly worse: number
  /** @default 1 */
  readonly weight?: number
  /** Probability that the order is right. @default 1 */
  readonly confidence?: number
}

export interface SparseModel {
  /** Of each feature, once multiplied by `scale`. */
  readonly weights: Float64Array
  /** 1 / deviation over the rows; 0 for a feature that never varies. */
  readonly scale: Float64Array
}

/**
 * Bradley-Terry over sparse features, each brought to deviation 1: weights under a ridge (on half their squares, for each
 * comparison), by Adam over all comparisons at once, in plain numbers.
 */
export function sparseBradleyTerry(
  rows: readonly SparseFeatures[],
  size: number,
  comparisons: readonly SparseComparison[],
  { ridge, iterations = 150 }: { readonly ridge: (feature: number) => number; readonly iterations?: number },
): SparseModel {
  const scale = inverseDeviations(rows, size)
  const weights = new Float64Array(size)
  const first = new Float64Array(size)
  const second = new Float64Array(size)
  const total = comparisons.reduce((sum, { weight = 1 }) => sum + weight, 0)
  for (let iteration = 1; iteration <= iterations; iteration++) {
    const scores = rows.map((row) => sparseScore(row, { weights, scale }))
    const pull = new Float64Array(rows.length)
    for (const { better, worse, weight = 1, confidence = 1 } of comparisons) {
      const slope = (weight / total) * (confidence - sigmoid(scores[better]! - scores[worse]!))
      pull[better]! += slope
      pull[worse]! -= slope
    }
    const gradient = weights.map((weight, feature) => -ridge(feature) * weight)
    rows.forEach((row, index) => {
      if (pull[index] !== 0)
        for (const [feature, value] of row) gradient[feature]! += pull[index]! * value * scale[feature]!
    })
    for (let feature = 0; feature < size; feature++) {
      const slope = gradient[feature]!
      first[feature] = 0.9 * first[feature]! + 0.1 * slope
      second[feature] = 0.999 * second[feature]! + 0.001 * slope ** 2
      const step = first[feature]! / (1 - 0.9 ** iteration)
      weights[feature]! += (0.03 * step) / (Math.sqrt(second[feature]! / (1 - 0.999 ** iteration)) + 1e-8)
    }
  }
  return { weights, scale }
}

export function sparseScore(row: SparseFeatures, { weights, scale }: SparseModel): number {
  let sum = 0
  for (const [feature, value] of row) sum += weights[feature]! * value * scale[feature]!
  return sum
}

function inverseDeviations(rows: readonly SparseFeatures[], size: number): Float64Array {
  const sums = new Float64Array(size)
  const squares = new Float64Array(size)
  const occurs = new Float64Array(size)
  for (const row of rows)
    for (const [feature, value] of row) {
      sums[feature]! += value
      squares[feature]! += value ** 2
      occurs[feature]!++
    }
  return sums.map((sum, feature) => {
    const mean = sum / rows.length
    const deviation = Math.sqrt(Math.max(squares[feature]! / rows.length - mean ** 2, 0))
    return deviation < 1e-6 || occurs[feature]! < 2 ? 0 : 1 / deviation
  })
}
