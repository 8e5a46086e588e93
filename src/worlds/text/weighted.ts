import type { Rng } from '../../core/index.ts'

/** One of the choices, with probability in proportion to its weight (at least 0, not all 0). */
export function pickWeighted<T>(rng: Rng, choices: readonly (readonly [choice: T, weight: number])[]): T {
  let total = 0
  for (const [, weight] of choices) total += weight
  if (!(total > 0)) throw new RangeError('no choice has a weight above 0')
  let draw = rng.uniform() * total
  let last = choices[0]![0]
  for (const [choice, weight] of choices) {
    if (weight > 0) last = choice
    draw -= weight
    if (draw < 0) return choice
  }
  return last
}

/** The entries of a record of weights, typed. */
export function weights<K extends string>(record: Partial<Readonly<Record<K, number>>>): [K, number][] {
  return Object.entries(record) as [K, number][]
}
