import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { bradleyTerryLosses, hingeLosses } from './preference-losses.ts'
import { requireOption, requireShapes } from './shapes.ts'

// Direct preference optimisation (arXiv 2305.18290). Log-probabilities are *sums* over a response's tokens [nats], never
// means (`tokenSum`). Losses are per pair, Float[B]; `meanOf` averages them. All consume their inputs.

export interface PairLogps {
  /** Under the policy, Float[B]. */
  readonly logpChosen: JaxArray
  /** Under the policy, Float[B]. */
  readonly logpRejected: JaxArray
  /** Under the frozen reference, Float[B]: no gradient. */
  readonly logpRefChosen: JaxArray
  /** Under the frozen reference, Float[B]: no gradient. */
  readonly logpRefRejected: JaxArray
  /** Tokens of the chosen responses, Float[B]: with both lengths each side's log-ratio is divided by its own. */
  readonly lengthChosen?: JaxArray
  /** Tokens of the rejected responses, Float[B]. */
  readonly lengthRejected?: JaxArray
}

/** Log-ratios to the reference and h, their difference (chosen - rejected), Float[B] each [nats, or nats per token]. */
export function preferenceMargins(pairs: PairLogps): {
  readonly margins: JaxArray
  readonly ratiosChosen: JaxArray
  readonly ratiosRejected: JaxArray
} {
  const { logpChosen, logpRejected, logpRefChosen, logpRefRejected, lengthChosen, lengthRejected } = pairs
  requireShapes('preferenceMargins', {
    logpChosen: [logpChosen, 'B'],
    logpRejected: [logpRejected, 'B'],
    logpRefChosen: [logpRefChosen, 'B'],
    logpRefRejected: [logpRefRejected, 'B'],
    lengthChosen: [lengthChosen, 'B'],
    lengthRejected: [lengthRejected, 'B'],
  })
  requireOption(
    'preferenceMargins',
    (lengthChosen === undefined) === (lengthRejected === undefined),
    '`lengthChosen` and `lengthRejected` go together',
  )
  const ratiosChosen = perToken(logpChosen.sub(lax.stopGradient(logpRefChosen)), lengthChosen)
  const ratiosRejected = perToken(logpRejected.sub(lax.stopGradient(logpRefRejected)), lengthRejected)
  return { margins: ratiosChosen.ref.sub(ratiosRejected.ref), ratiosChosen, ratiosRejected }
}

function perToken(ratios: JaxArray, lengths: JaxArray | undefined): JaxArray {
  return lengths === undefined ? ratios : ratios.div(np.maximum(lengths, 1))
}

export interface DpoOptions {
  /** @default 0.1 */
  readonly beta?: number
  /** cDPO: share of pairs taken to be labelled the wrong way round. @default 0 */
  readonly labelSmoothing?: number
}

interface Margins {
  /** h of `preferenceMargins`, Float[B]. */
  readonly margins: JaxArray
}

/** DPO, -log sigmoid(beta h); with label smoothing s cDPO, -(1-s) log sigmoid(beta h) - s log sigmoid(-beta h). */
export function dpoLosses(
  { margins }: Margins,
  { beta = 0.1, labelSmoothing = 0 }: DpoOptions = {},
): JaxArray {
  return bradleyTerryLosses({ differences: margins.mul(beta) }, { labelSmoothing })
}

/**
 * Robust DPO: [-(1-s) log sigmoid(beta h) + s log sigmoid(-beta h)] / (1 - 2s), unbiased when a share s < 0.5 of the
 * labels is wrong. May be negative.
 */
export function robustDpoLosses(
  { margins }: Margins,
  { beta = 0.1, labelSmoothing: s = 0 }: DpoOptions = {},
): JaxArray {
  requireOption('robustDpoLosses', s >= 0 && s < 0.5, '`labelSmoothing` is at least 0 and below 0.5')
  const right = bradleyTerryLosses({ differences: margins.ref.mul(beta) })
  const wrong = bradleyTerryLosses({ differences: margins.mul(-beta) })
  return right.mul((1 - s) / (1 - 2 * s)).sub(wrong.mul(s / (1 - 2 * s)))
}

/** Hinge on the implicit rewards (SLiC): max(0, 1 - beta h). */
export function hingeDpoLosses(
  { margins }: Margins,
  { beta = 0.1 }: { readonly beta?: number } = {},
): JaxArray {
  return hingeLosses({ differences: margins.mul(beta) })
}

/**
 * IPO (arXiv 2310.12036): (h - 1 / (2 tau))^2, which draws h to 1 / (2 tau). `tau` stands where DPO has beta but isn't
 * comparable to it. Margins per token (`preferenceMargins` with lengths) are what TRL says the authors use.
 */
export function ipoLosses({ margins }: Margins, { tau = 0.1 }: { readonly tau?: number } = {}): JaxArray {
  requireShapes('ipoLosses', { margins: [margins, 'B'] })
  return np.square(margins.sub(1 / (2 * tau)))
}

/**
 * What to watch in training, scalars without gradient: `accuracy` (share of h > 0), implicit rewards beta * log-ratio of
 * both sides, their `margin`, and both log-probabilities: that of the chosen may fall while the loss falls.
 */
export function preferenceMetrics(
  pairs: PairLogps,
  { beta = 0.1 }: { readonly beta?: number } = {},
): Readonly<Record<string, JaxArray>> {
  const logpChosen = pairs.logpChosen.ref
  const logpRejected = pairs.logpRejected.ref
  const { margins, ratiosChosen, ratiosRejected } = preferenceMargins(pairs)
  const average = (values: JaxArray) => lax.stopGradient(np.mean(values))
  return {
    accuracy: average(np.where(np.greater(margins.ref, 0), np.onesLike(margins.ref), 0)),
    rewardChosen: average(ratiosChosen).mul(beta),
    rewardRejected: average(ratiosRejected).mul(beta),
    margin: average(margins).mul(beta),
    logpChosen: average(logpChosen),
    logpRejected: average(logpRejected),
  }
}
