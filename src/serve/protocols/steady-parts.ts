import type { Score } from '../../core/index.ts'
import type { ServeContext } from '../serve-context.ts'

/**
 * The parts of scores as lists of numbers under names that never change, for trainers that take the names of the first
 * sample for those of all: whatever the first scored sample has is what is sent. A part that a later score lacks is sent
 * as the number for unscored samples (0 where there is none), and counted; with that number configured the list
 * `unscored` says which samples it stands for.
 */
export function steadyParts(
  { config, metrics }: ServeContext,
  where: { readonly protocol: string; readonly reward: string },
  nameOf: (part: string) => string = (part) => part,
): (scores: readonly Score[]) => Record<string, number[]> {
  let names: readonly string[] | undefined
  const missing = metrics
    .counter(
      'guerdon_missing_parts_total',
      'Parts that a score lacked and a trainer was sent a number for.',
      ['reward', 'protocol'],
    )
    .labels(where.reward, where.protocol)
  return (scores) => {
    if (scores.length === 0) return {}
    if (names === undefined) {
      const first = scores.find(({ value }) => value !== null)
      if (first !== undefined) names = Object.keys(first.parts ?? {})
    }
    const columns: Record<string, number[]> = {}
    for (const name of names ?? [])
      columns[nameOf(name)] = scores.map(({ parts }) => {
        const value = parts?.[name]
        if (typeof value === 'number' && Number.isFinite(value)) return value
        missing.inc()
        return config.unscoredAs ?? 0
      })
    if (config.unscoredAs !== undefined)
      columns.unscored = scores.map(({ value }) => (value === null ? 1 : 0))
    return columns
  }
}
