import { type Preference, textOf } from '../../core/index.ts'
import { formFeatures } from '../../rewards/learned/surface-features.ts'
import { sigmoid } from '../../stats/logistic.ts'

/** A logistic model of which of two answers is better, from how they look alone. */
export interface FormModel {
  /** Log-odds that the first is better. */
  difference(first: string, second: string): number
  /** In deviations of each feature's differences, the strongest first. */
  readonly weights: Readonly<Record<string, number>>
}

/** Fits it to pairs by Newton's method, with a ridge of 1. */
export function formModel(preferences: readonly Preference[]): FormModel {
  const features = new Map<string, readonly number[]>()
  const featuresOf = (text: string) => {
    let found = features.get(text)
    if (found === undefined) {
      found = Object.values(formFeatures(text))
      features.set(text, found)
    }
    return found
  }
  const names = Object.keys(formFeatures(''))
  const rows = preferences.map(({ chosen, rejected }) => {
    const other = featuresOf(textOf(rejected))
    return featuresOf(textOf(chosen)).map((value, index) => value - other[index]!)
  })
  const scale = names.map(
    (_, f) => Math.sqrt(rows.reduce((sum, row) => sum + row[f]! ** 2, 0) / rows.length) || 1,
  )
  const unit = rows.map((row) => row.map((value, f) => value / scale[f]!))
  const weights = names.map(() => 0)
  for (let iteration = 0; iteration < 20; iteration++) {
    const gradient = weights.map((weight) => -weight)
    const curvature = names.map((_, f) => names.map((_, g) => Number(f === g)))
    for (const row of unit) {
      // every row is a preferred minus a rejected answer: its label is 1
      const p = sigmoid(row.reduce((sum, value, f) => sum + value * weights[f]!, 0))
      row.forEach((value, f) => {
        gradient[f]! += (1 - p) * value
        row.forEach((other, g) => {
          curvature[f]![g]! += p * (1 - p) * value * other
        })
      })
    }
    const step = solved(curvature, gradient)
    step.forEach((value, f) => {
      weights[f]! += value
    })
    if (Math.max(...step.map(Math.abs)) < 1e-6) break
  }
  const order = names.map((_, f) => f).sort((f, g) => Math.abs(weights[g]!) - Math.abs(weights[f]!))
  return {
    difference: (first, second) => {
      const other = featuresOf(second)
      return featuresOf(first).reduce(
        (sum, value, f) => sum + ((value - other[f]!) / scale[f]!) * weights[f]!,
        0,
      )
    },
    weights: Object.fromEntries(order.map((f) => [names[f]!, weights[f]!])),
  }
}

/** Solution of a small positive definite system, by Gaussian elimination. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index]!])
  const size = rows.length
  for (let pivot = 0; pivot < size; pivot++)
    for (let row = 0; row < size; row++) {
      if (row === pivot) continue
      const factor = rows[row]![pivot]! / rows[pivot]![pivot]!
      for (let column = pivot; column <= size; column++) rows[row]![column]! -= factor * rows[pivot]![column]!
    }
  return rows.map((row, index) => row[size]! / row[index]!)
}
