import type { Score } from '../../core/index.ts'
import { RequestProblem } from '../request-problem.ts'
import type { ServeContext } from '../serve-context.ts'

/**
 * The parts of scores as lists of numbers under names that never change, for trainers that take the names of the first
 * sample for those of all: the numbers that the first scored sample has are what is sent. A part that a later score lacks is sent
 * as `unscoredAs`, and counted; without that number it throws a `RequestProblem` (422, `missing-part`), since a 0 would be
 * taken for what the part said. With it the list `unscored` says which samples have no score at all.
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
      if (first !== undefined)
        names = Object.entries(first.parts ?? {}).flatMap(([name, part]) => (isNumber(part) ? [name] : []))
    }
    const columns: Record<string, number[]> = {}
    for (const name of names ?? [])
      columns[nameOf(name)] = scores.map(({ parts }, position) => {
        const value = parts?.[name]
        if (isNumber(value)) return value
        if (config.unscoredAs === undefined) throw missingPart(name, position)
        missing.inc()
        return config.unscoredAs
      })
    if (config.unscoredAs !== undefined)
      columns.unscored = scores.map(({ value }) => (value === null ? 1 : 0))
    return columns
  }
}

function isNumber(part: number | null | undefined): part is number {
  return typeof part === 'number' && Number.isFinite(part)
}

function missingPart(name: string, position: number): RequestProblem {
  return new RequestProblem(
    422,
    'missing-part',
    `item ${position}: the score has no part "${name}", and every answer must have those of the first.`,
    {
      fix: 'Give every score the same parts, or answer a number of your choice, which is counted: "guerdon serve --unscored-as VALUE".',
    },
  )
}
