import {
  defineGroupReward,
  type Json,
  type Range,
  type Reward,
  rewardIdentity,
  type Score,
  type ScoreContext,
  unscored,
} from '../../core/index.ts'
import { type GroupAdvantageOptions, groupAdvantages } from '../../stats/group-advantage.ts'
import { logSigmoid } from '../../stats/logistic.ts'
import { scoresOf } from '../scores-of.ts'
import { hull, mapRange } from './interval.ts'
import type { ReferenceProvider } from './reference.ts'
import { isSchedule, type Schedule } from './schedule.ts'
import { clip, rescale, squash, type Threshold } from './threshold.ts'

/** A change of one value, the same for every sample. */
export interface Transform {
  readonly name: string
  readonly params?: Json
  /** True for one that follows a schedule. @default false */
  readonly needsStep?: boolean
  apply(value: number, step: number): number
  range(range: Range): Range
}

export interface RewardTransformOptions {
  /** Subtracted per prompt before anything else. */
  readonly reference?: ReferenceProvider
  /** Applied in turn. @default [] */
  readonly transforms?: readonly Transform[]
}

/**
 * A reward whose values are centred by a per-prompt reference and then transformed. Parts keep what they were made
 * from: `raw`, and `reference` if there is one, beside the reward's own.
 *
 * @example
 * rewardTransform(helpful, { reference: quantileReference({ meta: 'baseRewards' }), transforms: [toLogSigmoid()] })
 */
export function rewardTransform(
  reward: Reward,
  { reference, transforms = [] }: RewardTransformOptions,
): Reward {
  const needsStep = transforms.some((transform) => transform.needsStep)
  const needs = new Set([
    ...reward.needs,
    ...(reference?.needs ?? []),
    ...(needsStep ? ['step' as const] : []),
  ])
  const centred: Range = reference ? [-Infinity, Infinity] : reward.range
  const transformed = (score: Score, centre: Score | undefined, step: number | undefined): Score => {
    if (score.value === null) return score
    const parts = { ...score.parts, raw: score.value, ...(centre ? { reference: centre.value } : {}) }
    const { uncertainty: _, ...kept } = score // in the units of the raw value
    if (centre?.value === null) return unscored(centre.code, centre.reason, { ...kept, parts })
    if (needsStep && step === undefined)
      return unscored('bad-input', 'a transform follows a schedule and the training step is unknown', {
        ...kept,
        parts,
      })
    let value = score.value - (centre?.value ?? 0)
    for (const transform of transforms) value = transform.apply(value, step ?? 0)
    if (!Number.isFinite(value))
      return unscored('not-applicable', `the transform of ${score.value} is ${value}`, { ...kept, parts })
    return { ...kept, value, parts }
  }
  return {
    name: [...(reference ? ['centred'] : []), ...transforms.map(({ name }) => name)].reduce(
      (inner, name) => `${name}(${inner})`,
      reward.name,
    ),
    version: reward.version,
    range: transforms.reduce((range, transform) => transform.range(range), centred),
    needs: [...needs],
    params: {
      reward: rewardIdentity(reward),
      ...(reference ? { reference: reference.params } : {}),
      transforms: transforms.map(({ name, params = {} }) => ({ name, params })),
    },
    score: async (samples, context: ScoreContext = {}) => {
      const [scores, references] = await Promise.all([
        scoresOf(reward, samples, context),
        reference?.references(reward, samples, context),
      ])
      return scores.map((score, index) => transformed(score, references?.[index], context.step))
    },
  }
}

/** `log sigmoid(value)`; of a centred Bradley-Terry reward the log-probability of beating the reference. */
export function toLogSigmoid(): Transform {
  return { name: 'logSigmoid', apply: logSigmoid, range: (range) => mapRange(range, logSigmoid) }
}

/** `log(epsilon + p)`, for rewards that are probabilities or 0 and 1 already; epsilon 0 leaves p = 0 unscored. */
export function toLogProbability(epsilon: number): Transform {
  const apply = (p: number) => Math.log(epsilon + p)
  return { name: 'logProbability', params: { epsilon }, apply, range: (range) => mapRange(range, apply) }
}

/** `(value - mean) / standardDeviation` with moments measured beforehand, so that no score depends on its batch. */
export function standardise(mean: number, standardDeviation: number): Transform {
  if (!(standardDeviation > 0))
    throw new RangeError(`a standard deviation of ${standardDeviation} is not above 0`)
  const apply = (value: number) => (value - mean) / standardDeviation
  return {
    name: 'standardised',
    params: { mean, standardDeviation },
    apply,
    range: (range) => mapRange(range, apply),
  }
}

/** Values limited to [low, high]. */
export function clipTo(low: number, high: number): Transform {
  const apply = (value: number) => clip(value, low, high)
  return { name: 'clipped', params: { low, high }, apply, range: (range) => mapRange(range, apply) }
}

/** [low, high] mapped to [0, 1], clipped. */
export function rescaleFrom(threshold: Threshold): Transform {
  const apply = (value: number) => rescale(value, threshold)
  return {
    name: 'rescaled',
    params: { threshold: [...threshold] },
    apply,
    range: (range) => mapRange(range, apply),
  }
}

/** 0 below, 1 above, itself between (see `squash`); the threshold may rise during training. */
export function squashAt(threshold: Threshold | Schedule<Threshold>): Transform {
  const scheduled = isSchedule<Threshold>(threshold) ? threshold : undefined
  const at = (step: number) => (scheduled ? scheduled(step) : (threshold as Threshold))
  return {
    name: 'squashed',
    params: { threshold: scheduled ? scheduled.params : [...(threshold as Threshold)] },
    needsStep: scheduled !== undefined,
    apply: (value, step) => squash(value, at(step)),
    // A squashed value is 0, 1 or lies between the bounds, and need not rise with the value.
    range: (range) =>
      hull([
        [0, 1],
        [
          Math.max(range[0], Math.min(...(scheduled?.extremes ?? [at(0)]).map(([low]) => low))),
          Math.min(range[1], Math.max(...(scheduled?.extremes ?? [at(0)]).map(([, high]) => high))),
        ],
      ]),
  }
}

/** `min(value, threshold)`: no more is gained beyond it (PPO-SAT of arXiv 2310.04373, whose exact form is unverified). */
export function saturateAt(threshold: number): Transform {
  const apply = (value: number) => Math.min(value, threshold)
  return { name: 'saturated', params: { threshold }, apply, range: (range) => mapRange(range, apply) }
}

/** `-(value - target)^2`: the target reward of arXiv 2310.04373's released code. */
export function distanceFrom(target: number): Transform {
  const apply = (value: number) => 0 - (value - target) ** 2
  return {
    name: 'distance',
    params: { target },
    apply,
    range: ([low, high]) => {
      const ends = [apply(low), apply(high)]
      return [Math.min(...ends), low <= target && target <= high ? 0 : Math.max(...ends)]
    },
  }
}

/**
 * Values standardised among the scored samples of their group, as group-relative training does; `parts.raw` keeps
 * the value. Where all are equal it is 0. It undoes centring by a reference and rescales what `logSigmoid` saturates.
 */
export function standardisedInGroup(reward: Reward, options: GroupAdvantageOptions = {}): Reward {
  return defineGroupReward({
    name: `standardised-in-group(${reward.name})`,
    version: reward.version,
    range: [-Infinity, Infinity],
    needs: reward.needs,
    params: { reward: rewardIdentity(reward), ...options },
    judgeGroup: async (group, context) => {
      const scores = await scoresOf(reward, group, context)
      const advantages = groupAdvantages(
        scores.map(({ value }) => value),
        options,
      )
      return scores.map((score, index) => {
        const value = advantages[index]!
        if (score.value === null) return score
        const { uncertainty: _, ...kept } = score
        const parts = { ...score.parts, raw: score.value }
        if (value === null)
          return unscored('not-applicable', 'fewer than two samples of the group are scored', {
            ...kept,
            parts,
          })
        return { ...kept, value, parts }
      })
    },
  })
}
