// Ctrl-U (arXiv 2410.11236), steps 4 to 8 of its training code: how a differentiable reward counts less where the
// reward model disagrees with itself on two noisy versions of one image. Maps are flat arrays of pixels; logits are
// [class][pixel]. Maps are taken as they are: `dividedByMaximum` comes first where depth is compared.

/** Pixels with this label count for nothing in a segmentation loss. */
export const ignoredLabel = 255

/** `scale * KL(softmax(auxiliary) || softmax(primary))` per pixel [nats]; logits are [class][pixel]. */
export function segmentationUncertainty(
  primary: readonly ArrayLike<number>[],
  auxiliary: readonly ArrayLike<number>[],
  scale = 1,
): Float64Array {
  const logP = logSoftmaxPerPixel(primary)
  const logQ = logSoftmaxPerPixel(auxiliary)
  return Float64Array.from({ length: logP[0]?.length ?? 0 }, (_, pixel) =>
    logQ.reduce((sum, q, k) => sum + scale * Math.exp(q[pixel]!) * (q[pixel]! - logP[k]![pixel]!), 0),
  )
}

/** `|primary - auxiliary|` per pixel, of depth or edge maps. */
export function mapUncertainty(primary: ArrayLike<number>, auxiliary: ArrayLike<number>): Float64Array {
  return Float64Array.from(primary, (value, pixel) => Math.abs(value - auxiliary[pixel]!))
}

/** Cross-entropy per pixel [nats]; 0 where the label is ignored. */
export function segmentationLoss(
  logits: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
): Float64Array {
  const logP = logSoftmaxPerPixel(logits)
  return Float64Array.from(labels, (label, pixel) => (label === ignoredLabel ? 0 : -logP[label]![pixel]!))
}

/** Squared error per pixel, of depth or edge maps. */
export function mapLoss(map: ArrayLike<number>, label: ArrayLike<number>): Float64Array {
  return Float64Array.from(map, (value, pixel) => (value - label[pixel]!) ** 2)
}

/** A depth map over its own maximum. Throws a `RangeError` where that is not positive. */
export function dividedByMaximum(map: ArrayLike<number>): Float64Array {
  let maximum = Number.NEGATIVE_INFINITY
  for (let pixel = 0; pixel < map.length; pixel++) maximum = Math.max(maximum, map[pixel]!)
  if (!(maximum > 0)) throw new RangeError(`cannot divide a map by its maximum of ${maximum}`)
  return Float64Array.from(map, (value) => value / maximum)
}

/** How much each pixel counts: `exp(-U)`, 1 where the reward model is sure. */
export function uncertaintyWeights(uncertainty: ArrayLike<number>): Float64Array {
  return Float64Array.from(uncertainty, (value) => Math.exp(-value))
}

export interface UncertaintyLoss {
  /** Mean of `exp(-U) * loss` over the pixels whose label is not ignored (0 where all are). */
  readonly weighted: number
  /** Mean of U over all pixels, ignored ones included, as released. */
  readonly regulariser: number
}

/** The weighted loss of one image and the price of being unsure: one without the other rewards confusing the model. */
export function uncertaintyWeightedLoss(
  loss: ArrayLike<number>,
  uncertainty: ArrayLike<number>,
  /** Class labels, for a segmentation; their ignored pixels are left out of the weighted loss. */
  labels?: ArrayLike<number>,
): UncertaintyLoss {
  const weights = uncertaintyWeights(uncertainty)
  let [weighted, total, counted] = [0, 0, 0]
  for (let pixel = 0; pixel < loss.length; pixel++) {
    total += uncertainty[pixel]!
    if (labels?.[pixel] === ignoredLabel) continue
    weighted += weights[pixel]! * loss[pixel]!
    counted += 1
  }
  return { weighted: counted === 0 ? 0 : weighted / counted, regulariser: total / loss.length }
}

/** The mean over the samples whose timestep lies in `[low, high]`, denominator + 1e-10: 0 where none does. */
export function meanAtTimesteps(
  values: readonly number[],
  timesteps: readonly number[],
  [low, high]: readonly [low: number, high: number],
): number {
  let [total, counted] = [0, 0]
  values.forEach((value, index) => {
    if (timesteps[index]! < low || timesteps[index]! > high) return
    total += value
    counted += 1
  })
  return total / (counted + 1e-10)
}

export interface CtrlULoss extends UncertaintyLoss {
  readonly diffusion: number
  /** The reward's share at this step: `linear({ from: 0, to: gradScale, end: 5000 })(step)`. */
  readonly gradScale: number
  /** Weight of the regulariser: 1 for segmentation, where u is inside U; u for depth and edges. */
  readonly regulariserWeight: number
}

/** `L = diffusion + gradScale * weighted + regulariserWeight * regulariser`. */
export function ctrlULoss({
  diffusion,
  gradScale,
  weighted,
  regulariser,
  regulariserWeight,
}: CtrlULoss): number {
  return diffusion + gradScale * weighted + regulariserWeight * regulariser
}

function logSoftmaxPerPixel(logits: readonly ArrayLike<number>[]): Float64Array[] {
  const pixels = logits[0]?.length ?? 0
  const normalisers = Float64Array.from({ length: pixels }, (_, pixel) => {
    const highest = logits.reduce((most, map) => Math.max(most, map[pixel]!), Number.NEGATIVE_INFINITY)
    return highest + Math.log(logits.reduce((sum, map) => sum + Math.exp(map[pixel]! - highest), 0))
  })
  return logits.map((map) => Float64Array.from(map, (value, pixel) => value - normalisers[pixel]!))
}
