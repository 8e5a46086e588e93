import { GuerdonError } from '../../core/index.ts'
import { figure } from '../../stats/figure.ts'
import { type Interval, meanInterval } from '../../stats/intervals.ts'
import { mean } from '../../stats/moments.ts'
import type { ArmResult } from './reproduction.ts'

/** A finished run. */
export interface RunResult extends ArmResult {
  readonly arm: string
  readonly seed: number
  /** The tuned setting that it ran with. */
  readonly tuned?: number
  readonly seconds: number
}

/** What was measured, by arm, over the seeds that every arm has. */
export interface SeedResults {
  readonly arms: readonly string[]
  readonly seeds: readonly number[]
  /** One for each seed, in the order of `seeds`; null where a run could not measure it. Throws `unknown-metric`. */
  measured(arm: string, metric: string): readonly (number | null)[]
  /** One number for each seed. Throws `unknown-metric`, and `not-measured` where one is missing. */
  values(arm: string, metric: string): readonly number[]
  /** Over the seeds that measured it; NaN when none did. */
  mean(arm: string, metric: string): number
  /** Mean with its interval over the seeds that measured it (Student's t, 95 %); of one there is none. */
  interval(arm: string, metric: string): Interval | null
  /** Seed by seed: first minus second, over the seeds in which both measured it. */
  difference(first: string, second: string, metric: string): SeedDifference
  readonly runs: readonly RunResult[]
}

export interface SeedDifference {
  readonly differences: readonly number[]
  /** NaN when no seed measured both. */
  readonly mean: number
  readonly interval: Interval | null
  /** Seeds in which the first is greater; a seed that did not measure both is none of them. */
  readonly above: number
  /** `0.12 [0.05, 0.19], 5 of 5 seeds`, and how many of the seeds could not be compared. */
  readonly text: string
}

export function seedResults(runs: readonly RunResult[]): SeedResults {
  const arms = [...new Set(runs.map(({ arm }) => arm))]
  const seeds = [...new Set(runs.map(({ seed }) => seed))]
    .filter((seed) => arms.every((arm) => runs.some((run) => run.arm === arm && run.seed === seed)))
    .sort((a, b) => a - b)
  const measured = (arm: string, metric: string) =>
    seeds.map((seed) => {
      const run = runs.find((run) => run.arm === arm && run.seed === seed)
      const value = run?.metrics[metric]
      if (value === undefined)
        throw new GuerdonError('unknown-metric', `the arm "${arm}" has no metric "${metric}".`, {
          fix: `There are ${Object.keys(run?.metrics ?? {}).join(', ') || 'none'}; arms: ${arms.join(', ')}.`,
        })
      return Number.isNaN(value) ? null : value // as a file keeps it
    })
  const present = (arm: string, metric: string) => measured(arm, metric).filter((value) => value !== null)
  return {
    arms,
    seeds,
    runs,
    measured,
    values: (arm, metric) =>
      measured(arm, metric).map((value, index) => {
        if (value !== null) return value
        throw new GuerdonError('not-measured', `"${metric}" of "${arm}", seed ${seeds[index]}, is missing.`, {
          fix: 'Use `measured`, `mean` or `difference` where a run may have nothing to measure.',
        })
      }),
    mean: (arm, metric) => mean(present(arm, metric)) ?? Number.NaN,
    interval: (arm, metric) => meanInterval(present(arm, metric)),
    difference(first, second, metric) {
      const other = measured(second, metric)
      const differences = measured(first, metric).flatMap((value, index) => {
        const against = other[index]!
        return value === null || against === null ? [] : [value - against]
      })
      const average = mean(differences) ?? Number.NaN
      const interval = meanInterval(differences)
      const above = differences.filter((difference) => difference > 0).length
      const missing = seeds.length - differences.length
      return {
        differences,
        mean: average,
        interval,
        above,
        text:
          differences.length === 0
            ? 'not measured in any seed'
            : `${figure(average)}${intervalText(interval)}, ${above} of ${differences.length} seeds${missing === 0 ? '' : ` (${missing} not measured)`}`,
      }
    },
  }
}

export function intervalText(interval: Interval | null): string {
  return interval === null ? '' : ` [${figure(interval.low)}, ${figure(interval.high)}]`
}
