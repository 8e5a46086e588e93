import { expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import { Rng } from '../core/index.ts'
import {
  ddimStep,
  fromNoise,
  fromVelocity,
  noised,
  noiseSchedule,
  posterior,
  samplingTimes,
  standardNormal,
  stepLogp,
  velocity,
} from './diffusion.ts'

const linear50 = noiseSchedule('linear', 50)

testVectors('generators', {
  schedule({ schedule, steps, times }) {
    const { beta, abar } = noiseSchedule(schedule, steps)
    return { beta: times.map((t: number) => beta[t]!), abar: times.map((t: number) => abar[t]!) }
  },
  abar({ schedule, steps, times }) {
    const { abar } = noiseSchedule(schedule, steps)
    return times.map((t: number) => abar[t]!)
  },
  posterior({ t, x0, x }, { expected }) {
    const { mean, ...rest } = posterior(linear50, t, Float32Array.from(x0), Float32Array.from(x))
    return wantedOf({ mean: [...mean], ...rest }, expected)
  },
  ddim({ from, to, eta }, { expected }) {
    const x = Float32Array.from([0.3, -0.8, 1.2])
    const noise = Float32Array.from([0.1, -0.5, 0.9])
    const outcome = Float32Array.from([0.35, -0.6, 1])
    const [abar, abarNext] = [linear50.abar[from]!, linear50.abar[to]!]
    const { mean, deviation } = ddimStep(fromNoise(x, noise, abar), noise, abar, abarNext, eta)
    const [logpMean, logpSum] = [
      stepLogp(outcome, mean, deviation, 'mean'),
      stepLogp(outcome, mean, deviation, 'sum'),
    ]
    return wantedOf({ mean: [...mean], deviation, logpMean, logpSum }, expected)
  },
})

/** Only what a vector states. */
function wantedOf(values: Record<string, unknown>, expected: unknown) {
  return Object.fromEntries(Object.keys(expected as object).map((key) => [key, values[key]]))
}

test('velocity says both the clean image and the noise', () => {
  const rng = new Rng('v')
  const [x0, noise] = [standardNormal(rng, 20), standardNormal(rng, 20)]
  for (const abar of [0.999, 0.5, 1e-4]) {
    const found = fromVelocity(noised(x0, noise, abar), velocity(x0, noise, abar), abar)
    for (let i = 0; i < 20; i++) {
      expect(found.x0[i]).toBeCloseTo(x0[i]!, 5)
      expect(found.noise[i]).toBeCloseTo(noise[i]!, 5)
    }
  }
})

test('DDIM at eta 0 with the exact noise goes along the forward process', () => {
  const rng = new Rng('ddim')
  const [x0, noise] = [standardNormal(rng, 12), standardNormal(rng, 12)]
  const { abar } = noiseSchedule('cosine', 50)
  const { mean, deviation } = ddimStep(x0, noise, abar[30]!, abar[20]!, 0)
  expect(deviation).toBe(0)
  noised(x0, noise, abar[20]!).forEach((value, index) => {
    expect(mean[index]).toBeCloseTo(value, 5)
  })
  expect(stepLogp(mean, mean, deviation, 'mean')).toBeNaN()
})

test('a sampler at T steps with the exact predictor of Gaussian data recovers mean and variance', () => {
  // x_0 is normal with mean 0.4 and deviation 0.5, so E[x_0 | x_t] is known and stands for a perfect network.
  const schedule = noiseSchedule('linear', 1000)
  const rng = new Rng('gauss')
  let x = standardNormal(rng, 4000)
  for (const t of samplingTimes(1000, 1000)) {
    const abar = schedule.abar[t]!
    const gain = (Math.sqrt(abar) * 0.25) / (abar * 0.25 + 1 - abar)
    const x0 = x.map((value) => 0.4 + gain * (value - Math.sqrt(abar) * 0.4))
    const { mean, variance } = posterior(schedule, t, x0, x)
    x = mean.map((value) => value + Math.sqrt(variance) * rng.normal())
  }
  const mean = x.reduce((a, b) => a + b) / x.length
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length
  expect(Math.abs(mean - 0.4)).toBeLessThan(0.025)
  expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(0.05)
})

test('sampling times descend to 0 and cover the schedule', () => {
  expect(samplingTimes(50, 10)).toEqual([45, 40, 35, 30, 25, 20, 15, 10, 5, 0])
  expect(samplingTimes(1000, 4, 1)).toEqual([751, 501, 251, 1])
})
