import { dotProduct, unitVector, type Vector } from './vectors.ts'

export interface ContrastingGoalOptions {
  /** Embedding of what is wanted. */
  readonly positive: Vector
  /** Embedding of what must not happen. */
  readonly negative: Vector
  /** @default 1 */
  readonly positiveWeight?: number
  /** @default 1 */
  readonly negativeWeight?: number
}

/**
 * Reward of an image embedding: `positiveWeight * cos(image, positive) - negativeWeight * cos(image, negative)`. Of an
 * ordinary encoder it spans a few hundredths only; see `calibrate` for a scale.
 *
 * @source VLM-RL, arXiv 2412.15544 (contrasting language goal)
 */
export function contrastingGoal({
  positive,
  negative,
  positiveWeight = 1,
  negativeWeight = 1,
}: ContrastingGoalOptions): (image: Vector) => number {
  const [wanted, unwanted] = [unitVector(positive), unitVector(negative)]
  return (image) => {
    const seen = unitVector(image)
    return positiveWeight * dotProduct(seen, wanted) - negativeWeight * dotProduct(seen, unwanted)
  }
}
