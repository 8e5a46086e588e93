import { z } from 'zod'
import type { Comparator, Reward, Sample, Variant } from '../core/index.ts'
import type { ChoiceModel } from '../models/token-model.ts'
import { opponents, rewardAgainst } from '../rewards/judge/against.ts'
import { byProbability } from '../rewards/judge/asking.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pairJudge } from '../rewards/judge/pair-judge.ts'
import { pointJudge } from '../rewards/judge/point-judge.ts'
import { judgeModel, probabilitySettings, showing } from '../rewards/judge/settings.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { standardDeviation } from '../stats/moments.ts'
import { defineMethod } from './method.ts'

const criteria =
  'the prompt is followed (objects, attributes, counts, relations), the composition and light are good, and nothing is distorted'

const secondIsBetter: JudgePrompt = {
  version: '1',
  system: 'You compare generated images and videos. You decide first and explain afterwards.',
  user: `Prompt:
{prompt}
{first|sample 1}
{second|sample 2}
Criteria: ${criteria}.
{principle}
Is sample 2 better than sample 1? Begin with yes or no, then give your reasons.`,
}

const isExcellent: JudgePrompt = {
  version: '1',
  system: 'You judge generated images and videos. You decide first and explain afterwards.',
  user: `Prompt:
{prompt}
{output|sample}
Criteria: ${criteria}.
{principle}
Does the sample meet a high standard? Begin with yes or no, then give your reasons.`,
}

const options = z.strictObject({
  ...probabilitySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'paper (no code was released): the opponent first, the sample second, once, and yes among all words; guarded: both orders, yes against no, coded fences.',
    ),
  form: z
    .enum(['pair', 'point'])
    .default('pair')
    .describe('pair: is it better than another; point: does it meet a high standard by itself'),
  against: z
    .enum(opponents)
    .default('reference')
    .describe(
      'pair: the output in the reference, or the other outputs of the prompt, or three of those (anchors)',
    ),
})

function asking(settings: z.output<typeof options>, given: ChoiceModel | undefined) {
  const { variant, normalise = variant === 'guarded' ? 'two-way' : 'full' } = settings
  return byProbability(judgeModel('rewarddance', settings, given), { normalise })
}

/**
 * The probability that a model says yes to "is sample 2 better than sample 1?": the candidate is the *second* (OneReward
 * asks about the first). A reference that is too weak drives it to 1, one that is too strong to 0: look at its mean before
 * training.
 *
 * @source RewardDance, arXiv 2509.08826 (Eq. 2; the words are not published)
 */
export function rewardDanceJudge(settings: z.input<typeof options> = {}, given?: ChoiceModel): Comparator {
  const all = options.parse(settings)
  return pairJudge({
    name: 'rewarddance',
    prompt: secondIsBetter,
    ask: asking(all, given),
    candidateSlot: 'second',
    order: all.variant === 'guarded' ? 'both' : 'swapped',
    ...showing(all.variant, all),
  })
}

function rewardDanceReward(settings: z.output<typeof options>, given?: ChoiceModel): Reward {
  const { variant, form, against } = settings
  if (form === 'pair')
    return rewardAgainst(rewardDanceJudge(settings, given), { against, needs: ['logprobs'] })
  return pointJudge({
    name: 'rewarddance',
    prompt: isExcellent,
    ask: asking(settings, given),
    needs: ['logprobs'],
    ...showing(variant, settings),
  })
}

/**
 * Wins of each candidate: `preferred[i][j]` is P(yes | i first, j second), and j wins where it is above 0.5. The diagonal
 * and what could not be judged (null) count for nobody.
 */
export function winCounts(preferred: readonly (readonly (number | null)[])[]): number[] {
  return preferred.map((_, j) => preferred.filter((row, i) => i !== j && (row[j] ?? 0) > 0.5).length)
}

/**
 * Indices of the `top` candidates by wins, most wins first, lower indices first among equals. The paper takes its
 * reference from the top 2 of 16; how one of the two is drawn is not stated (unverified): take the first, or draw and
 * log it.
 */
export function referenceCandidates(
  preferred: readonly (readonly (number | null)[])[],
  top = 1,
): readonly number[] {
  const wins = winCounts(preferred)
  return [...wins.keys()].sort((i, j) => wins[j]! - wins[i]! || i - j).slice(0, top)
}

/** Good-same-bad: (good - bad) / all; null without any. */
export function goodSameBad({ good, same, bad }: { good: number; same: number; bad: number }): number | null {
  const all = good + same + bad
  return all === 0 ? null : (good - bad) / all
}

/**
 * Population standard deviation of the raw rewards in a sliding window of training steps. A late fall towards 0 reads as
 * exploration lost or the reward being gamed; it also shrinks when the policy is simply done, so it is a monitor and no
 * evidence.
 */
export function rewardSpread({
  window = 1000,
}: {
  /** [steps] @default 1000 */ readonly window?: number
} = {}): {
  /** Takes the mean reward of one more step and gives the spread so far; null before the second. */
  add(reward: number): number | null
} {
  const recent: number[] = []
  return {
    add(reward) {
      recent.push(reward)
      if (recent.length > window) recent.shift()
      return recent.length < 2 ? null : standardDeviation(recent, { ddof: 0 })
    },
  }
}

const sample: Sample = {
  id: 'rewarddance',
  prompt: 'a red circle beside a blue square',
  output: 'a picture of a red circle beside a blue square',
  reference: 'a picture of a red circle',
  meta: {},
}
const say = (reply: string, variant: Variant = 'guarded') => ({ model: `constant:${reply}`, variant })

export const rewardDance = defineRewardType({
  name: 'rewarddance',
  summary: 'How likely an image or video beats a reference for its prompt, or meets a high standard.',
  source: 'RewardDance, arXiv 2509.08826',
  options,
  create: rewardDanceReward,
  prompts: { pair: secondIsBetter, point: isExcellent },
  examples: [
    { sample, options: say('yes'), value: 0.5 },
    { sample, options: say('yes', 'paper'), value: 1 },
    { sample, options: { ...say('no', 'paper'), form: 'point' }, value: 0 },
    { sample: { ...sample, reference: 7 }, options: say('yes'), value: null },
  ],
})

export const rewardDanceMethod = defineMethod({ id: 'rewarddance', rewards: [rewardDance] })
