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
  /** One number for each seed, in the order of `seeds`. Throws `unknown-metric` for a name that no run has. */
  values(arm: string, metric: string): readonly number[]
  mean(arm: string, metric: string): number
  /** Mean with its interval over seeds (Student's t, 95 %); of one seed there is none. */
  interval(arm: string, metric: string): Interval | null
  /** Seed by seed: first minus second. */
  difference(first: string, second: string, metric: string): SeedDifference
  readonly runs: readonly RunResult[]
}

export interface SeedDifference {
  readonly differences: readonly number[]
  readonly mean: number
  readonly interval: Interval | null
  /** Seeds in which the first is greater. */
  readonly above: number
  /** `0.12 [0.05, 0.19], 5 of 5 seeds`. */
  readonly text: string
}

export function seedResults(runs: readonly RunResult[]): SeedResults {
  const arms = [...new Set(runs.map(({ arm }) => arm))]
  const seeds = [...new Set(runs.map(({ seed }) => seed))]
    .filter((seed) => arms.every((arm) => runs.some((run) => run.arm === arm && run.seed === seed)))
    .sort((a, b) => a - b)
  const values = (arm: string, metric: string) =>
    seeds.map((seed) => {
      const run = runs.find((run) => run.arm === arm && run.seed === seed)
      const value = run?.metrics[metric]
      if (value === undefined)
        throw new GuerdonError('unknown-metric', `the arm "${arm}" has no metric "${metric}".`, {
          fix: `There are ${Object.keys(run?.metrics ?? {}).join(', ') || 'none'}; arms: ${arms.join(', ')}.`,
        })
      return value
    })
  return {
    arms,
    seeds,
    runs,
    values,
    mean: (arm, metric) => mean(values(arm, metric)) ?? Number.NaN,
    interval: (arm, metric) => meanInterval(values(arm, metric)),
    difference(first, second, metric) {
      const other = values(second, metric)
      const differences = values(first, metric).map((value, index) => value - other[index]!)
      const average = mean(differences) ?? Number.NaN
      const interval = meanInterval(differences)
      const above = differences.filter((difference) => difference > 0).length
      return {
        differences,
        mean: average,
        interval,
        above,
        text: `${figure(average)}${intervalText(interval)}, ${above} of ${differences.length} seeds`,
      }
    },
  }
}

export function intervalText(interval: Interval | null): string {
  return interval === null ? '' : ` [${figure(interval.low)}, ${figure(interval.high)}]`
}
