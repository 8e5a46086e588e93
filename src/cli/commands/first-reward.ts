import { GuerdonError } from '../../core/index.ts'
import type { Store } from '../../store/index.ts'

/** The name of the run's reward at `index`, for commands that were not told which one. */
export async function firstReward(store: Store, run: string, index = 0): Promise<string> {
  const names = (await store.runs.find(run))?.rewards.map(({ name }) => name) ?? []
  const name = names[index]
  if (name !== undefined) return name
  throw new GuerdonError(
    'no-rewards',
    `run "${run}" has ${names.length} reward${names.length === 1 ? '' : 's'}.`,
    {
      fix: 'Name the measure: another reward, REWARD.PART, meta.FIELD or reference.',
    },
  )
}
