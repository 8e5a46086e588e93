import { logSigmoid } from '../../stats/logistic.ts'

/**
 * The log-probability that an answer of Bradley-Terry reward `reward` is preferred to one of reward `reference`
 * (log-sigmoid-centred, arXiv 2402.00742): centred first, then squashed. Its derivative in the reward is
 * `sigmoid(reference - reward)`: near 1 below the reference, vanishing above.
 */
export function logSigmoidCentred(reward: number, reference: number): number {
  return logSigmoid(reward - reference)
}

/**
 * The optimum of expected utility minus `gamma` times KL to `base`: probabilities in proportion to
 * `base * exp(utility / gamma)`, as many as `base` has.
 */
export function tiltedPolicy(base: readonly number[], utilities: readonly number[], gamma: number): number[] {
  const highest = Math.max(...utilities)
  const tilted = base.map(
    (probability, index) => probability * Math.exp((utilities[index]! - highest) / gamma),
  )
  const total = tilted.reduce((sum, value) => sum + value, 0)
  return tilted.map((value) => value / total)
}
