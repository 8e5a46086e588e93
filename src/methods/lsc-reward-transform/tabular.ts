import { Rng } from '../../core/index.ts'
import { logSigmoidCentred, tiltedPolicy } from '../../rewards/combine/log-sigmoid.ts'
import { quantile } from '../../stats/quantiles.ts'

/** Answers to one prompt under two rewards, and what each reward has to exceed to be good. */
interface TabularPrompt {
  readonly rewards: readonly (readonly [number, number])[]
  readonly references: readonly [number, number]
}

export interface TabularOutcome {
  /** Expected share of answers that are good in both properties. */
  readonly joint: number
  /** 10th percentile over prompts of the expected lesser margin, min over properties of reward minus reference. */
  readonly worst: number
}

/**
 * Prompts with answers that are equally likely at first, rewards of deviation 1.5 and correlation -0.3; the first has an
 * exponential right tail. A reference is the 85 % quantile of a prompt's own answers.
 */
export function tabularPrompts(seed: string, prompts = 200, answers = 64): TabularPrompt[] {
  return Array.from({ length: prompts }, (_, index) => {
    const rng = new Rng(`${seed}/${index}`)
    const rewards = Array.from({ length: answers }, (): readonly [number, number] => {
      const shared = rng.normal()
      const other = -0.3 * shared + Math.sqrt(1 - 0.3 ** 2) * rng.normal()
      return [1.5 * shared - Math.log(1 - rng.uniform()), 1.5 * other]
    })
    const reference = (property: 0 | 1) =>
      quantile(
        rewards.map((each) => each[property]),
        0.85,
      )!
    return { rewards, references: [reference(0), reference(1)] }
  })
}

/** The exact optimum at a mean KL to the base, for raw sums or transformed ones; gamma is found by bisection. */
export function tabularOutcome(
  prompts: readonly TabularPrompt[],
  kl: number,
  transform: 'raw' | 'log-sigmoid-centred',
): TabularOutcome {
  const utilities = prompts.map(({ rewards, references }) =>
    rewards.map((each) =>
      transform === 'raw'
        ? each[0] + each[1]
        : logSigmoidCentred(each[0], references[0]) + logSigmoidCentred(each[1], references[1]),
    ),
  )
  const policiesAt = (gamma: number) =>
    utilities.map((own) =>
      tiltedPolicy(
        own.map(() => 1 / own.length),
        own,
        gamma,
      ),
    )
  let [low, high] = [Math.log(1e-3), Math.log(1e3)]
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2
    if (meanDivergence(policiesAt(Math.exp(middle))) > kl) low = middle
    else high = middle
  }
  const policies = policiesAt(Math.exp((low + high) / 2))
  const expected = (of: (margins: readonly [number, number]) => number) =>
    policies.map((policy, index) => {
      const { rewards, references } = prompts[index]!
      return policy.reduce(
        (sum, p, answer) =>
          sum + p * of([rewards[answer]![0] - references[0], rewards[answer]![1] - references[1]]),
        0,
      )
    })
  const joint = expected(([a, b]) => Number(a > 0 && b > 0))
  return {
    joint: joint.reduce((a, b) => a + b, 0) / joint.length,
    worst: quantile(
      expected(([a, b]) => Math.min(a, b)),
      0.1,
    )!,
  }
}

function meanDivergence(policies: readonly (readonly number[])[]): number {
  const each = policies.map((policy) =>
    policy.reduce((sum, p) => sum + (p === 0 ? 0 : p * Math.log(p * policy.length)), 0),
  )
  return each.reduce((a, b) => a + b, 0) / each.length
}
