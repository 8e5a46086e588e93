import { sigmoid } from '../../stats/logistic.ts'

/** How a free number becomes a multiplier: `sigmoid` for inequalities, `tanh` for equalities (may be negative). */
export type MultiplierSquash = 'sigmoid' | 'tanh' | 'none'

/** The multiplier of a constraint whose free parameter is `m`. */
export function multiplierOf(m: number, squash: MultiplierSquash): number {
  if (squash === 'none') return m
  return squash === 'sigmoid' ? sigmoid(m) : Math.tanh(m)
}

export interface MultiplierState {
  /** One free parameter per constraint. */
  readonly parameters: readonly number[]
  /** @default zeros */
  readonly momentum?: readonly number[]
}

export interface MultiplierStep {
  readonly squash: MultiplierSquash
  /** @default 0.1 */
  readonly learningRate?: number
  /** @default 0.1 */
  readonly momentum?: number
  /** Limit on the Euclidean norm of the gradient, before the momentum. @default 0.5 */
  readonly clipNorm?: number
}

/**
 * One descent step on `sum(lambda_i * gap_i)`, gap = measured value minus threshold in raw reward units: a
 * constraint that holds loses weight, one that is broken gains (arXiv 2310.04373). Unsquashed parameters stay at 0
 * or above.
 */
export function multiplierStep(
  { parameters, momentum: buffer = parameters.map(() => 0) }: MultiplierState,
  gaps: readonly number[],
  { squash, learningRate = 0.1, momentum = 0.1, clipNorm = 0.5 }: MultiplierStep,
): Required<MultiplierState> {
  const gradient = parameters.map((m, index) => slope(m, squash) * gaps[index]!)
  const norm = Math.hypot(...gradient)
  const scale = norm > clipNorm ? clipNorm / norm : 1
  const next = gradient.map((value, index) => momentum * buffer[index]! + value * scale)
  const moved = parameters.map((m, index) => m - learningRate * next[index]!)
  return { parameters: squash === 'none' ? moved.map((m) => Math.max(m, 0)) : moved, momentum: next }
}

function slope(m: number, squash: MultiplierSquash): number {
  const value = multiplierOf(m, squash)
  if (squash === 'none') return 1
  return squash === 'sigmoid' ? value * (1 - value) : 1 - value ** 2
}
