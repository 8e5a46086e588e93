import { messageOf, type Sample, type ScoreContext, type Unscored, unscored } from '../core/index.ts'

/** How long judging may hold the thread before other work gets a turn [ms]. */
const turnMs = 30

/**
 * Judges samples one after the other: for judging that keeps the thread busy (rendering). Other work gets a turn in
 * between, a failure stays with its sample, and what is not judged when the signal comes is `cancelled`.
 */
export async function inTurn<T>(
  samples: readonly Sample[],
  { signal }: ScoreContext,
  judge: (sample: Sample) => T | Promise<T>,
): Promise<(T | Unscored)[]> {
  const judgements: (T | Unscored)[] = []
  let turn = performance.now()
  for (const sample of samples) {
    if (performance.now() - turn > turnMs) {
      await new Promise((resolve) => setImmediate(resolve))
      turn = performance.now()
    }
    if (signal?.aborted) {
      judgements.push(unscored('cancelled', 'cancelled before this sample was judged'))
      continue
    }
    try {
      judgements.push(await judge(sample))
    } catch (error) {
      judgements.push(unscored('crashed', `the reward failed: ${messageOf(error)}`))
    }
  }
  return judgements
}
