import type { Usage } from '../core/index.ts'

/** Everything that calls cost; what no call says is left out. */
export function totalUsage(usages: readonly (Usage | undefined)[]): Usage {
  const total: { -readonly [name in keyof Usage]: Usage[name] } = {}
  for (const usage of usages)
    for (const [name, value] of Object.entries(usage ?? {}) as [keyof Usage, number | undefined][])
      if (value !== undefined) total[name] = (total[name] ?? 0) + value
  return total
}
