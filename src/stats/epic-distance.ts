import { pearson } from './correlation.ts'

/**
 * Distance between two rewards on the same states, in [0, 1]: sqrt((1 - rho) / 2) with Pearson's rho. 0 when one is a
 * positive affine map of the other, 1 when it is a negative one, about 0.707 when they have nothing in common. Null when
 * either is constant or n < 2.
 *
 * EPIC without its canonical shaping: all returns are compared at one state, where shaping drops out.
 *
 * @source Gleave et al., arXiv 2006.13900; in this form VLM-RM, arXiv 2310.12921
 */
export function epicDistance(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const rho = pearson(a, b)
  return rho === null ? null : Math.sqrt((1 - rho) / 2)
}
