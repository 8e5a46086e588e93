import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Score, UnscoredCode } from '../../core/index.ts'
import { mean } from '../../stats/moments.ts'
import { isInformative } from '../objectives/grouped-advantages.ts'
import type { Rollout } from './rollouts.ts'

/** What an iteration looked like, from its rollouts and its updates. Means are over what could be judged. */
export interface IterationRecord {
  /** From 0. */
  readonly iteration: number
  /** Of all rollouts, not of those selected; null when none could be judged. */
  readonly reward: number | null
  readonly parts: Readonly<Record<string, number>>
  /** The judge that does not train, on the same rollouts. */
  readonly oracle?: number | null
  /** Rollouts without a number, by the reason's code. */
  readonly unscored: Partial<Readonly<Record<UnscoredCode, number>>>
  /** Tokens of a response. */
  readonly length: number
  /** Share of responses that ended by themselves. */
  readonly stopped: number
  /** Different pairs of tokens over all pairs. */
  readonly distinct2: number
  /** Share of the groups whose rewards are all equal, so that they teach nothing. */
  readonly uniformGroups: number
  /** Of the updates, averaged: `loss`, `gradientNorm`, `kl`, `clipFraction`, ... */
  readonly updates: Readonly<Record<string, number>>
}

/** What the rollouts of an iteration say; `groups` are those of one task each. */
export function rolloutRecord(
  groups: readonly (readonly Rollout[])[],
  oracle?: readonly Score[],
): Omit<IterationRecord, 'iteration' | 'updates'> {
  const all = groups.flat()
  const unscored: Partial<Record<UnscoredCode, number>> = {}
  for (const { score } of all)
    if (score.value === null) unscored[score.code] = (unscored[score.code] ?? 0) + 1
  return {
    reward: meanValue(all.map(({ score }) => score)),
    parts: partMeans(all.map(({ score }) => score)),
    ...(oracle === undefined ? {} : { oracle: meanValue(oracle) }),
    unscored,
    length: average(all.map(({ response }) => response.length)),
    stopped: average(all.map(({ stopped }) => Number(stopped))),
    distinct2: distinctShare(
      all.map(({ response }) => response),
      2,
    ),
    uniformGroups: average(
      groups.map((group) => Number(!isInformative(group.map(({ score }) => score.value)))),
    ),
  }
}

/** Different n-grams over all n-grams of all texts; 1 when there are none. */
export function distinctShare(texts: readonly (readonly number[])[], n: number): number {
  const seen = new Set<string>()
  let count = 0
  for (const tokens of texts)
    for (let start = 0; start + n <= tokens.length; start++) {
      seen.add(tokens.slice(start, start + n).join(' '))
      count++
    }
  return count === 0 ? 1 : seen.size / count
}

/** Mean of what could be judged; null when nothing could. */
export function meanValue(scores: readonly Score[]): number | null {
  return mean(scores.flatMap(({ value }) => (value === null ? [] : [value])))
}

function partMeans(scores: readonly Score[]): Record<string, number> {
  const values: Record<string, number[]> = {}
  for (const { parts = {} } of scores)
    for (const [name, value] of Object.entries(parts)) {
      if (value === null) continue
      values[name] ??= []
      values[name].push(value)
    }
  return Object.fromEntries(Object.entries(values).map(([name, own]) => [name, average(own)]))
}

function average(values: readonly number[]): number {
  return mean(values) ?? Number.NaN
}

/** The mean of each number that the records have. */
export function averageRecord(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(records.flatMap((record) => Object.keys(record)))
  return Object.fromEntries(
    [...names].map((name) => [name, average(records.flatMap((record) => record[name] ?? []))]),
  )
}

/** Records on disk, one JSON line an iteration; a resumed training drops those it will write again. */
export function recordLog(path: string): {
  resumeAt(iteration: number): Promise<void>
  write(record: IterationRecord): Promise<void>
} {
  return {
    async resumeAt(iteration) {
      await mkdir(dirname(path), { recursive: true })
      const text = iteration === 0 ? '' : await readFile(path, 'utf8').catch(() => '')
      const kept = text.split('\n').filter((line) => isBefore(line, iteration))
      await writeFile(path, kept.map((line) => `${line}\n`).join(''))
    },
    write: (record) => appendFile(path, `${JSON.stringify(record)}\n`),
  }
}

/** False for a line that a crash cut off, too. */
function isBefore(line: string, iteration: number): boolean {
  try {
    return JSON.parse(line).iteration < iteration
  } catch {
    return false
  }
}
