import { numpy as np } from '@jax-js/jax'
import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import * as learn from '../index.ts'
import { evaluated, evaluatedGradient } from '../index.ts'
import { logSigmoid, sigmoid } from './logistic.ts'

// What the cards list as easily got wrong, and what a formula alone doesn't say.

const value = (fn: (x: any) => any, inputs: any): any => evaluated<any, any>(fn, inputs)
const slopes = (fn: (x: any) => any, inputs: any): any => evaluatedGradient<any>(fn, inputs).gradient
const near = (numbers: readonly number[], digits = 6) => numbers.map((x) => expect.closeTo(x, digits))

describe('logistic functions', () => {
  test('finite in value and derivative where the textbook formula overflows, two-sided at 0', () => {
    const x = [-1000, 0, 1000]
    expect(value((y) => logSigmoid(y), x)).toEqual(near([-1000, -Math.LN2, 0]))
    expect(slopes((y) => np.sum(logSigmoid(y)), x)).toEqual(near([1, 0.5, 0]))
    expect(value((y) => sigmoid(y), x)).toEqual(near([0, 0.5, 1]))
    expect(slopes((y) => np.sum(sigmoid(y)), x)).toEqual(near([0, 0.25, 0]))
  })
})

describe('averages', () => {
  const losses = [
    [1, 1, 1, 1],
    [1, 0, 0, 0],
  ]
  const mask = [
    [1, 1, 1, 1],
    [1, 0, 0, 0],
  ]
  const weights = (over: learn.TokenAggregation) =>
    slopes((x) => learn.aggregated(x.losses, np.greater(x.mask, 0).astype(np.float64), over, 4), {
      losses,
      mask,
    }).losses
  test('token mean, mean of sequence means and constant weigh a token differently', () => {
    expect(weights('token')[0][0]).toBeCloseTo(1 / 5)
    expect(weights('token')[1][0]).toBeCloseTo(1 / 5)
    expect(weights('sequence')[0][0]).toBeCloseTo(1 / 8)
    expect(weights('sequence')[1][0]).toBeCloseTo(1 / 2)
    expect(weights('constant')[0][0]).toBeCloseTo(1 / 8)
    expect(weights('constant')[1][0]).toBeCloseTo(1 / 8)
  })
  test('nothing that counts gives 0, not NaN', () => {
    const none = {
      losses,
      mask: [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
    }
    for (const over of ['token', 'sequence', 'constant'] as const)
      expect(value((x) => learn.aggregated(x.losses, x.mask, over, 4), none)).toBe(0)
    expect(value((x) => learn.whitened(x.losses, x.mask), none)).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ])
  })
  test('constant wants its length', () => {
    expect(() => value((x) => learn.aggregated(x.losses, x.mask, 'constant'), { losses, mask })).toThrow(
      /needs `length`/,
    )
  })
  test('a single value becomes 0', () => {
    expect(value((x) => learn.whitened(x.v, x.m), { v: [3, 8], m: [1, 0] })).toEqual([0, 0])
  })
})

describe('shapes', () => {
  test('the error names objective, input and shapes', () => {
    const inputs = { logp: [[-1, -2]], logpOld: [[-1, -2, -3]], advantages: [1], mask: [[1, 1]] }
    expect(() => value((x) => learn.grpoLoss(x), inputs)).toThrow(
      'grpoLoss: T is 3 in logpOld (shape [1,3]), but 2 in logp',
    )
    expect(() =>
      value((x) => learn.grpoLoss(x), { ...inputs, logpOld: [[-1, -2]], advantages: [[1]] }),
    ).toThrow('grpoLoss: advantages has shape [1,1], not [B]')
    expect(() => value((x) => learn.grpoLoss(x, { beta: 0.1 }), { ...inputs, logpOld: [[-1, -2]] })).toThrow(
      /needs `logpRef`/,
    )
  })
})

describe('padding', () => {
  const inputs = {
    logp: [[-1, -2, Number.NaN]],
    logpOld: [[-1.1, -1.8, Number.POSITIVE_INFINITY]],
    logpRef: [[-1.2, -2.2, Number.NaN]],
    mask: [[1, 1, 0]],
  }
  const clean = Object.fromEntries(
    Object.entries(inputs).map(([key, rows]) => [key, rows.map((row) => [...row.slice(0, 2), 0])]),
  )
  test.each<[string, (x: any) => any]>([
    [
      'grpo',
      (x) => learn.grpoLoss({ ...x, advantages: np.array([0.7], { dtype: np.float64 }) }, { beta: 0.1 }).loss,
    ],
    [
      'ppo',
      (x) => {
        x.logpRef.dispose()
        const advantages = np.array([[0.7, -1, Number.NaN]], { dtype: np.float64 })
        return learn.ppoPolicyLoss({ logp: x.logp, logpOld: x.logpOld, advantages, mask: x.mask }).loss
      },
    ],
    [
      'values',
      (x) => {
        x.logpRef.dispose()
        return learn.ppoValueLoss({ values: x.logp, valuesOld: x.logpOld, returns: x.mask.ref, mask: x.mask })
      },
    ],
    ['sequence KL', (x) => np.sum(learn.sequenceKl({ logp: x.logp, logpRef: x.logpRef, mask: x.mask }))],
    ['likelihood', (x) => learn.likelihoodLoss({ logp: x.logp, mask: x.mask })],
  ])('what stands in it never matters: %s', (_, loss) => {
    const [dirty, pure] = [evaluatedGradient(loss, inputs), evaluatedGradient(loss, clean as any)]
    expect(dirty.value).toBeCloseTo(pure.value, 12)
    expect((dirty.gradient as any).logp).toEqual((pure.gradient as any).logp)
    expect((dirty.gradient as any).logp[0][2]).toBe(0)
  })
})

describe('KL to a reference', () => {
  test('as a reward it costs what the policy makes likelier than the reference', () => {
    const rewards = value((x) => learn.klRewards(x), {
      scores: [0],
      logp: [[-1]],
      logpRef: [[-2]],
      mask: [[1]],
    })
    expect(rewards[0][0]).toBeCloseTo(-0.05)
  })
  test('the score stands on the last token that counts, with padding on either side', () => {
    const zero = [0, 0, 0, 0]
    expect(
      value((x) => learn.klRewards(x), {
        scores: [2, 3],
        logp: [zero, zero],
        logpRef: [zero, zero],
        mask: [
          [1, 1, 0, 0],
          [0, 1, 0, 1],
        ],
      }),
    ).toEqual([
      [0, 2, 0, 0],
      [0, 0, 0, 3],
    ])
  })
  test('gradients in the loss: k1 none, k2 that of KL(policy || ref), k3 that of KL(ref || policy)', () => {
    const logits = [0.3, -0.5, 1.1]
    const reference = [-0.2, 0.4, 0.1]
    const normalised = (x: any) => x.ref.sub(np.log(np.sum(np.exp(x))))
    const expectation = (estimator: learn.KlEstimator) => (x: any) => {
      const logp = normalised(x.logits)
      const p = np.array(Array.from(probabilities(logits)), { dtype: np.float64 }) // a constant: sampled
      return np.sum(p.mul(learn.klEstimates({ logp, logpRef: normalised(x.reference) }, { estimator })))
    }
    const divergence = (forward: boolean) => (x: any) => {
      const [a, b] = [normalised(x.logits), normalised(x.reference)]
      const [from, to] = forward ? [b, a] : [a, b]
      return np.sum(np.exp(from.ref).mul(from.sub(to)))
    }
    const inputs = { logits, reference }
    const of = (fn: (x: any) => any) => slopes(fn, inputs).logits
    expect(of(expectation('k1'))).toEqual(near([0, 0, 0]))
    expect(of(expectation('k2'))).toEqual(near(of(divergence(false))))
    expect(of(expectation('k3'))).toEqual(near(of(divergence(true))))
    expect(slopes(expectation('k3'), inputs).reference).toEqual(near([0, 0, 0]))
  })
})

function probabilities(logits: readonly number[]): number[] {
  const total = logits.reduce((sum, x) => sum + Math.exp(x), 0)
  return logits.map((x) => Math.exp(x) / total)
}

describe('generalised advantages', () => {
  test('is the recursion step by step, with ends, cuts, gaps and a bootstrap', () => {
    const rng = new Rng('gae')
    for (let trial = 0; trial < 10; trial++) {
      const T = rng.int(1, 12)
      const row = (fill: () => number) => Array.from({ length: T }, fill)
      const [r, v, cutV] = [row(() => rng.normal()), row(() => rng.normal()), row(() => rng.normal())]
      const mask = row(() => +rng.chance(0.8))
      const done = row(() => +rng.chance(0.2))
      const cut = done.map((end) => +(end === 0 && rng.chance(0.2)))
      const [gamma, lambda, bootstrap] = [0.9, 0.8, rng.normal()]
      let [next, carried] = [bootstrap, 0]
      const wanted = row(() => 0)
      for (let t = T - 1; t >= 0; t--) {
        if (mask[t] === 0) continue
        const after = done[t] ? 0 : cut[t] ? cutV[t]! : next
        wanted[t] = r[t]! + gamma * after - v[t]! + (done[t] || cut[t] ? 0 : gamma * lambda * carried)
        ;[next, carried] = [v[t]!, wanted[t]!]
      }
      const inputs = { rewards: [r], values: [v], done: [done], cut: [cut], cutValues: [cutV], mask: [mask] }
      const result = value((x) => learn.generalisedAdvantages(x, { gamma, lambda }), {
        ...inputs,
        bootstrap: [bootstrap],
      })
      expect(result.advantages[0]).toEqual(near(wanted, 9))
      expect(result.returns[0]).toEqual(
        near(
          wanted.map((a, t) => (mask[t] ? a + v[t]! : 0)),
          9,
        ),
      )
    }
  })
  test('a time limit bootstraps, a termination does not', () => {
    const step = { rewards: [[1]], values: [[0]] }
    const of = (inputs: any) =>
      value((x) => learn.generalisedAdvantages(x), { ...step, ...inputs }).returns[0][0]
    expect(of({ done: [[1]], bootstrap: [5] })).toBe(1)
    expect(of({ done: [[0]], bootstrap: [5] })).toBe(6)
    expect(of({ done: [[0]], cut: [[1]], cutValues: [[4]], bootstrap: [5] })).toBe(5)
    expect(() => of({ done: [[0]], cut: [[1]] })).toThrow(/go together/)
  })
  test('both are constants of the gradient', () => {
    const gradient = slopes((x) => np.sum(learn.generalisedAdvantages(x).returns), {
      rewards: [[1, 2]],
      values: [[0.5, 0.1]],
      done: [[0, 1]],
    })
    expect(gradient.values).toEqual([[0, 0]])
  })
})

describe('PPO and GRPO', () => {
  const one = (logp: number, advantage: number) =>
    slopes((x) => learn.ppoPolicyLoss(x).loss, {
      logp: [[logp]],
      logpOld: [[0]],
      advantages: [[advantage]],
      mask: [[1]],
    })
  test('the first update is the policy gradient', () => {
    expect(one(0, 1.5).logp[0][0]).toBeCloseTo(-1.5)
    expect(one(0, -1.5).logp[0][0]).toBeCloseTo(1.5)
  })
  test('clips upwards when the advantage is positive and downwards when it is negative, and only so', () => {
    expect(one(0.5, 1).logp[0][0]).toBeCloseTo(0)
    expect(one(-0.5, 1).logp[0][0]).toBeCloseTo(-Math.exp(-0.5))
    expect(one(0.5, -1).logp[0][0]).toBeCloseTo(Math.exp(0.5))
    expect(one(-0.5, -1).logp[0][0]).toBeCloseTo(0)
  })
  test('no gradient reaches the old policy, the reference, the advantages and the returns', () => {
    const row = [[-1, -0.5]]
    const grpo = slopes((x) => learn.grpoLoss(x, { beta: 0.1 }).loss, {
      logp: row,
      logpOld: [[-1.1, -0.4]],
      logpRef: [[-1, -0.9]],
      advantages: [0.5],
      mask: [[1, 1]],
    })
    expect([grpo.logpOld, grpo.logpRef, grpo.advantages]).toEqual([[[0, 0]], [[0, 0]], [0]])
    const values = slopes((x) => learn.ppoValueLoss(x), {
      values: row,
      valuesOld: [[0, 0]],
      returns: [[1, 2]],
      mask: [[1, 1]],
    })
    expect([values.valuesOld, values.returns]).toEqual([[[0, 0]], [[0, 0]]])
  })
  test('a group that teaches nothing has advantages 0, never NaN; an unscored response none', () => {
    expect(learn.groupedAdvantages([[1, 1, 1], [0.5], [2, null, 0, 1]])).toEqual([
      [0, 0, 0],
      [0],
      [expect.closeTo(0.9999), null, expect.closeTo(-0.9999), 0],
    ])
    expect(learn.groupedAdvantages([[2, 2]], { scale: 'batch' })).toEqual([[0, 0]])
    expect(learn.groupedAdvantages([[null]])).toEqual([[null]])
    expect(
      [
        [1, 1],
        [1, null],
        [1, 0],
      ].map(learn.isInformative),
    ).toEqual([false, false, true])
  })
  test('scaled by the batch: the deviation of all raw rewards, the mean of the group', () => {
    const deviation = Math.sqrt((1.5 ** 2 + 0.5 ** 2 + 0.5 ** 2 + 1.5 ** 2) / 3) // of 0, 1, 2, 3
    const wanted = 0.5 / (deviation + 1e-4)
    expect(
      learn.groupedAdvantages(
        [
          [0, 1],
          [2, 3],
        ],
        { scale: 'batch' },
      ),
    ).toEqual([near([-wanted, wanted]), near([-wanted, wanted])])
  })
  test('a sequence ratio treats all tokens of a response alike', () => {
    const gradient = slopes((x) => learn.grpoLoss(x, { ratio: 'sequence' }).loss, {
      logp: [[-1, -2, -3]],
      logpOld: [[-1.1, -1.9, -3]],
      advantages: [1],
      mask: [[1, 1, 1]],
    }).logp[0]
    expect(gradient).toEqual(near([gradient[0], gradient[0], gradient[0]]))
  })
})

describe('preferences', () => {
  test('log-probabilities are summed, not averaged: the same tokens twice count twice', () => {
    const sums = (row: number[]) =>
      value((x) => learn.tokenSum(x.logp, x.mask), { logp: [row], mask: [row.map(() => 1)] })[0]
    expect(sums([-1, -2, -1, -2])).toBeCloseTo(2 * sums([-1, -2]))
  })
  test('no gradient reaches the reference', () => {
    const { logpRefChosen, logpRefRejected } = slopes(
      (x) => np.sum(learn.dpoLosses({ margins: learn.preferenceMargins(x).margins })),
      { logpChosen: [-1], logpRejected: [-2], logpRefChosen: [-1.5], logpRefRejected: [-1] },
    )
    expect([logpRefChosen, logpRefRejected]).toEqual([[0], [0]])
  })
  test('DPO starts from a gradient of -beta / 2', () => {
    expect(slopes((x) => np.sum(learn.dpoLosses(x, { beta: 0.3 })), { margins: [0] }).margins[0]).toBeCloseTo(
      -0.15,
    )
  })
  test('IPO draws the margin to 1 / (2 tau), which is not what beta does', () => {
    const tau = 0.2
    const at = (h: number) => slopes((x) => np.sum(learn.ipoLosses(x, { tau })), { margins: [h] }).margins[0]
    expect(at(1 / (2 * tau))).toBeCloseTo(0)
    expect(at(2)).toBeLessThan(0)
    expect(at(3)).toBeGreaterThan(0)
  })
  test('robust DPO is unbiased: over labels flipped with share s it is DPO', () => {
    const s = 0.2
    const robust = (h: number) =>
      value((x) => learn.robustDpoLosses(x, { labelSmoothing: s }), { margins: [h] })[0]
    const dpo = value((x) => learn.dpoLosses(x), { margins: [7] })[0]
    expect((1 - s) * robust(7) + s * robust(-7)).toBeCloseTo(dpo)
    expect(() => value((x) => learn.robustDpoLosses(x, { labelSmoothing: 0.5 }), { margins: [1] })).toThrow(
      /below 0.5/,
    )
  })
  test('metrics show a chosen likelihood that falls', () => {
    const metrics = value((x) => learn.preferenceMetrics(x), {
      logpChosen: [-12, -9],
      logpRejected: [-16, -8],
      logpRefChosen: [-10, -9],
      logpRefRejected: [-10, -9],
    })
    expect(metrics).toEqual({
      accuracy: 0.5,
      rewardChosen: expect.closeTo(-0.1),
      rewardRejected: expect.closeTo(-0.25),
      margin: expect.closeTo(0.15),
      logpChosen: -10.5,
      logpRejected: -12,
    })
  })
  test("KTO's reference point is never below 0 and has no gradient", () => {
    const inputs = { logRatios: [2, 0.1], desirable: [1, 1], mismatchedLogRatios: [0.4, 0.2] }
    expect(slopes((x) => np.sum(learn.ktoLosses(x).losses), inputs).mismatchedLogRatios).toEqual([0, 0])
    const low = { ...inputs, mismatchedLogRatios: [-3, 1] }
    expect(value((x) => learn.ktoLosses(x).referencePoint, low)).toBe(0)
  })
  test('CREAM is cDPO with smoothing 1 - C, even at C 0.5, least at logit(C) / beta', () => {
    const at = (h: number, c: number) =>
      slopes((x) => np.sum(learn.consistencyLosses(x)), { margins: [h], consistency: [c] })
    expect(at(0, 0.5).margins[0]).toBeCloseTo(0)
    expect(at(Math.log(0.8 / 0.2) / 0.1, 0.8).margins[0]).toBeCloseTo(0)
    expect(at(0, 0.4).margins[0]).toBeGreaterThan(0) // turned round
    expect(at(3, 0.8).consistency).toEqual([0])
    const margins = [4, -2]
    expect(value((x) => learn.consistencyLosses(x), { margins, consistency: 0.7 })).toEqual(
      near(value((x) => learn.dpoLosses(x, { labelSmoothing: 0.3 }), { margins })),
    )
  })
  test('ties in a ranking go by place, in ascending order', () => {
    expect(learn.rankingConsistency([1, 1, 1], [1, 2, 3])).toBe(1)
    expect(learn.rankingConsistency([1, 1, 1], [3, 2, 1])).toBe(0)
    expect(learn.rankingConsistency([1], [1])).toBeNull()
  })
  test("SELM pushes the reference's own sample down by alpha beta", () => {
    const gradient = slopes((x) => np.sum(learn.selfExplorationTerms(x, { alpha: 0.5, beta: 0.1 })), {
      logp: [-5],
      logpRef: [-6],
    })
    expect(gradient).toEqual({ logp: near([0.05]), logpRef: [0] })
  })
  test('GAPO: a pair that is not better weighs 0, products are averaged, weights have no gradient', () => {
    const scores = { chosen: [0.4, 0.8], rejected: [0.6, 0.5] }
    expect(value((x) => learn.gapWeights(x), scores)).toEqual(near([0, 0.326888]))
    expect(slopes((x) => np.sum(learn.gapWeights(x)), scores)).toEqual({ chosen: [0, 0], rejected: [0, 0] })
  })
  test('spans: other classes count nowhere, the derivative stays in the span, token ratios are summed', () => {
    const inputs = {
      logp: [[-1, -1, -1, -1]],
      logpRef: [[-2, -2, -2, Number.NaN]],
      spans: [
        [
          [1, 1, 0, 0],
          [0, 0, 1, 0],
        ],
      ],
      labels: [[1, 3]],
    }
    const loss = (x: any) => {
      const { losses, counted } = learn.spanPreferenceLosses(x)
      return learn.meanOf(losses, counted)
    }
    expect(value(loss, inputs)).toBeCloseTo(Math.log(1 + Math.exp(-0.5 * 2)))
    const [first, second, third, fourth] = slopes(loss, inputs).logp[0]
    expect(first).toBeCloseTo(-0.5 / (1 + Math.exp(1)))
    expect([second, third, fourth]).toEqual([first, 0, 0])
  })
})

describe('implicit Q-learning', () => {
  test('targets are constants; a termination has no next value', () => {
    const inputs = { q1: [0], q2: [1], rewards: [2], nextValues: [10], done: [1] }
    expect(value((x) => learn.implicitCriticLosses(x), inputs)).toEqual([5])
    expect(slopes((x) => np.sum(learn.implicitCriticLosses(x)), { ...inputs, done: [0] }).nextValues).toEqual(
      [0],
    )
  })
  test('a value that is too low costs more, and takes the lower critic', () => {
    const at = (v: number) =>
      value((x) => learn.implicitValueLosses(x), { values: [v], targetQ1: [1], targetQ2: [9] })[0]
    expect(at(0)).toBeCloseTo(0.7)
    expect(at(2)).toBeCloseTo(0.3)
  })
  test('weights of advantages neither overflow nor have a gradient', () => {
    const inputs = { logp: [-2], advantages: [1e6] }
    expect(value((x) => learn.weightedRegressionLosses(x), inputs)).toEqual(near([200]))
    expect(slopes((x) => np.sum(learn.weightedRegressionLosses(x)), inputs).advantages).toEqual([0])
  })
})

describe('GFlowNets', () => {
  test('tasks have their own normaliser; a task of one trajectory, or of identical ones, teaches nothing', () => {
    const inputs = {
      logp: [-1, -2, -5],
      logReward: [1, 2, 0],
      tasks: [
        [1, 0],
        [1, 0],
        [0, 1],
      ],
    }
    const { zeta, losses } = value((x) => learn.varianceTrajectoryBalance(x), inputs)
    expect(zeta).toEqual([-2, -4, -5])
    expect(losses).toEqual([1, 1, 0])
    const gradient = slopes((x) => np.sum(learn.varianceTrajectoryBalance(x).losses), inputs)
    expect(gradient.logp[2]).toBe(0)
    expect(gradient.logReward).toEqual([0, 0, 0])
    const same = { logp: [-1, -1], logReward: [2, 2] }
    expect(slopes((x) => np.sum(learn.varianceTrajectoryBalance(x).losses), same).logp).toEqual([0, 0])
  })
  test('sub-trajectory balance holds for sampling in proportion to the reward, and not for another reward', () => {
    // One choice after another: stop with reward 1 or go on; then stop with reward 3. Z = 4.
    const balanced = {
      logp: [[Math.log(0.75)]],
      stopLogp: [[Math.log(0.25), 0]],
      logReward: [[0, Math.log(3)]],
    }
    const loss = (inputs: any) => value((x) => learn.subTrajectoryBalanceLosses(x), inputs)[0]
    expect(loss(balanced)).toBeCloseTo(0)
    // With the paper's typo the reward cancels out and this would be 0 too.
    expect(loss({ ...balanced, logReward: [[0, Math.log(6)]] })).toBeCloseTo(Math.log(2) ** 2)
    expect(() => loss({ ...balanced, logp: [[-1, -1]] })).toThrow(/one prefix more/)
  })
  test('prefixes that are missing count nowhere', () => {
    const short = { logp: [[-0.3]], stopLogp: [[-1, -0.5]], logReward: [[0.2, 1]] }
    const padded = {
      logp: [[-0.3, Number.NaN]],
      stopLogp: [[-1, -0.5, Number.NaN]],
      logReward: [[0.2, 1, 7]],
      mask: [[1, 1, 0]],
    }
    for (const over of ['sum', 'mean'] as const) {
      const loss = (x: any) => learn.subTrajectoryBalanceLosses(x, { over })
      expect(value(loss, padded)[0]).toBeCloseTo(value(loss, short)[0], 9)
    }
    expect(value((x) => learn.detailedBalanceLosses(x), padded)[0][1]).toBe(0)
    const alone = { ...short, mask: [[1, 0]] }
    expect(value((x) => learn.subTrajectoryBalanceLosses(x), alone)).toEqual([0])
  })
})

describe('representations', () => {
  test('the goal contrast has a floor, and the mean is inside of the logarithm', () => {
    const [e, f] = [
      [1, 0],
      [-1, 0],
    ]
    const at = (sources: number[][], goals: number[][], negative: number[][]) =>
      value((x) => learn.goalContrastLoss(x), {
        sources: [sources],
        goals: [goals],
        negativeSources: [[e]],
        negativeGoals: [negative],
      }).loss
    expect(at([e!], [e!], [f!])).toBeCloseTo(0.5 * 0.626523)
    const [high, low] = [1 / (1 + Math.exp(-1)), 1 / (1 + Math.exp(1))]
    expect(at([e!], [e!, f!], [f!])).toBeCloseTo(-0.5 * (Math.log((high + low) / 2) + Math.log(1 - low)))
  })
  test('draws at either end stay inside of the answer', () => {
    const answer = { tokens: 3, length: 3 }
    expect([0, 0.999999].map((u) => learn.contrastPlace(u, answer))).toEqual([-2, -1])
    expect(learn.positivePlaces([[0.9, 0.1]], { tokens: 9, length: 20 })).toEqual({
      sources: [-9],
      goals: [-1],
    })
  })
  test('PAL: nearer is better, h above 0 means the right one; no tokens give loss 0', () => {
    const [h] = value((x) => learn.distanceDifferences(x), {
      left: [[3, 0]],
      right: [[1, 0]],
      ideal: [[0, 0]],
    })
    expect(h).toBeCloseTo(2)
    expect(value((x) => learn.tokenWeighted(x), { losses: [[5, 5]], mask: [[0, 0]] })).toEqual([0])
    const late = { losses: [[9, 1, 2]], mask: [[0, 1, 1]] }
    expect(value((x) => learn.tokenWeighted(x), late)[0]).toBeCloseTo(5 / 3)
  })
  test('PAL: an item at the ideal point has a finite derivative, the scale is at most 100', () => {
    const gradient = slopes((x) => np.sum(learn.distanceDifferences(x)), {
      left: [[1, 1]],
      right: [[2, 1]],
      ideal: [[1, 1]],
    })
    expect(gradient.left).toEqual([[0, 0]])
    const [[top]] = value((x) => learn.angleLogits(x), {
      left: [[1, 0]],
      right: [[0, 1]],
      ideal: [[5, 0]],
      logScale: 9,
    })
    expect(top).toBeCloseTo(100)
  })
  test('PAL: weights that are on the simplex already are taken as they are', () => {
    expect(
      value((x) => learn.idealPoints(x), {
        weights: [[1, 0]],
        prototypes: [
          [2, 3],
          [7, 7],
        ],
      }),
    ).toEqual([[2, 3]])
  })
  test('InfoNCE: lengths do not matter, a duplicate is no negative', () => {
    const inputs = {
      queries: [
        [1, 0],
        [0, 2],
      ],
      keys: [
        [3, 0],
        [1, 1],
      ],
    }
    const losses = (given: any) => value((x) => learn.infoNceLosses(x, { temperature: 1 }), given)
    expect(
      losses({
        ...inputs,
        queries: [
          [9, 0],
          [0, 0.1],
        ],
      }),
    ).toEqual(near(losses(inputs)))
    const masked = losses({
      ...inputs,
      alsoRight: [
        [1, 1],
        [0, 0],
      ],
    })
    expect(masked).toEqual(near([0, losses(inputs)[1]]))
    expect(() => losses({ ...inputs, keys: [[1, 0]] })).toThrow(/every query has a key/)
  })
})

describe('what stays constant has no derivative', () => {
  const [a, b, c, d] = [[0.3], [0.7], [-0.2], [1.1]]
  const cases: Record<string, [(x: any) => any, Record<string, unknown>, readonly string[]]> = {
    'span preference': [
      (x) => learn.spanPreferenceLosses(x).losses,
      { logp: [a], logpRef: [b], spans: [[[1]]], labels: [[1]] },
      ['logpRef'],
    ],
    'diffusion DPO': [
      (x) => learn.diffusionDpoLosses(x, { beta: 1 }),
      { errorChosen: a, errorRejected: b, errorRefChosen: c, errorRefRejected: d },
      ['errorRefChosen', 'errorRefRejected'],
    ],
    'implicit value': [
      (x) => learn.implicitValueLosses(x),
      { values: a, targetQ1: b, targetQ2: d },
      ['targetQ1', 'targetQ2'],
    ],
    'sub-trajectory balance': [
      (x) => learn.subTrajectoryBalanceLosses(x),
      { logp: [a], stopLogp: [[0.1, 0.5]], logReward: [[1, 2]] },
      ['logReward'],
    ],
    'KL rewards': [
      (x) => learn.klRewards(x),
      { scores: a, logp: [b], logpRef: [c], mask: [[1]] },
      ['scores', 'logp', 'logpRef'],
    ],
  }
  test.each(Object.entries(cases))('%s', (_, [fn, inputs, constant]) => {
    const gradient = slopes((x) => np.sum(fn(x)), inputs)
    for (const key of constant)
      expect(
        gradient[key].flat(3).every((slope: number) => slope === 0),
        key,
      ).toBe(true)
  })
})

describe('mixed advantages', () => {
  const inputs = {
    objective: [1, 1],
    components: [
      [1, 2],
      [3, 4],
    ],
  }
  const mixed = (multipliers: number[], form: 'bounded' | 'plain' = 'bounded') =>
    value((x) => learn.mixedAdvantages(x, { form }), { ...inputs, multipliers })
  test('weights sum to the number of constraints, unless plain; below 0 a component is lowered', () => {
    expect(mixed([0, 0])).toEqual(near([2, 2]))
    expect(mixed([0.5, 0.25])).toEqual(near([1.25 + 1, 1.25 + 2.5]))
    expect(mixed([-0.5, 0])).toEqual(near([2.5 - 0.5, 2.5 - 1.5]))
    expect(mixed([0.5, 0.25], 'plain')).toEqual(near([1 + 1, 1 + 2.5]))
  })
  test('no gradient reaches the multipliers, which have a step of their own', () => {
    const gradient = slopes((x) => np.sum(learn.mixedAdvantages(x)), { ...inputs, multipliers: [0.5, 0.5] })
    expect(gradient.multipliers).toEqual([0, 0])
    expect(() => mixed([1])).toThrow(/components have shape \[2,2\]/)
  })
})
