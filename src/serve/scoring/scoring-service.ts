import type { Reward, Sample, Score, Unscored } from '../../core/index.ts'
import type { ComponentDrift } from './drift.ts'
import type { ShadowReport } from './shadow.ts'

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
  /** One score per sample, in order. Rejects with a `RequestProblem`: `unknown-reward`, `Overloaded`, `too-many-samples`. */
  score(reward: string, samples: readonly Sample[], request?: ScoreRequest): Promise<readonly Score[]>
  /** The scores of each sample's steps, by a process reward. Rejects as `score` does. */
  scoreSteps(
    reward: string,
    samples: readonly Sample[],
    request?: Pick<ScoreRequest, 'signal' | 'deadline'>,
  ): Promise<readonly (readonly Score[] | Unscored)[]>
  /** Names of the process rewards that are served. */
  stepRewards(): readonly string[]
  /** In the order in which they were given. */
  rewards(): readonly ServedReward[]
  /** The reward of a name; the first one when no name is given. Throws a `RequestProblem` (`unknown-reward`). */
  rewardNamed(name?: string): ServedReward
  /** How each component of each reward moves over time. */
  drift(): readonly ComponentDrift[]
  /** Names of the parts that a reward's scores have had, in the order in which they came. */
  partsOf(reward: string): readonly string[]
  /** How the rewards that only listen differ from those that answer. */
  shadows(): readonly ShadowReport[]
}
