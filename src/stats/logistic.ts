/** 1 / (1 + exp(-x)), in (0, 1), without overflow at either end. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** log sigmoid(x) as -softplus(-x), in (-Infinity, 0]: exact where the sigmoid itself would underflow. */
export function logSigmoid(x: number): number {
  return x >= 0 ? 0 - Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x))
}
