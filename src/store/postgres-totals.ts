import { retryableCodes, type UnscoredCode, type Usage } from '../core/index.ts'
import type { Sql } from './postgres.ts'
import { numbersArray, restored, restoredJson } from './postgres-values.ts'
import type { GroupTotals, RewardTotals } from './store.ts'

/** Keys of the rewards of a run by their names in it. */
export type RewardKeys = ReadonlyMap<string, number>

/** Sums over the column `usage`; of what no row says, null. */
export const usageSums = ['calls', 'inputTokens', 'outputTokens', 'costUsd']
  .map((name) => `sum((usage ->> '${name}')::float8) AS "${name}"`)
  .join(', ')

export function usageOf(sums: Readonly<Record<keyof Usage, number | null>>): Usage {
  const { calls, inputTokens, outputTokens, costUsd } = sums
  const known = Object.entries({ calls, inputTokens, outputTokens, costUsd }).filter(
    ([, sum]) => sum !== null,
  )
  return Object.fromEntries(known)
}

export async function rewardTotals(
  sql: Sql,
  run: number,
  rewards: RewardKeys,
  samples: number,
): Promise<Record<string, RewardTotals>> {
  type Row = Record<keyof Usage, number | null> & {
    reward: number
    asked: number
    scored: number
    mean: number | null
    minimum: number | null
    maximum: number | null
  }
  type Failure = {
    reward: number
    code: UnscoredCode
    count: number
    abstained: number
    position: number
    details: string | null
    sample: string
  }
  const keys = numbersArray([...rewards.values()])
  const rows = await sql.all<Row>(
    `SELECT reward, count(*) AS asked, count(value) AS scored, avg(value) AS mean, min(value) AS minimum,
       max(value) AS maximum, ${usageSums} FROM scores WHERE reward = ANY($1::int[]) GROUP BY reward`,
    keys,
  )
  const failures = await sql.all<Failure>(
    `SELECT counted.*, scores.details, coalesce(samples.id, '') AS sample FROM
       (SELECT reward, code, count(*) AS count, count(abstained) AS abstained, min(position) AS position
        FROM scores WHERE reward = ANY($1::int[]) AND code IS NOT NULL GROUP BY reward, code) AS counted
     JOIN scores USING (reward, position)
     LEFT JOIN samples ON samples.run = $2 AND samples.position = counted.position
     ORDER BY counted.code`,
    keys,
    run,
  )
  const of = (key: number): RewardTotals => {
    const row = rows.find(({ reward }) => reward === key)
    const own = failures.filter(({ reward }) => reward === key)
    const { asked = 0, scored = 0, mean = null, minimum = null, maximum = null } = row ?? {}
    return {
      scored,
      unscored: asked - scored,
      unscoredBy: Object.fromEntries(own.map(({ code, count }) => [code, count])),
      firstUnscoredBy: Object.fromEntries(
        own.map(({ code, position, sample, details }) => [
          code,
          {
            position,
            sample: restored(sample),
            reason: details === null ? '' : (restoredJson(details).reason ?? ''),
          },
        ]),
      ),
      abstained: own.reduce((sum, { abstained }) => sum + abstained, 0),
      retryable: own.reduce((sum, { code, count }) => sum + (retryableCodes.has(code) ? count : 0), 0),
      waiting: samples - asked,
      mean,
      minimum,
      maximum,
      usage: row === undefined ? {} : usageOf(row),
    }
  }
  return Object.fromEntries([...rewards].map(([name, key]) => [name, of(key)]))
}

export async function groupTotals(
  sql: Sql,
  run: number,
  rewards: RewardKeys,
): Promise<Record<string, GroupTotals>> {
  const totals = await sql.all<GroupTotals & { reward: number }>(
    `SELECT reward, count(*) AS groups, count(*) FILTER (WHERE low = high) AS "zeroVariance" FROM (
       SELECT reward, min(value) AS low, max(value) AS high FROM samples
       JOIN scores ON reward = ANY($1::int[]) AND scores.position = samples.position
       WHERE run = $2 AND value IS NOT NULL GROUP BY reward, group_hash HAVING count(*) > 1) AS grouped
     GROUP BY reward`,
    numbersArray([...rewards.values()]),
    run,
  )
  return Object.fromEntries(
    [...rewards].map(([name, key]) => {
      const { groups = 0, zeroVariance = 0 } = totals.find(({ reward }) => reward === key) ?? {}
      return [name, { groups, zeroVariance }]
    }),
  )
}
