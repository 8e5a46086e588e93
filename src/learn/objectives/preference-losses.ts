import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { targetLogp } from '../../nets/cross-entropy.ts'
import { logSigmoid } from './logistic.ts'
import { requireOption, requireShapes } from './shapes.ts'

// Losses of "this one is better": `differences` is the score of the preferred minus that of the other, Float[B], or of any
// shape (a score per token). Each gives one loss per difference, for `meanOf` to average, perhaps weighted or masked. All
// consume their inputs.

export interface BradleyTerryOptions {
  /** The difference asked for: the loss is that of difference - `margin`. @default 0 */
  readonly margin?: number
  /** Share s of pairs taken to be labelled the wrong way round: (1 - s) loss(h) + s loss(-h). @default 0 */
  readonly labelSmoothing?: number
}

/** Bradley-Terry: -log sigmoid(difference), the loss of scalar reward models. */
export function bradleyTerryLosses(
  { differences }: { readonly differences: JaxArray },
  { margin = 0, labelSmoothing = 0 }: BradleyTerryOptions = {},
): JaxArray {
  requireOption(
    'bradleyTerryLosses',
    labelSmoothing >= 0 && labelSmoothing <= 1,
    '`labelSmoothing` is a share, 0 to 1',
  )
  const h = margin === 0 ? differences : differences.sub(margin)
  if (labelSmoothing === 0) return np.negative(logSigmoid(h))
  return confidentLosses(h, np.array(1 - labelSmoothing, { dtype: h.dtype }))
}

/**
 * Bradley-Terry with a soft label: c loss(h) + (1 - c) loss(-h), `confidence` c = probability that the label is right,
 * Float[B] or Float[] and a constant of the gradient. Least at h = log(c / (1 - c)): it bounds the difference.
 */
export function softBradleyTerryLosses({
  differences,
  confidence,
}: {
  readonly differences: JaxArray
  readonly confidence: JaxArray
}): JaxArray {
  requireShapes('softBradleyTerryLosses', {
    differences: [differences, '*'],
    confidence: [confidence, confidence.ndim === 0 ? '' : '*'],
  })
  return confidentLosses(differences, lax.stopGradient(confidence))
}

function confidentLosses(h: JaxArray, confidence: JaxArray): JaxArray {
  const right = logSigmoid(h.ref).mul(confidence.ref)
  const wrong = logSigmoid(np.negative(h)).mul(np.subtract(1, confidence))
  return np.negative(right.add(wrong))
}

/** Hinge: max(0, margin - difference). */
export function hingeLosses(
  { differences }: { readonly differences: JaxArray },
  { margin = 1 }: { /** @default 1 */ readonly margin?: number } = {},
): JaxArray {
  return np.maximum(np.subtract(margin, differences), 0)
}

/**
 * Hinge with a quadratic bend of width `smoothness` g below the margin m:
 * (max(0, m - h))^2 / 2g where h >= m - g, else m - g/2 - h.
 */
export function smoothHingeLosses(
  { differences }: { readonly differences: JaxArray },
  { margin = 1, smoothness = 5 }: { readonly margin?: number; readonly smoothness?: number } = {},
): JaxArray {
  requireOption('smoothHingeLosses', smoothness > 0, '`smoothness` is above 0')
  const short = np.maximum(np.subtract(margin, differences), 0)
  const bent = np.square(short.ref).div(2 * smoothness)
  return np.where(np.lessEqual(short.ref, smoothness), bent, short.sub(smoothness / 2))
}

/** Cross-entropy over the scores of candidates, Float[..., N], of which `best` is preferred, Int[...] (0 to N - 1). */
export function choiceLosses({
  scores,
  best,
}: {
  readonly scores: JaxArray
  readonly best: JaxArray
}): JaxArray {
  requireOption(
    'choiceLosses',
    String(scores.shape.slice(0, -1)) === String(best.shape),
    '`best` has the shape of `scores` without its last dim',
  )
  return np.negative(targetLogp(scores, best.astype(np.int32)))
}
