import {
  GuerdonError,
  isObject,
  type Json,
  messageOf,
  type Reward,
  type Sample,
  type Score,
  type ScoreContext,
  unscored,
} from '../core/index.ts'

/**
 * A reward that can be made again in another thread: an expression for the run's `resolver` (such as
 * `"0.7*math + 0.3*format"`), or a module that exports it.
 */
export type RewardReference =
  | string
  | {
      /** URL of a module. */
      readonly module: string
      /** A `Reward`, or a function that returns one. @default 'default' */
      readonly export?: string
      /** Argument of that function. */
      readonly options?: Json
    }

export function isReference(reward: Reward | RewardReference): reward is RewardReference {
  return typeof reward === 'string' || !('score' in reward)
}

/**
 * The reward that `reference` stands for.
 *
 * @param resolver URL of a module whose export `resolveReward(expression)` returns the reward of an expression
 */
export async function resolveReference(
  name: string,
  reference: RewardReference,
  resolver: string | undefined,
): Promise<Reward> {
  const place = { reward: name }
  if (typeof reference === 'string' && resolver === undefined)
    throw new GuerdonError('bad-option', `"${reference}" needs a resolver.`, {
      place,
      fix: 'Pass a Reward, or the URL of a module that exports resolveReward.',
    })
  const [module, exported, argument] =
    typeof reference === 'string'
      ? [resolver!, 'resolveReward', reference]
      : [reference.module, reference.export ?? 'default', reference.options ?? {}]
  const found: unknown = (await import(module))[exported]
  const reward: unknown = typeof found === 'function' ? await found(argument) : found
  if (!isObject(reward) || typeof reward.score !== 'function')
    throw new GuerdonError('bad-option', `the export "${exported}" of ${module} is no reward.`, { place })
  return reward as unknown as Reward
}

/**
 * The reward's scores, whatever the reward does: a throw, a wrong number of scores, NaN or a value out of range
 * becomes `crashed`. (Rewards made by `defineReward` keep that promise themselves; any object may be a reward.)
 */
export async function guardedScores(
  reward: Reward,
  samples: readonly Sample[],
  context: ScoreContext,
): Promise<readonly Score[]> {
  let scores: readonly Score[]
  try {
    scores = await reward.score(samples, context)
    if (scores?.length !== samples.length)
      throw new Error(`it returned ${scores?.length} scores for ${samples.length} samples`)
  } catch (error) {
    const failure = unscored('crashed', `the reward failed: ${messageOf(error)}`)
    return samples.map(() => failure)
  }
  const [low, high] = reward.range
  const sound = (score: Score) =>
    score?.value === null
      ? typeof score.code === 'string'
      : Number.isFinite(score?.value) && score.value >= low && score.value <= high
  if (scores.every(sound)) return scores
  return scores.map((score) =>
    sound(score)
      ? score
      : unscored(
          'crashed',
          `the reward returned ${score?.value}, which is not a number in [${low}, ${high}]`,
        ),
  )
}
