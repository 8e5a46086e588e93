import { numpy as np } from '@jax-js/jax'
import { testVectors } from '../../../tests/vectors.ts'
import { acceptance } from '../../apply/select.ts'
import { type MultiplierState, multiplierOf, multiplierStep } from '../../rewards/combine/lagrangian.ts'
import { bestOfKDivergence, expectedBestOfK, nelderMead } from '../../stats/index.ts'
import { evaluated } from '../../tensor/evaluated.ts'
import { likelihoodLoss, meanOf, tokenSum, whitened } from '../index.ts'
import { solutionDiversity } from '../trainers/episodes.ts'
import { consistencyLosses, consistencyOfRegularisation, rankingConsistency } from './consistency.ts'
import { diffusionDpoLosses } from './diffusion-dpo.ts'
import { dpoLosses, hingeDpoLosses, ipoLosses, preferenceMargins, robustDpoLosses } from './dpo.ts'
import { gapWeights } from './gap-weights.ts'
import { generalisedAdvantages } from './generalised-advantages.ts'
import {
  detailedBalanceLosses,
  forwardLogp,
  subTrajectoryBalanceLosses,
  varianceTrajectoryBalance,
} from './gflownet.ts'
import { contrastPlace, goalContrastLoss, positivePlaces, statesAt } from './goal-contrast.ts'
import { groupedAdvantages } from './grouped-advantages.ts'
import { grpoLoss } from './grpo.ts'
import {
  angleLogits,
  distanceDifferences,
  idealPoints,
  mixtureWeights,
  tokenWeighted,
} from './ideal-points.ts'
import { advantageWeights, expectileLosses } from './implicit-q-learning.ts'
import { infoNceLosses, symmetricInfoNceLosses } from './info-nce.ts'
import { ktoLosses } from './kto.ts'
import { mixedAdvantages } from './mixed-advantages.ts'
import { ppoPolicyLoss, ppoValueLoss } from './ppo.ts'
import { choiceLosses, hingeLosses, smoothHingeLosses } from './preference-losses.ts'
import { klEstimates, klRewards } from './reference-kl.ts'
import { selfExplorationTerms } from './self-exploration.ts'
import { spanPreferenceLosses } from './span-preference.ts'

const responses = {
  logp: [
    [-0.9, -1.1, -0.2, 0],
    [-1.5, -0.7, 0, 0],
    [-0.3, -0.4, -0.5, -0.6],
  ],
  logpOld: [
    [-1, -1, -0.6, 0],
    [-1, -0.8, 0, 0],
    [-0.5, -0.4, -0.3, -0.6],
  ],
  logpRef: [
    [-1.1, -1, -0.5, 0],
    [-1.2, -0.9, 0, 0],
    [-0.4, -0.6, -0.3, -0.5],
  ],
  mask: [
    [1, 1, 1, 0],
    [1, 1, 0, 0],
    [1, 1, 1, 1],
  ],
}

testVectors('policy-objectives', {
  kl: (input) =>
    Object.fromEntries(
      (['k1', 'k2', 'k3'] as const).map((estimator) => [
        estimator,
        evaluated((x: any) => klEstimates(x, { estimator }), input),
      ]),
    ),
  reward_with_kl: ({ estimator, ...input }) => evaluated((x: any) => klRewards(x, { estimator }), input),
  gae: ({ options, ...input }) => evaluated((x: any) => generalisedAdvantages(x, options), input),
  whiten: (input) => evaluated((x: any) => whitened(x.values, x.mask), input),
  ppo: (input) => evaluated((x: any) => ppoPolicyLoss(x), input),
  value_clip: (input) => evaluated((x: any) => ppoValueLoss(x), input),
  group_advantage: ({ rewards, options }) => groupedAdvantages([rewards], options)[0],
  grpo: ({ options, scale }) => {
    const advantages = groupedAdvantages([[1, 0, 0.25]], { scale })[0] as number[]
    return evaluated((x: any) => grpoLoss(x, options).loss, { ...responses, advantages })
  },
  dpo_family: ({ beta, smoothing: labelSmoothing, lengthChosen, lengthRejected, ...sums }) => {
    const { margins } = evaluated((x: any) => preferenceMargins(x), sums)
    const perToken = evaluated((x: any) => preferenceMargins(x), { ...sums, lengthChosen, lengthRejected })
    return {
      dpo: evaluated((x: any) => dpoLosses(x, { beta }), { margins }),
      cdpo: evaluated((x: any) => dpoLosses(x, { beta, labelSmoothing }), { margins }),
      robust: evaluated((x: any) => robustDpoLosses(x, { beta, labelSmoothing }), { margins }),
      hinge: evaluated((x: any) => hingeDpoLosses(x, { beta }), { margins }),
      ipo_sum: evaluated((x: any) => ipoLosses(x, { tau: beta }), { margins }),
      ipo_norm: evaluated((x: any) => ipoLosses(x, { tau: beta }), { margins: perToken.margins }),
    }
  },
  kto: ({ options, ...input }) =>
    evaluated((x: any) => {
      const { losses, referencePoint } = ktoLosses(x, options)
      return { z0: referencePoint, mean: meanOf(losses.ref), losses }
    }, input),
  expectile: (differences) => evaluated((x: any) => expectileLosses(x), { differences }),
  awr_weight: (advantages) => evaluated((x: any) => advantageWeights(x), { advantages }),
  expected_best_of_k: ({ scores, k }) => k.map((size: number) => expectedBestOfK(scores, size)),
  best_of_n_divergence: (sizes: number[]) => sizes.map(bestOfKDivergence),
  rso_acceptance: ({ beta, highest, scores }) =>
    scores.map((score: number) => acceptance(score, highest, beta)),
})

const logs = (values: number[]) => values.map(Math.log)
const prefixes = ({ rewards, policy, stop }: Record<string, number[]>) => ({
  logp: [logs(policy!)],
  stopLogp: [logs(stop!)],
  logReward: [logs(rewards!)],
})

testVectors('gflowvlm', {
  div_at_n: (solutions) => solutionDiversity(solutions),
  forward_log_prob: (input) => evaluated((x: any) => forwardLogp(x), input),
  subtb: (input, { variant }) =>
    evaluated((x: any) => subTrajectoryBalanceLosses(x, { over: variant as 'sum' }), prefixes(input)),
  db: (input) => evaluated((x: any) => detailedBalanceLosses(x), prefixes(input)),
  var_tb: (trajectories: [number[], number][]) =>
    evaluated(
      (x: any) => {
        const { losses, zeta } = varianceTrajectoryBalance(x)
        return { zeta, loss: meanOf(losses) }
      },
      {
        logp: trajectories.map(([steps]) => logs(steps).reduce((a, b) => a + b)),
        logReward: trajectories.map(([, reward]) => Math.log(reward)),
      },
    ),
})

testVectors('anime-reward-gapo', {
  gapo: ({ chosen, rejected, ...errors }) =>
    evaluated(
      ({ scores, errors }: any) => {
        const dpo = diffusionDpoLosses(errors)
        const weights = gapWeights(scores)
        return { dpo: dpo.ref, weights: weights.ref, loss: meanOf(weights.mul(dpo)) }
      },
      {
        errors,
        scores: {
          chosen: chosen.map((score: number) => score / 100),
          rejected: rejected.map((score: number) => score / 100),
        },
      },
    ),
  gap_weights: (input) => evaluated((x: any) => gapWeights(x), input),
})

testVectors('selm', {
  optimistic_dpo_loss: ({ beta, alpha, logp, logpRef, ...pairs }) =>
    evaluated(
      ({ pairs, exploration }: any) => {
        const { margins, ratiosChosen, ratiosRejected } = preferenceMargins(pairs)
        const losses = dpoLosses({ margins }, { beta }).add(
          selfExplorationTerms(exploration, { beta, alpha }),
        )
        return { losses, chosen: ratiosChosen.mul(beta), rejected: ratiosRejected.mul(beta) }
      },
      { pairs, exploration: { logp, logpRef } },
    ),
})

testVectors('cream', {
  consistency: ([current, previous]) => rankingConsistency(current, previous),
  loss: (input) => evaluated((x: any) => consistencyLosses(x), input),
  loss_mean: (input) => evaluated((x: any) => meanOf(consistencyLosses(x)), input),
  consistency_of_regularisation: (lambdas: number[]) => lambdas.map(consistencyOfRegularisation),
})

testVectors('mhaldetect-fdpo', {
  fdpo: (input) =>
    evaluated((x: any) => {
      const { losses, counted } = spanPreferenceLosses(x)
      return { losses: losses.ref, counted: counted.ref, mean: meanOf(losses, counted) }
    }, input),
})

const answer = { tokens: 3, length: 5 }

testVectors('goal-conditioned-rm', {
  places: ({ draws, negativeSources, negativeGoals }) => ({
    ...positivePlaces(draws, answer),
    negativeSources: negativeSources.map((u: number) => contrastPlace(u, answer)),
    negativeGoals: negativeGoals.map((u: number) => contrastPlace(u, answer)),
  }),
  contrast: ({ chosen, rejected, ...places }) => {
    const contrast = (averagedGoals: boolean) =>
      evaluated(
        (x: any) =>
          goalContrastLoss(
            {
              sources: statesAt(x.chosen.ref, x.sources),
              goals: statesAt(x.chosen.ref, x.goals),
              negativeSources: statesAt(x.chosen, x.negativeSources),
              negativeGoals: statesAt(x.rejected, x.negativeGoals),
            },
            { averagedGoals },
          ),
        {
          chosen: [chosen],
          rejected: [rejected],
          ...Object.fromEntries(
            Object.entries(places).map(([key, ends]) => [key, [(ends as number[]).map((end) => 5 + end)]]),
          ),
        },
      )
    return { ...contrast(false), averaged: contrast(true).loss }
  },
})

const weightings = ['mean', 'cumulative', 'last'] as const

testVectors('pal', {
  dist: (input) =>
    evaluated(({ left, right, prototypes, rawWeights }: any) => {
      const weights = mixtureWeights({ rawWeights })
      const ideal = idealPoints({ weights: weights.ref, prototypes })
      return { weights, ideal: ideal.ref, differences: distanceDifferences({ left, right, ideal }) }
    }, input),
  angle: (input) =>
    evaluated(
      ({ left, right, prototypes, rawWeights, logScale }: any) => {
        const ideal = idealPoints({ weights: mixtureWeights({ rawWeights }), prototypes })
        return angleLogits({ left, right, ideal, logScale })
      },
      { ...input, logScale: Math.log(1 / 0.07) },
    ),
  hinge: (input) =>
    evaluated(({ differences, mask }: any) => {
      const losses = hingeLosses({ differences })
      return Object.fromEntries(
        weightings.map((over) => [over, tokenWeighted({ losses: losses.ref, mask: mask.ref }, { over })]),
      )
    }, input),
  cross_entropy: (input) =>
    evaluated(({ scores, best, mask }: any) => {
      const losses = choiceLosses({ scores, best })
      return Object.fromEntries(
        weightings.map((over) => [over, tokenWeighted({ losses: losses.ref, mask: mask.ref }, { over })]),
      )
    }, input),
  smooth_hinge: (differences) => evaluated((x: any) => smoothHingeLosses(x), { differences }),
})

testVectors('vladva', {
  contrastive: (input) => {
    const options = { temperature: 0.1 }
    return {
      forward: evaluated((x: any) => meanOf(infoNceLosses(x, options)), input),
      back: evaluated((x: any) => meanOf(infoNceLosses(x, options)), {
        queries: input.keys,
        keys: input.queries,
      }),
      both: evaluated((x: any) => meanOf(symmetricInfoNceLosses(x, options)), input),
    }
  },
  autoregressive: (probabilities: number[]) => {
    const input = { logp: [logs(probabilities)], mask: [probabilities.map(() => 1)] }
    return {
      sum: evaluated((x: any) => np.negative(np.sum(tokenSum(x.logp, x.mask))), input),
      mean: evaluated((x: any) => likelihoodLoss(x), input),
    }
  },
})

testVectors('constrained-rlhf', {
  mixed: ({ m, squash, ...advantages }) => {
    const multipliers = m.map((each: number) => multiplierOf(each, squash))
    return {
      multipliers,
      advantages: evaluated((x: any) => mixedAdvantages(x), { ...advantages, multipliers }),
    }
  },
  multiplier_steps: ({ m, gaps, steps, squash }) => {
    const path: MultiplierState[] = []
    for (let step = 0; step < steps; step++)
      path.push(multiplierStep(path.at(-1) ?? { parameters: m }, gaps, { squash }))
    return {
      m: path.map(({ parameters }) => parameters),
      multipliers: path.at(-1)!.parameters.map((each) => multiplierOf(each, squash)),
    }
  },
  nelder_mead: async ({ simplex, steps: maxSteps }) => {
    const bowl = ([x, y]: readonly number[]) => (x! - 0.44) ** 2 + 2 * (y! - 0.24) ** 2
    const found = await nelderMead(bowl, simplex, { maxSteps, spread: 0 })
    return { steps: found.steps, simplex: found.simplex.map(({ point }) => point) }
  },
})
