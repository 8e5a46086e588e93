import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'

// A function here carries its own derivative: its value is taken out of differentiation, and a term that is zero,
// J (x - x), brings the derivative J back. Forward, the zero is folded away when the graph is made; backward, what is
// left is J's few products instead of a pass for every step of the function. Differentiated twice, J counts as
// constant: second derivatives are lost.

/** Difference of `x` to itself: zero, with derivative 1. Borrows `x`. */
function zeroOf(x: JaxArray): JaxArray {
  return x.ref.sub(lax.stopGradient(x.ref))
}

/** GELU in its tanh form, x sigmoid(2c (x + 0.044715 x^3)) with c = sqrt(2 / pi). Consumes `x`. First derivative only. */
export function gelu(x: JaxArray): JaxArray {
  const c = Math.sqrt(2 / Math.PI)
  const fixed = lax.stopGradient(x.ref)
  const square = np.square(fixed.ref)
  const inner = fixed.ref.mul(square.ref.mul(2 * c * 0.044715).add(2 * c))
  const gate = sigmoid(inner)
  const value = fixed.mul(gate.ref)
  const slope = gate.ref.add(value.ref.mul(np.subtract(1, gate)).mul(square.mul(6 * c * 0.044715).add(2 * c)))
  const result = value.add(zeroOf(x).mul(slope))
  x.dispose()
  return result
}

function sigmoid(x: JaxArray): JaxArray {
  return np.reciprocal(np.exp(np.negative(x)).add(1))
}

/** Hyperbolic tangent. Consumes `x`. First derivative only. */
export function tanh(x: JaxArray): JaxArray {
  const value = np.tanh(lax.stopGradient(x.ref))
  const result = value.ref.add(zeroOf(x).mul(np.subtract(1, np.square(value))))
  x.dispose()
  return result
}

/** Softmax over the last dim. Consumes `x`. First derivative only. */
export function softmax(x: JaxArray): JaxArray {
  const fixed = lax.stopGradient(x.ref)
  const shifted = np.exp(fixed.ref.sub(np.max(fixed, -1, { keepdims: true })))
  const p = shifted.ref.div(np.sum(shifted, -1, { keepdims: true }))
  const change = zeroOf(x)
  x.dispose()
  const weighted = p.ref.mul(change)
  const total = np.sum(weighted.ref, -1, { keepdims: true })
  return p.ref.add(weighted.sub(p.mul(total)))
}

/** Mean 0 and deviation 1 (population) over the last dim. Consumes `x`. First derivative only. */
export function standardise(x: JaxArray, epsilon = 1e-5): JaxArray {
  const fixed = lax.stopGradient(x.ref)
  const centred = fixed.ref.sub(np.mean(fixed, -1, { keepdims: true }))
  const variance = np.mean(np.square(centred.ref), -1, { keepdims: true })
  const inverse = np.reciprocal(np.sqrt(variance.add(epsilon)))
  const value = centred.mul(inverse.ref)
  const change = zeroOf(x)
  x.dispose()
  const along = np.mean(value.ref.mul(change.ref), -1, { keepdims: true })
  const residual = change.ref.sub(np.mean(change, -1, { keepdims: true })).sub(value.ref.mul(along))
  return value.add(residual.mul(inverse))
}
