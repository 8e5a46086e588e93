import type { Reward, Sample, Score } from '../../core/index.ts'

export interface ScoreRequest {
  /** Aborted when nobody waits any more; passed down to the reward once none of its callers is left. */
  readonly signal?: AbortSignal
  /** `performance.now()` by which the answer must be there [ms]; what is not judged by then is unscored (`timeout`). */
  readonly deadline?: number
  /**
   * The same key with the same samples gives the same answer without judging again. Keys of different callers must
   * differ.
   */
  readonly idempotencyKey?: string
  /** For a reward of groups: how many samples make a group whole, over any number of requests. */
  readonly groupSize?: number
}

/** A reward under the name it is served by. */
export interface ServedReward {
  readonly name: string
  readonly reward: Reward
  /** `rewardIdentity` of it. */
  readonly identity: string
}

/** Scores for whoever asks, from rewards that are made once: the one way from every protocol to a reward. */
export interface ScoringService {
  /** One score per sample, in order. Rejects with a `RequestProblem`: `unknown-reward`, `Overloaded`, `closed`. */
  score(reward: string, samples: readonly Sample[], request?: ScoreRequest): Promise<readonly Score[]>
  /** In the order in which they were given. */
  rewards(): readonly ServedReward[]
}
