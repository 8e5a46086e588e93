import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Score, UnscoredCode } from '../../core/index.ts'
import { mean } from '../../stats/moments.ts'
import { isInformative } from '../objectives/grouped-advantages.ts'
import type { Rollout } from './rollouts.ts'

/** What is recorded of each iteration of any trainer; `Own` is what it has measured itself. */
export type LoopRecord<Own> = Own & {
  /** From 0. */
  readonly iteration: number
  /** Of the updates, averaged: `loss`, `gradientNorm`, `kl`, `clipFraction`, ... */
  readonly updates: Readonly<Record<string, number>>
  /** What `evaluate` measured of the parameters after the iteration. */
  readonly evaluation?: Readonly<Record<string, number>>
}

/** What the rollouts of an iteration looked like. Means are over what could be judged. */
export interface RolloutRecord {
  /** Of all rollouts, not of those selected; null when none could be judged. */
  readonly reward: number | null
  readonly parts: Readonly<Record<string, number>>
  /** The judge that does not train, on the same rollouts. */
  readonly oracle?: number | null
  /** Responses written and judged. */
  readonly samples: number
  /** Rollouts without a number, by the reason's code. */
  readonly unscored: Partial<Readonly<Record<UnscoredCode, number>>>
  /** Tokens of a response. */
  readonly length: number
  /** Share of responses that ended by themselves. */
  readonly stopped: number
  /** Different tokens, and pairs of tokens, over all of them. */
  readonly distinct1: number
  readonly distinct2: number
  /** Mean surprise at a token that was written, at temperature 1 [nats]. */
  readonly entropy: number
  /** To the reference, of a response: mean of log p - log p0 over its tokens' sum, at temperature 1 [nats]; may be below 0. */
  readonly kl?: number
  /** Share of the groups whose rewards are all equal, so that they teach nothing. */
  readonly uniformGroups: number
}

/** An iteration of a trainer that learns from what it writes. */
export type IterationRecord = LoopRecord<RolloutRecord>

/**
 * What the rollouts of an iteration say; `groups` are those of one task each.
 * @param logpRef of the tokens of each rollout under the reference, in order
 */
export function rolloutRecord(
  groups: readonly (readonly Rollout[])[],
  logpRef?: readonly Float32Array[],
): RolloutRecord {
  const all = groups.flat()
  const responses = all.map(({ response }) => response)
  const unscored: Partial<Record<UnscoredCode, number>> = {}
  for (const { score } of all)
    if (score.value === null) unscored[score.code] = (unscored[score.code] ?? 0) + 1
  const oracle = all.flatMap(({ oracle }) => oracle ?? [])
  return {
    reward: meanValue(all.map(({ score }) => score)),
    parts: partMeans(all.map(({ score }) => score)),
    ...(oracle.length === 0 ? {} : { oracle: meanValue(oracle) }),
    samples: all.length,
    unscored,
    length: average(responses.map(({ length }) => length)),
    stopped: average(all.map(({ stopped }) => Number(stopped))),
    distinct1: distinctShare(responses, 1),
    distinct2: distinctShare(responses, 2),
    entropy: -average(all.flatMap(({ logp }) => logp)),
    ...(logpRef === undefined
      ? {}
      : { kl: average(all.map(({ logp }, row) => sum(logp) - sum(logpRef[row]!))) }),
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

function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let index = 0; index < values.length; index++) total += values[index]!
  return total
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

/** Records on disk, one JSON line an iteration. */
export function recordLog(path: string): {
  /** Writes those before a resumption; lines of iterations that will be done again are gone. */
  resumeAt(records: readonly object[]): Promise<void>
  write(record: object): Promise<void>
} {
  const line = (record: object) => `${JSON.stringify(record)}\n`
  return {
    async resumeAt(records) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, records.map(line).join(''))
    },
    write: (record) => appendFile(path, line(record)),
  }
}
