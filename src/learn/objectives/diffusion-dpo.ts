import { type Array as JaxArray, lax } from '@jax-js/jax'
import { bradleyTerryLosses } from './preference-losses.ts'
import { requireShapes } from './shapes.ts'

export interface DiffusionPairErrors {
  /** Denoising errors of the policy, Float[B]: the *mean* over latent dimensions, weighted by the schedule. */
  readonly errorChosen: JaxArray
  readonly errorRejected: JaxArray
  /** Of the frozen reference on the same noised inputs (same noise and time for all four), Float[B]; no gradient. */
  readonly errorRefChosen: JaxArray
  readonly errorRefRejected: JaxArray
}

/**
 * Diffusion-DPO per pair, Float[B]: -log sigmoid(-(beta / 2) [(e_chosen - e_rejected) - (the same of the reference)]).
 * Weigh by `gapWeights` for GAPO. Consumes all.
 */
export function diffusionDpoLosses(
  { errorChosen, errorRejected, errorRefChosen, errorRefRejected }: DiffusionPairErrors,
  { beta = 5000 }: { /** @default 5000 */ readonly beta?: number } = {},
): JaxArray {
  requireShapes('diffusionDpoLosses', {
    errorChosen: [errorChosen, 'B'],
    errorRejected: [errorRejected, 'B'],
    errorRefChosen: [errorRefChosen, 'B'],
    errorRefRejected: [errorRefRejected, 'B'],
  })
  const reference = lax.stopGradient(errorRefChosen.sub(errorRefRejected))
  return bradleyTerryLosses({
    differences: errorChosen
      .sub(errorRejected)
      .sub(reference)
      .mul(-beta / 2),
  })
}
