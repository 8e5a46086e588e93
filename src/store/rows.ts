import type { SQLInputValue } from 'node:sqlite'
import type { Score, UnscoredCode } from '../core/index.ts'
import { groupHash, sampleText } from './sample-text.ts'
import type { PlacedSample, RewardScores } from './store.ts'

export interface ScoreRow {
  readonly position: number
  readonly value: number | null
  readonly code: UnscoredCode | null
  readonly reason: string | null
  readonly abstained: number | null
  readonly parts: string | null
  readonly details: string | null
}

/** Rows of the tables `samples` and `contents`, end to end. */
export function sampleRows(run: number, samples: readonly PlacedSample[]) {
  const heads: SQLInputValue[] = []
  const contents: SQLInputValue[] = []
  for (const { position, sample } of samples) {
    heads.push(run, position, sample.id, groupHash(sample))
    contents.push(run, position, sampleText(sample))
  }
  return { heads, contents }
}

/** Rows of the table `scores`, end to end. */
export function scoreRows(reward: number, { positions, scores }: RewardScores): SQLInputValue[] {
  const rows: SQLInputValue[] = []
  for (let index = 0; index < positions.length; index++) {
    const score = scores[index]!
    const failed = score.value === null ? score : undefined
    rows.push(
      reward,
      positions[index]!,
      score.value,
      failed?.code ?? null,
      failed?.reason ?? null,
      failed?.abstained ? 1 : null,
      score.parts === undefined ? null : JSON.stringify(score.parts),
      detailsText(score),
    )
  }
  return rows
}

/** Everything that a score says beside its value, code, reason and parts; null when there is nothing more. */
function detailsText({ uncertainty, rationale, evidence, usage, meta }: Score): string | null {
  if (
    uncertainty === undefined &&
    rationale === undefined &&
    evidence === undefined &&
    usage === undefined &&
    meta === undefined
  )
    return null
  return JSON.stringify({ uncertainty, rationale, evidence, usage, meta })
}

export function scoreOf({ value, code, reason, abstained, parts, details }: ScoreRow): Score {
  if (value !== null && parts === null && details === null) return { value } // most are
  const rest = {
    ...(parts === null ? {} : { parts: JSON.parse(parts) }),
    ...(details === null ? {} : JSON.parse(details)),
  }
  return value !== null
    ? { value, ...rest }
    : {
        value,
        code: code!,
        reason: reason ?? '',
        ...(abstained === null ? {} : { abstained: true }),
        ...rest,
      }
}
