import { type Comparator, type Comparison, type Pair, Rng } from '../src/core/index.ts'
import type { EmbeddedLanguageModel } from '../src/nets/embedded/index.ts'
import { slotReport } from '../src/rewards/judge/index.ts'
import { wilsonInterval } from '../src/stats/index.ts'
import type { PairSet } from './_judge-sets.ts'

/** One line of the table: a judge on a set of pairs with an embedded model. */
export interface JudgeRow {
  /** Number of the system's card; absent for a baseline. */
  readonly card?: number
  readonly method: string
  /** What is asked and how it is read, in a few words. */
  readonly protocol: string
  readonly model: 'text-lm' | 'text-lm-sft' | 'text-reactions' | 'scenes-vlm' | 'none'
  readonly set: PairSet
  readonly judge: (model: EmbeddedLanguageModel) => Comparator
}

export interface JudgeResult {
  readonly card: number | ''
  readonly method: string
  readonly protocol: string
  readonly model: string
  readonly set: string
  readonly pairs: number
  /** Pairs that got a verdict. */
  readonly judged: number
  /** Share of the judged that prefer what the oracle prefers, a tie decided by a seeded coin, with Wilson's interval. */
  readonly accuracy: number | ''
  readonly low: number | ''
  readonly high: number | ''
  readonly ties: number
  readonly slotBias: number | ''
  readonly inconsistent: number | ''
  /** Share of replies that could be read. */
  readonly parsed: number | ''
  /** Of pairs without a verdict, the first reason. */
  readonly why: string
}

/** Judges every pair; the first of each is the better one. */
export async function judged(
  row: JudgeRow,
  pairs: readonly Pair[],
  model: EmbeddedLanguageModel,
): Promise<JudgeResult> {
  const comparisons = await row.judge(model).compare(pairs, { rng: new Rng('judges') })
  const right = pairs.filter(({ id }, index) => {
    const { value } = comparisons[index]!
    return value !== null && (value === 0.5 ? new Rng(`coin/${id}`).chance(0.5) : value > 0.5)
  }).length
  const report = slotReport(comparisons)
  const interval = wilsonInterval(right, report.judged)
  return {
    card: row.card ?? '',
    method: row.method,
    protocol: row.protocol,
    model: row.model,
    set: row.set.name,
    pairs: pairs.length,
    judged: report.judged,
    accuracy: rounded(interval?.estimate),
    low: rounded(interval?.low),
    high: rounded(interval?.high),
    ties: report.ties,
    slotBias: rounded(report.slotBias),
    inconsistent: rounded(report.inconsistent),
    parsed: rounded(report.parsed),
    why: comparisons.map(reasonOf).find((reason) => reason !== '') ?? '',
  }
}

function reasonOf(comparison: Comparison): string {
  return comparison.value === null ? comparison.reason.slice(0, 90) : ''
}

function rounded(value: number | null | undefined): number | '' {
  return value == null ? '' : Math.round(value * 1000) / 1000
}
