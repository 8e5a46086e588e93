import { type Reward, Rng, type Sample, type Score, type ScoreContext } from '../../core/index.ts'
import type { ChatMessage } from '../../models/chat-model.ts'
import { scoresOf } from '../../rewards/scores-of.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { LanguagePolicy, PolicyRow } from '../policies/language-policy.ts'

/** Something to answer: as the policy reads it, and as the reward judges it. */
export interface PolicyTask {
  readonly conversation: readonly ChatMessage[]
  /** What a reward sees beside the output; the id names the task. */
  readonly sample: Omit<Sample, 'output'>
}

/** One response to a task. */
export interface Draft extends PolicyRow {
  /** Index among the tasks. */
  readonly task: number
  readonly text: string
  /** Log-probability of each token of the response under the policy that wrote it, at temperature 1 [nats]. */
  readonly logp: readonly number[]
  /** Whether it ended by itself, not at the limit. */
  readonly stopped: boolean
  readonly sample: Sample
}

/** A response, judged. */
export interface Rollout extends Draft {
  readonly score: Score
  /** Of the judge that never trains, where there is one. */
  readonly oracle?: Score
}

/** Judges responses as they come, whole groups at a time; one score each, in order. */
export type DraftJudge = (drafts: readonly Draft[]) => Promise<readonly Score[]>

export interface RolloutOptions {
  readonly policy: LanguagePolicy
  readonly parameters: Tree<Tensor>
  readonly tasks: readonly PolicyTask[]
  /** Responses to each task. */
  readonly group: number
  readonly judge: DraftJudge
  /** Judges beside it, and never trains. */
  readonly oracle?: DraftJudge
  /** New tokens of a response at most. */
  readonly maxTokens: number
  /** @default 1 */
  readonly temperature?: number
  readonly seed: string
  /** Stands in the ids of the samples, to tell apart what several policies write to one task. */
  readonly writer?: string
  /** Responses that are written together; they are judged while the next ones are written. @default 64 */
  readonly batch?: number
  readonly signal?: AbortSignal
}

/**
 * Writes `group` responses to each task and judges them, the responses of a task side by side. Responses are judged
 * while others are still being written, so that a slow or remote reward costs little; a group is judged as a whole.
 */
export async function rollouts(options: RolloutOptions): Promise<Rollout[]> {
  const {
    policy,
    parameters,
    tasks,
    group,
    judge,
    oracle,
    maxTokens,
    temperature = 1,
    seed,
    signal,
  } = options
  const prompts = await Promise.all(tasks.map(({ conversation }) => policy.promptOf(conversation)))
  const together = Math.max(1, Math.floor((options.batch ?? 64) / group))
  const judged: Promise<Rollout[]>[] = []
  for (let first = 0; first < tasks.length; first += together) {
    signal?.throwIfAborted()
    const indices = tasks
      .slice(first, first + together)
      .flatMap((_, place) => Array(group).fill(first + place))
    const written = await policy.sample(
      parameters,
      indices.map((task) => prompts[task]!),
      {
        maxTokens,
        temperature,
        batch: indices.length,
        seed: (row) => new Rng(`${seed}/${first * group + row}`),
        ...(signal === undefined ? {} : { signal }),
      },
    )
    const mark = options.writer === undefined ? '#' : `#${options.writer}-`
    const drafts = written.map((text, row): Draft => {
      const task = indices[row]!
      const { sample } = tasks[task]!
      const output = policy.decode(text.tokens)
      return {
        ...prompts[task]!,
        task,
        response: text.tokens,
        text: output,
        logp: text.logp,
        stopped: text.stopped,
        sample: {
          ...sample,
          id: `${sample.id}${mark}${row % group}`,
          group: sample.group ?? sample.id,
          output,
        },
      }
    })
    judged.push(withScores(drafts, judge, oracle))
    // a rejection is seen when all are awaited; it must not end the process before
    judged.at(-1)!.catch(() => {})
  }
  return (await Promise.all(judged)).flat()
}

async function withScores(
  drafts: readonly Draft[],
  judge: DraftJudge,
  oracle: DraftJudge | undefined,
): Promise<Rollout[]> {
  const [scores, others] = await Promise.all([judge(drafts), oracle?.(drafts)])
  return drafts.map((draft, row) => ({
    ...draft,
    score: scores[row]!,
    ...(others === undefined ? {} : { oracle: others[row]! }),
  }))
}

/** Any reward as a judge of responses. */
export function judgeBy(reward: Reward, context: ScoreContext = {}): DraftJudge {
  return (drafts) =>
    scoresOf(
      reward,
      drafts.map(({ sample }) => sample),
      context,
    )
}

/** The rollouts of each task, in the order of the tasks. */
export function byTask(written: readonly Rollout[], tasks: number): Rollout[][] {
  const groups = Array.from({ length: tasks }, () => [] as Rollout[])
  for (const rollout of written) groups[rollout.task]!.push(rollout)
  return groups
}
