import { dotProduct, meanVector, unitVector, type Vector } from './vectors.ts'

export interface GoalBaselineOptions {
  /** Embeddings of sentences that describe the goal; brought to length 1 first. At least one. */
  readonly targets: readonly Vector[]
  /** Embeddings of sentences that describe the same setting without the goal. Not needed where alpha is 0. */
  readonly baselines?: readonly Vector[]
  /** 0: the plain cosine (of one target); 1: only what lies along the line from baseline to goal counts. @default 0.5 */
  readonly alpha?: number
  /**
   * Bring the means of several targets or baselines back to length 1, so that alpha 0 is a cosine for any number of
   * targets; not as published.
   * @default false
   */
  readonly unitMeans?: boolean
}

/**
 * Reward of an image embedding, in [-1, 1]: `1 - |(e - g) P|^2 / 2` with `P = alpha P_d + (1 - alpha) I`, where e is the
 * image's unit vector, g the mean of the targets' unit vectors, b that of the baselines, and P_d projects onto `d = g - b`:
 * what the baseline shares with the goal (the setting, the style of rendering) is faded out.
 *
 * Without `unitMeans`, alpha 0 is the cosine of one target, and of several no longer one. The result is null where goal and baseline are one point, as there is no direction then.
 *
 * @source VLM-RM, arXiv 2310.12921, definition 1
 */
export function goalBaseline({
  targets,
  baselines = [],
  alpha = 0.5,
  unitMeans = false,
}: GoalBaselineOptions): (image: Vector) => number | null {
  if (targets.length === 0) throw new RangeError('a goal needs at least one target')
  if (!(alpha >= 0 && alpha <= 1)) throw new RangeError(`alpha is ${alpha}, not in [0, 1]`)
  if (baselines.length === 0 && alpha > 0) throw new RangeError('alpha above 0 needs a baseline')
  const centre = (vectors: readonly Vector[]) => {
    const mean = meanVector(vectors.map(unitVector))
    return unitMeans ? unitVector(mean) : mean
  }
  const goal = centre(targets)
  const baseline = alpha === 0 ? goal : centre(baselines)
  const direction = goal.map((value, i) => value - baseline[i]!)
  const squared = dotProduct(direction, direction)
  const hasDirection = squared > 1e-12
  return (image) => {
    if (alpha > 0 && !hasDirection) return null
    const distance = unitVector(image).map((value, i) => value - goal[i]!)
    const along = alpha === 0 ? 0 : dotProduct(distance, direction) / squared
    const kept = distance.map((value, i) => alpha * along * direction[i]! + (1 - alpha) * value)
    return 1 - dotProduct(kept, kept) / 2
  }
}
