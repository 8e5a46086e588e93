import { type Array as JaxArray, lax } from '@jax-js/jax'
import { requireShapes } from './shapes.ts'

/**
 * SELM's term per prompt, Float[B], to *add* to DPO's losses (arXiv 2405.19332, equation 4.2 and the released trainer):
 * alpha beta (logp - logpRef) of a response sampled from the *reference of this iteration*. It pushes that response's
 * likelihood down, which makes others likelier. Sampled from the moving policy instead, its gradient has expectation 0.
 * Linear and unbounded below: watch logp. The reference gets no gradient. Consumes all.
 */
export function selfExplorationTerms(
  {
    logp,
    logpRef,
  }: {
    /** Of the exploration response under the policy: the sum over its tokens, Float[B] [nats]. */
    readonly logp: JaxArray
    /** The same under the reference, Float[B]. */
    readonly logpRef: JaxArray
  },
  {
    beta = 0.01,
    alpha = 1e-3,
  }: { /** @default 0.01 */ readonly beta?: number /** @default 1e-3 */; readonly alpha?: number } = {},
): JaxArray {
  requireShapes('selfExplorationTerms', { logp: [logp, 'B'], logpRef: [logpRef, 'B'] })
  return logp.sub(lax.stopGradient(logpRef)).mul(alpha * beta)
}
