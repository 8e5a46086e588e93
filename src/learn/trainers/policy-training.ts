import { GuerdonError, type Reward, Rng } from '../../core/index.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { LanguagePolicy } from '../policies/language-policy.ts'
import type { CheckpointSet } from './checkpoint-set.ts'
import { type IterationRecord, type RolloutRecord, rolloutRecord } from './monitors.ts'
import { byTask, type DraftJudge, judgeBy, type PolicyTask, type Rollout, rollouts } from './rollouts.ts'
import {
  type LoopIteration,
  type LoopOptions,
  type LoopTrainer,
  type TrainingResult,
  trainingLoop,
} from './training-loop.ts'

/** What every trainer of a language policy can be asked: where tasks, responses and judgements come from. */
export interface PolicyTrainingOptions extends LoopOptions<RolloutRecord, Rollout> {
  readonly policy: LanguagePolicy
  /** Where training starts. @default the policy's own */
  readonly parameters?: Tree<Tensor>
  /**
   * The tasks of an iteration; must depend on its arguments alone. `records` of the iterations before let a curriculum
   * move on when it is time.
   */
  readonly tasks: (iteration: number, rng: Rng, records: readonly IterationRecord[]) => readonly PolicyTask[]
  /** A reward, which is told the iteration as `step`; or a judge made of the policy itself. */
  readonly reward: Reward | PolicyJudge
  /** A judge that never trains, recorded beside the reward. */
  readonly oracle?: Reward
  /** Responses to each task. */
  readonly group: number
  /** New tokens of a response at most. */
  readonly maxTokens: number
  /** Of the rollouts, or its schedule over the iterations. @default 1 */
  readonly temperature?: number | ((iteration: number) => number)
  /** A response that could not be judged is masked and counted, or ends the training. @default 'mask' */
  readonly onNull?: 'mask' | 'stop'
  /**
   * Responses that are written together, whole groups; they are judged while the next ones are written. Fewer hide more
   * of a slow reward's time, and sample less efficiently. @default 64
   */
  readonly rolloutBatch?: number
}

/** A judge that needs the policy's own parameters, such as how likely it finds a response. */
export interface PolicyJudge {
  readonly name: string
  at(context: PolicyJudgeContext): DraftJudge
}

export interface PolicyJudgeContext {
  readonly policy: LanguagePolicy
  readonly checkpoints: CheckpointSet
  readonly iteration: number
  readonly signal?: AbortSignal
}

/** One iteration whose rollouts are judged. */
export interface JudgedIteration extends LoopIteration<RolloutRecord> {
  readonly policy: LanguagePolicy
  readonly tasks: readonly PolicyTask[]
  /** Of each task. */
  readonly groups: readonly (readonly Rollout[])[]
  /** The same in one list. */
  readonly rows: readonly Rollout[]
  /** Log-probabilities of the rows' tokens under the reference; absent without one. */
  readonly logpRef?: readonly Float32Array[]
  /** What other parameters write to the same tasks, judged as the rollouts are; by the name of a role, or any. */
  write(
    writer: string | { readonly name: string; readonly parameters: Tree<Tensor> },
    options?: { readonly group?: number },
  ): Promise<Rollout[][]>
}

export type PolicyTrained = TrainingResult<RolloutRecord>

export interface PolicyTrainer extends Omit<LoopTrainer<RolloutRecord, Rollout>, 'iterate'> {
  /** What the KL of the records is to. */
  readonly reference: Tree<Tensor> | 'none'
  /** Takes the updates of an iteration; gives numbers for its record. */
  learn(iteration: JudgedIteration): Promise<Readonly<Record<string, number>>>
}

/** The loop of all trainers of language policies: write, judge, learn. Rollouts come from the current parameters, always. */
export async function policyTraining(
  options: PolicyTrainingOptions,
  { reference, learn, ...trainer }: PolicyTrainer,
): Promise<PolicyTrained> {
  const { policy, reward, oracle, group, maxTokens, temperature = 1, seed = 0 } = options
  return trainingLoop<RolloutRecord, Rollout>(options, {
    bestBy: ({ reward }) => reward,
    ...trainer,
    async iterate(loop) {
      const { iteration, checkpoints, rng, records } = loop
      const stop = loop.signal === undefined ? {} : { signal: loop.signal }
      const tasks = options.tasks(iteration, rng.fork('tasks'), records)
      const context = { ...stop, step: iteration, rng: new Rng(`${seed}/${iteration}/reward`) }
      const judge =
        'score' in reward ? judgeBy(reward, context) : reward.at({ policy, checkpoints, iteration, ...stop })
      /** Without a writer's name: the rollouts themselves. */
      const writtenBy = (writer: string | undefined, parameters: Tree<Tensor>, count: number) =>
        rollouts({
          policy,
          parameters,
          tasks,
          group: count,
          judge,
          maxTokens,
          temperature: typeof temperature === 'number' ? temperature : temperature(iteration),
          seed: `${seed}/${iteration}${writer === undefined ? '' : `/${writer}`}`,
          ...(writer === undefined ? oracle && { oracle: judgeBy(oracle, context) } : { writer }),
          ...(options.rolloutBatch === undefined ? {} : { batch: options.rolloutBatch }),
          ...stop,
        })
      const written = await writtenBy(undefined, checkpoints.current, group)
      refuseUnscored(written, reward.name, iteration, options.onNull ?? 'mask')
      const groups = byTask(written, tasks.length)
      const rows = groups.flat()
      const logpRef = reference === 'none' ? undefined : await policy.score(reference, rows)
      const updates = await learn({
        ...loop,
        policy,
        tasks,
        groups,
        rows,
        ...(logpRef === undefined ? {} : { logpRef }),
        async write(writer, { group: count = group } = {}) {
          const { name, parameters } =
            typeof writer === 'string' ? { name: writer, parameters: checkpoints.named(writer) } : writer
          return byTask(await writtenBy(name, parameters, count), tasks.length)
        },
      })
      return { record: rolloutRecord(groups, logpRef), updates, written: rows }
    },
  })
}

function refuseUnscored(
  written: readonly Rollout[],
  reward: string,
  iteration: number,
  onNull: 'mask' | 'stop',
): void {
  const failed = written.filter(({ score }) => score.value === null)
  if (failed.length === 0 || (onNull === 'mask' && failed.length < written.length)) return
  const { code, reason } = failed[0]!.score as { code: string; reason: string }
  throw new GuerdonError(
    'unscored-rollouts',
    `${failed.length} of ${written.length} responses of iteration ${iteration} could not be judged: ${code}, ${reason}.`,
    { place: { reward, sample: failed[0]!.sample.id } },
  )
}
