import type { Rng } from '../core/index.ts'

/**
 * How often each cell comes up in `total` draws with probabilities in proportion to `weights` (at least 0, not all
 * 0): the counts of a bootstrap resample of `total` observations, at a cost that depends on the cells alone.
 */
export function multinomialDraw(
  rng: Rng,
  total: number,
  weights: ArrayLike<number>,
  into = new Float64Array(weights.length),
): Float64Array {
  let left = 0
  for (let i = 0; i < weights.length; i++) left += weights[i]!
  if (!(left > 0)) throw new RangeError('a multinomial draw needs a weight above 0')
  let draws = total
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!
    const count =
      draws === 0 || weight === 0 ? 0 : weight >= left ? draws : binomialDraw(rng, draws, weight / left)
    into[i] = count
    draws -= count
    left -= weight
  }
  // Rounding may leave `left` a little above 0 behind the last cell that has a weight.
  for (let i = weights.length - 1; draws > 0; i--) {
    if (weights[i] === 0) continue
    into[i]! += draws
    draws = 0
  }
  return into
}

/** Successes in n trials of probability p: by inversion where few are expected, else by transformed rejection. */
export function binomialDraw(rng: Rng, n: number, p: number): number {
  if (!(Number.isSafeInteger(n) && n >= 0 && p >= 0 && p <= 1))
    throw new RangeError(`no binomial of ${n} trials with probability ${p}`)
  if (p > 0.5) return n - binomialDraw(rng, n, 1 - p)
  if (n * p < 10) return inverted(rng, n, p)
  return rejected(rng, n, p)
}

/** Walks up the distribution from 0; n p < 10 keeps the walk short and q^n away from underflow. */
function inverted(rng: Rng, n: number, p: number): number {
  const odds = p / (1 - p)
  let probability = Math.exp(n * Math.log1p(-p))
  let left = rng.uniform()
  for (let k = 0; k < n; k++) {
    if (left < probability) return k
    left -= probability
    probability *= (odds * (n - k)) / (k + 1)
  }
  return n
}

/** Hormann's BTRS (The generation of binomial random variates, 1993), for n p >= 10. */
function rejected(rng: Rng, n: number, p: number): number {
  const deviation = Math.sqrt(n * p * (1 - p))
  const b = 1.15 + 2.53 * deviation
  const a = -0.0873 + 0.0248 * b + 0.01 * p
  const c = n * p + 0.5
  const alpha = (2.83 + 5.1 / b) * deviation
  for (;;) {
    const u = rng.uniform() - 0.5
    const v = rng.uniform()
    const distance = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / distance + b) * u + c)
    if (distance >= 0.07 && v <= 0.92 - 4.2 / b) return k
    if (k < 0 || k > n) continue
    const height = Math.log((v * alpha) / (a / (distance * distance) + b))
    if (height <= logRatioToMode(k, n, p)) return k
  }
}

/** log of the probability of k over that of the most likely count. */
function logRatioToMode(k: number, n: number, p: number): number {
  const mode = Math.floor((n + 1) * p)
  const choices = logFactorial(mode) + logFactorial(n - mode) - logFactorial(k) - logFactorial(n - k)
  return choices + (k - mode) * Math.log(p / (1 - p))
}

const smallFactorials = new Float64Array(64)
for (let k = 2; k < smallFactorials.length; k++) smallFactorials[k] = smallFactorials[k - 1]! + Math.log(k)

/** log k!: summed below 64, above by Stirling's series, whose error there is below 1e-13. */
function logFactorial(k: number): number {
  if (k < smallFactorials.length) return smallFactorials[k]!
  const inverse = 1 / k
  const square = inverse * inverse
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260)))
  return (k + 0.5) * Math.log(k) - k + 0.9189385332046727 + series
}
