import {
  messageOf,
  type Reward,
  type Sample,
  type Score,
  type ScoreContext,
  unscored,
} from '../core/index.ts'

/**
 * The scores of a reward that may not keep the contract (written by hand, without `defineReward`): a rejection, a
 * wrong count, a value that is no number of the reward's range or null without a code becomes unscored (`crashed`),
 * so that whoever builds on the reward sees scores only.
 */
export async function scoresOf(
  reward: Reward,
  samples: readonly Sample[],
  context: ScoreContext = {},
): Promise<readonly Score[]> {
  const failed = (reason: string) => unscored('crashed', `the reward "${reward.name}" failed: ${reason}`)
  const [low, high] = reward.range
  const sound = (score: Score | undefined) =>
    score?.value === null
      ? typeof score.code === 'string'
      : Number.isFinite(score?.value) && score!.value >= low && score!.value <= high
  try {
    const scores = await reward.score(samples, context)
    if (scores?.length !== samples.length)
      throw new Error(`it returned ${scores?.length ?? 'no'} scores for ${samples.length} samples`)
    if (scores.every(sound)) return scores
    return scores.map((score) =>
      sound(score)
        ? score
        : failed(
            `it returned ${score?.value}, which is not a number in [${low}, ${high}] or null with a code`,
          ),
    )
  } catch (error) {
    const failure = failed(messageOf(error))
    return samples.map(() => failure)
  }
}
