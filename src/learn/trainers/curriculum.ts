import type { Rng } from '../../core/index.ts'
import type { IterationRecord } from './monitors.ts'
import type { PolicyTask } from './rollouts.ts'

export interface CurriculumStage {
  readonly tasks: (iteration: number, rng: Rng) => readonly PolicyTask[]
  /** Iterations of the stage at most; the last stage goes on. @default no limit */
  readonly iterations?: number
  /** Ends the stage before that: asked of its iterations so far, one at least. */
  readonly until?: (records: readonly IterationRecord[]) => boolean
}

/**
 * Tasks stage by stage, as `tasks` of a trainer: from one stage to the next after so many iterations, or when what was
 * measured says so. It depends on the records alone, so a resumed training stands where it stood.
 *
 * @example
 * curriculum([{ tasks: easy, until: (records) => (records.at(-1)!.reward ?? 0) > 0.8 }, { tasks: hard }])
 */
export function curriculum(
  stages: readonly CurriculumStage[],
): (iteration: number, rng: Rng, records: readonly IterationRecord[]) => readonly PolicyTask[] {
  return (iteration, rng, records) => stages[stageAt(stages, records)]!.tasks(iteration, rng)
}

/** Index of the stage that the iteration after these records belongs to. */
export function stageAt(stages: readonly CurriculumStage[], records: readonly IterationRecord[]): number {
  let stage = 0
  let first = 0
  for (let iteration = 1; iteration <= records.length && stage < stages.length - 1; iteration++) {
    const { iterations = Number.POSITIVE_INFINITY, until } = stages[stage]!
    if (iteration - first >= iterations || until?.(records.slice(first, iteration))) {
      stage++
      first = iteration
    }
  }
  return stage
}
