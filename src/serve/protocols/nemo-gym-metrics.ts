import { isObject } from '../../core/index.ts'

/**
 * Means of what `/verify` answered: of the reward and of every other top-level number, over all rollouts and over those of
 * each task. Failed rollouts count in no mean.
 */
export function aggregateMetrics(given: unknown): {
  readonly group_level_metrics: readonly object[]
  readonly agent_metrics: Readonly<Record<string, number>>
  readonly key_metrics: Readonly<Record<string, number>>
} {
  const rows = (Array.isArray(given) ? given : []).filter(
    (row): row is Record<string, unknown> => isObject(row) && row._ng_failure_class === undefined,
  )
  const names = new Set(rows.flatMap((row) => Object.keys(row).filter((key) => isMetric(key, row[key]))))
  const groups = Map.groupBy(rows, (row) => row._ng_task_index)
  const summary: Record<string, number> = {}
  for (const name of names) Object.assign(summary, moments(name, rows))
  return {
    group_level_metrics: [...groups].flatMap(([task, members]) =>
      task === undefined
        ? []
        : [{ _ng_task_index: task, count: members.length, ...moments('reward', members) }],
    ),
    agent_metrics: summary,
    key_metrics: summary['mean/reward'] === undefined ? {} : { 'mean/reward': summary['mean/reward'] },
  }
}

function isMetric(key: string, value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && !key.startsWith('_ng_')
}

/** Mean, population standard deviation and maximum over the rows that have the number. */
function moments(name: string, rows: readonly Record<string, unknown>[]): Record<string, number> {
  const values = rows.flatMap((row) => (isMetric(name, row[name]) ? [row[name]] : []))
  if (values.length === 0) return {}
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return {
    [`mean/${name}`]: mean,
    [`std/${name}`]: Math.sqrt(variance),
    [`max/${name}`]: values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  }
}
