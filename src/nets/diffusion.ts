import type { Rng } from '../core/index.ts'

// The arithmetic of diffusion on numbers and typed arrays; networks are elsewhere (`denoiser.ts`). Times t are
// 0..T - 1, t = 0 the least noisy; images are in [-1, 1].

/** A variance-preserving schedule: x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps. */
export interface NoiseSchedule {
  /** T. */
  readonly steps: number
  readonly beta: Float64Array
  /** Product of (1 - beta) up to t, t included. */
  readonly abar: Float64Array
}

export type ScheduleName = 'linear' | 'cosine' | 'scaled-linear'

/**
 * `linear`: Ho et al. (arXiv 2006.11239), its 1000 steps rescaled to T (more than 20); `cosine`: Nichol and Dhariwal
 * (arXiv 2102.09672), beta at most 0.999; `scaled-linear`: Stable Diffusion's, linear in the root.
 */
export function noiseSchedule(name: ScheduleName, steps: number): NoiseSchedule {
  const between = (low: number, high: number, t: number) =>
    steps === 1 ? low : low + ((high - low) * t) / (steps - 1)
  const squaredCosine = (share: number) => Math.cos((((share + 0.008) / 1.008) * Math.PI) / 2) ** 2
  const betaAt = {
    linear: (t: number) => between(0.1 / steps, 20 / steps, t),
    cosine: (t: number) => Math.min(1 - squaredCosine((t + 1) / steps) / squaredCosine(t / steps), 0.999),
    'scaled-linear': (t: number) => between(Math.sqrt(0.00085), Math.sqrt(0.012), t) ** 2,
  }[name]
  const beta = Float64Array.from({ length: steps }, (_, t) => betaAt(t))
  let product = 1
  const abar = beta.map((value) => {
    product *= 1 - value
    return product
  })
  return { steps, beta, abar }
}

/** x_t of x_0 and noise, written into a new array. */
export function noised(x0: Float32Array, noise: Float32Array, abar: number): Float32Array {
  const [signal, deviation] = [Math.sqrt(abar), Math.sqrt(1 - abar)]
  return x0.map((value, index) => signal * value + deviation * noise[index]!)
}

/** v = sqrt(abar) eps - sqrt(1 - abar) x_0, what the denoiser learns to say. */
export function velocity(x0: Float32Array, noise: Float32Array, abar: number): Float32Array {
  const [signal, deviation] = [Math.sqrt(abar), Math.sqrt(1 - abar)]
  return x0.map((value, index) => signal * noise[index]! - deviation * value)
}

/** x_0 and eps that a prediction of v means: sqrt(abar) x_t - sqrt(1 - abar) v and sqrt(abar) v + sqrt(1 - abar) x_t. */
export function fromVelocity(
  x: Float32Array,
  v: Float32Array,
  abar: number,
): { readonly x0: Float32Array; readonly noise: Float32Array } {
  const [signal, deviation] = [Math.sqrt(abar), Math.sqrt(1 - abar)]
  return {
    x0: x.map((value, index) => signal * value - deviation * v[index]!),
    noise: x.map((value, index) => signal * v[index]! + deviation * value),
  }
}

/** What a network says of a noisy image: its velocity v or the clean image x_0. */
export type Prediction = 'velocity' | 'x0'

/** x_0 and eps that a prediction means; eps of a predicted x_0 is (x_t - sqrt(abar) x_0) / sqrt(1 - abar). */
export function fromPrediction(
  kind: Prediction,
  x: Float32Array,
  predicted: Float32Array,
  abar: number,
): { readonly x0: Float32Array; readonly noise: Float32Array } {
  if (kind === 'velocity') return fromVelocity(x, predicted, abar)
  const [signal, deviation] = [Math.sqrt(abar), Math.sqrt(1 - abar)]
  return { x0: predicted, noise: x.map((value, index) => (value - signal * predicted[index]!) / deviation) }
}

/** x_0 that a prediction of eps means. */
export function fromNoise(x: Float32Array, noise: Float32Array, abar: number): Float32Array {
  const [signal, deviation] = [Math.sqrt(abar), Math.sqrt(1 - abar)]
  return x.map((value, index) => (value - deviation * noise[index]!) / signal)
}

/** Mean and variance of x_{t-1} given x_t and x_0 (DDPM), and the log-variance, at t = 0 that of t = 1. */
export function posterior(
  { beta, abar }: NoiseSchedule,
  t: number,
  x0: Float32Array,
  x: Float32Array,
): { readonly mean: Float32Array; readonly variance: number; readonly logVariance: number } {
  const before = t === 0 ? 1 : abar[t - 1]!
  const varianceAt = (time: number) =>
    (beta[time]! * (1 - (time === 0 ? 1 : abar[time - 1]!))) / (1 - abar[time]!)
  const weightX0 = (beta[t]! * Math.sqrt(before)) / (1 - abar[t]!)
  const weightX = ((1 - before) * Math.sqrt(1 - beta[t]!)) / (1 - abar[t]!)
  return {
    mean: x0.map((value, index) => weightX0 * value + weightX * x[index]!),
    variance: varianceAt(t),
    logVariance: Math.log(varianceAt(Math.max(1, t))),
  }
}

/** The times of a sampler of `count` steps, from noisy to clean: T / count * i ("leading"), `offset` 1 for Stable Diffusion. */
export function samplingTimes(steps: number, count: number, offset = 0): number[] {
  const stride = Math.floor(steps / count)
  return Array.from({ length: count }, (_, index) => stride * (count - 1 - index) + offset)
}

/** Mean and deviation of one DDIM step (Song et al., arXiv 2010.02502, eq. 12 and 16) from `abar` to `abarNext`. */
export function ddimStep(
  x0: Float32Array,
  noise: Float32Array,
  abar: number,
  abarNext: number,
  eta: number,
): { readonly mean: Float32Array; readonly deviation: number } {
  const deviation = eta * Math.sqrt(((1 - abarNext) / (1 - abar)) * (1 - abar / abarNext))
  const [signal, direction] = [
    Math.sqrt(abarNext),
    Math.sqrt(Math.max(0, 1 - abarNext - deviation * deviation)),
  ]
  return { mean: x0.map((value, index) => signal * value + direction * noise[index]!), deviation }
}

/** Log-density of a step's outcome [nats], summed over `sum` dims or averaged; undefined (NaN) at deviation 0. */
export function stepLogp(
  outcome: Float32Array,
  mean: Float32Array,
  deviation: number,
  reduction: 'sum' | 'mean',
): number {
  if (deviation === 0) return Number.NaN
  let sum = 0
  for (let index = 0; index < outcome.length; index++) {
    const standard = (outcome[index]! - mean[index]!) / deviation
    sum -= standard * standard * 0.5
  }
  const constant = Math.log(deviation) + 0.5 * Math.log(2 * Math.PI)
  return reduction === 'mean' ? sum / outcome.length - constant : sum - outcome.length * constant
}

/** Standard normal numbers. */
export function standardNormal(rng: Rng, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => rng.normal())
}
