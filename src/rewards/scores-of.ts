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
 * wrong count or a value that is no number becomes unscored, so that whoever builds on the reward sees scores only.
 */
export async function scoresOf(
  reward: Reward,
  samples: readonly Sample[],
  context: ScoreContext = {},
): Promise<readonly Score[]> {
  const failed = (reason: string) => unscored('crashed', `the reward "${reward.name}" failed: ${reason}`)
  try {
    const scores = await reward.score(samples, context)
    if (scores.length !== samples.length) {
      const failure = failed(`it returned ${scores.length} scores for ${samples.length} samples`)
      return samples.map(() => failure)
    }
    if (scores.every(({ value }) => value === null || Number.isFinite(value))) return scores
    return scores.map((score) =>
      score.value === null || Number.isFinite(score.value) ? score : failed(`it returned ${score.value}`),
    )
  } catch (error) {
    const failure = failed(messageOf(error))
    return samples.map(() => failure)
  }
}
