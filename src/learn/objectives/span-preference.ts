import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { logSigmoid } from './logistic.ts'
import { requireShapes } from './shapes.ts'

export interface SpanInputs {
  /** Log-probabilities of a response's tokens under the policy, Float[B, T] [nats]. */
  readonly logp: JaxArray
  /** Under the frozen reference, Float[B, T]; no gradient. */
  readonly logpRef: JaxArray
  /** 1 where token t belongs to span s, Float[B, S, T]; gradients flow through these tokens alone. */
  readonly spans: JaxArray
  /** 1 accurate, 0 inaccurate; any other (analysis, unsure, no such span) contributes nothing. Float[B, S]. */
  readonly labels: JaxArray
}

/**
 * Fine-grained DPO on single labelled spans (arXiv 2308.06394): r = the *sum* of a span's token log-ratios, loss
 * -log sigmoid(beta r) for an accurate span, -log sigmoid(-beta r) for an inaccurate one. `losses` Float[B, S] are 0 where
 * `counted` Float[B, S] is 0: average with `meanOf(losses, counted)`. Long spans saturate, r being a sum. beta 0.5 is from
 * memory, unverified. Consumes all.
 */
export function spanPreferenceLosses(
  { logp, logpRef, spans, labels }: SpanInputs,
  { beta = 0.5 }: { /** @default 0.5 */ readonly beta?: number } = {},
): { readonly losses: JaxArray; readonly counted: JaxArray } {
  requireShapes('spanPreferenceLosses', {
    logp: [logp, 'BT'],
    logpRef: [logpRef, 'BT'],
    spans: [spans, 'BST'],
    labels: [labels, 'BS'],
  })
  const tokens = np.expandDims(logp.sub(lax.stopGradient(logpRef)), 1) // [B, 1, T]
  const ratios = np.sum(np.where(np.greater(spans, 0), tokens, 0), -1)
  const accurate = np.where(np.equal(labels.ref, 1), np.onesLike(labels.ref), 0)
  const inaccurate = np.where(np.equal(labels.ref, 0), np.onesLike(labels), 0)
  const counted = accurate.ref.add(inaccurate.ref)
  const losses = np.negative(logSigmoid(ratios.mul(accurate.sub(inaccurate)).mul(beta)))
  return { losses: losses.mul(counted.ref), counted }
}
