import { levenshteinSimilarity } from '../text/edit-distance.ts'
import { multisetJaccard } from '../text/jaccard.ts'
import type { ChartRecord, ChartValue } from './chart-record.ts'

/**
 * Share of values that are right, position by position, over the length of the longer list: numbers within 5% of the
 * gold value (|p - g| <= 0.05 |g| + 1e-9, so that a gold 0 needs 0), everything else exactly. 1 for two empty lists.
 *
 * @source MSRL, arXiv 2508.13587; the slack and the longer length are fixed here, the paper does not give them
 */
export function valuesScore(predicted: readonly ChartValue[], gold: readonly ChartValue[]): number {
  const length = Math.max(predicted.length, gold.length)
  if (length === 0) return 1
  let right = 0
  for (let i = 0; i < Math.min(predicted.length, gold.length); i++) {
    const [p, g] = [predicted[i]!, gold[i]!]
    const close =
      typeof p === 'number' && typeof g === 'number' && Math.abs(p - g) <= 0.05 * Math.abs(g) + 1e-9
    if (p === g || (close && Number.isFinite(g))) right++
  }
  return right / length
}

/** Mean of `valuesScore` over the gold's series, found by name; a missing one counts 0. Null when gold has none. */
export function seriesScore(
  predicted: ReadonlyMap<string, readonly ChartValue[]>,
  gold: ReadonlyMap<string, readonly ChartValue[]>,
): number | null {
  if (gold.size === 0) return null
  let sum = 0
  for (const [name, values] of gold) {
    // The name of an only series says nothing that the chart shows.
    const given = gold.size === 1 && predicted.size === 1 ? [...predicted.values()][0] : predicted.get(name)
    sum += given ? valuesScore(given, values) : 0
  }
  return sum / gold.size
}

export interface TextTerms {
  readonly data: number | null
  readonly type: number
  readonly layout: number
  readonly title: number
  readonly labels: number
}

type Described = Pick<
  ChartRecord,
  'type' | 'layout' | 'series' | 'title' | 'subtitle' | 'xLabel' | 'yLabel'
> & {
  readonly sources?: readonly string[]
}

/**
 * The five terms of MSRL's text reward, each in [0, 1]. Data that the gold does not hold itself is compared by
 * address; `data` is null where it holds none at all.
 */
export function textTerms(predicted: Described, gold: Described): TextTerms {
  const full = ({ title, subtitle }: Described) => (subtitle === '' ? title : `${title}\n${subtitle}`)
  return {
    data: dataScore(predicted, gold),
    type: predicted.type === gold.type ? 1 : 0,
    layout: predicted.layout[0] === gold.layout[0] && predicted.layout[1] === gold.layout[1] ? 1 : 0,
    title: levenshteinSimilarity(full(predicted), full(gold)),
    labels:
      (levenshteinSimilarity(predicted.xLabel, gold.xLabel) +
        levenshteinSimilarity(predicted.yLabel, gold.yLabel)) /
      2,
  }
}

function dataScore(predicted: Described, gold: Described): number | null {
  const inline = seriesScore(predicted.series, gold.series)
  const sources = gold.sources?.length ? multisetJaccard(predicted.sources ?? [], gold.sources) : null
  if (inline === null || sources === null) return inline ?? sources
  return (inline + sources) / 2
}

/** Null where neither chart has what the term compares: nothing is not paid for being equal to nothing. */
export interface StructureTerms {
  readonly marks: number
  readonly encodings: number | null
  readonly data: number | null
  readonly layout: number | null
  readonly transforms: number | null
  readonly texts: number | null
}

/**
 * How far two charts say the same, term by term in [0, 1] (ours): multiset Jaccards of marks, of encodings (half for
 * the field on its channel, half for the whole definition) and of transforms, the share of right values of measures
 * and dimensions, the layout, and the edit similarity of title and axis titles. All 1 or null for a chart and itself.
 */
export function structureTerms(predicted: ChartRecord, gold: ChartRecord): StructureTerms {
  const terms = textTerms(predicted, gold)
  const fields = ({ encodings }: ChartRecord) => encodings.map(({ channel, field }) => `${channel}=${field}`)
  const whole = ({ encodings }: ChartRecord) =>
    encodings.map(({ channel, field, type, details }) => `${channel}=${field} ${type} ${details}`)
  const categories = seriesScore(predicted.categories, gold.categories)
  const both = (has: (record: ChartRecord) => boolean, score: number | null) =>
    has(predicted) || has(gold) ? (score ?? 0) : null
  const data = categories === null || terms.data === null ? terms.data : (terms.data + categories) / 2
  const texts = (
    [
      ['title', terms.title],
      ['labels', terms.labels],
    ] as const
  ).filter(([kind]) =>
    [predicted, gold].some((record) => (kind === 'title' ? titled(record) : labelled(record))),
  )
  return {
    marks: multisetJaccard(predicted.marks, gold.marks),
    encodings: both(
      ({ encodings }) => encodings.length > 0,
      (multisetJaccard(fields(predicted), fields(gold)) + multisetJaccard(whole(predicted), whole(gold))) / 2,
    ),
    data: both(({ series, sources }) => series.size + sources.length > 0, data),
    layout: both(({ layout: [rows, columns] }) => rows * columns > 1, terms.layout),
    transforms: both(
      ({ transforms }) => transforms.length > 0,
      multisetJaccard(predicted.transforms, gold.transforms),
    ),
    texts: texts.length === 0 ? null : texts.reduce((sum, [, score]) => sum + score, 0) / texts.length,
  }
}

/** Whether a chart holds any value that it could draw. */
export function holdsData({ series }: Pick<ChartRecord, 'series'>): boolean {
  return [...series.values()].some((values) => values.some((value) => value !== null))
}

export function titled({ title, subtitle }: Pick<ChartRecord, 'title' | 'subtitle'>): boolean {
  return title !== '' || subtitle !== ''
}

export function labelled({ xLabel, yLabel }: Pick<ChartRecord, 'xLabel' | 'yLabel'>): boolean {
  return xLabel !== '' || yLabel !== ''
}
