import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'

// Both carry their derivative (value + slope * (x - x), the difference being zero with derivative 1): those of the
// textbook formulas are NaN for large |x| or one-sided at 0, where every preference loss begins.

/** 1 / (1 + exp(-x)), Float[*]. Consumes `x`. First derivative only. */
export function sigmoid(x: JaxArray): JaxArray {
  const value = logistic(lax.stopGradient(x.ref))
  const slope = value.ref.mul(np.subtract(1, value.ref))
  return value.add(slope.mul(changeOf(x)))
}

/** log sigmoid(x), in (-Infinity, 0], Float[*]. Consumes `x`. First derivative only. */
export function logSigmoid(x: JaxArray): JaxArray {
  const fixed = lax.stopGradient(x.ref)
  const tail = np.log(np.exp(np.negative(np.absolute(fixed.ref))).add(1))
  const value = np.minimum(fixed.ref, 0).sub(tail)
  return value.add(logistic(np.negative(fixed)).mul(changeOf(x)))
}

function logistic(x: JaxArray): JaxArray {
  return np.reciprocal(np.exp(np.negative(x)).add(1))
}

function changeOf(x: JaxArray): JaxArray {
  return x.ref.sub(lax.stopGradient(x))
}
