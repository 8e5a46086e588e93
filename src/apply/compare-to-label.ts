import { groupOf, type ScoredSample } from '../core/index.ts'
import { type CompareOptions, compare, type MeasureComparison } from './compare.ts'
import { type ComparePairsOptions, comparePairs, type PairComparison, pairTable } from './compare-pairs.ts'
import { type Measure, measureReader, type NamedMeasure, type ScoredSamples } from './measure.ts'

export interface CompareToLabelOptions
  extends Pick<CompareOptions, 'ties' | 'thresholds' | 'rng' | 'resamples' | 'level' | 'disagreements'> {
  /** What people said of each sample. */
  readonly label: Measure
  /** One or more rewards. */
  readonly rewards: readonly Measure[]
}

export interface LabelComparison {
  readonly label: string
  /** Each reward with the label, over the samples that have both. */
  readonly rewards: readonly MeasureComparison[]
  /**
   * On every two samples of a prompt: accuracy of each reward, and for every two rewards their difference with a
   * paired interval and McNemar's test on the same pairs.
   */
  readonly pairs: PairComparison
}

/** Rewards measured by a label, and against each other; the samples are read once and their texts not held. */
export async function compareToLabel(
  samples: ScoredSamples,
  { label, rewards, ...options }: CompareToLabelOptions,
): Promise<LabelComparison> {
  const readers = [label, ...rewards].map(measureReader)
  const names = readers.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (rewards.length === 0 || twice !== undefined)
    throw new RangeError(twice === undefined ? 'no reward to compare' : `"${twice}" is named twice`)
  const values = new Map<ScoredSample, readonly (number | null)[]>()
  for await (const scored of samples) {
    const { id } = scored.sample
    values.set(
      { sample: { id, prompt: '', group: groupOf(scored.sample), output: '', meta: {} }, scores: {} },
      readers.map((reader) => reader.read(scored)),
    )
  }
  for (const reader of readers) reader.finish()
  const kept = [...values.keys()]
  const [truth, ...measures] = names.map(
    (name, i): NamedMeasure => ({
      name,
      read: (scored) => values.get(scored)![i]!,
    }),
  )
  const { ties, thresholds, ...shared } = options
  const each: MeasureComparison[] = []
  for (const measure of measures)
    each.push(await compare(kept, { ...options, first: measure, second: truth! }))
  const pairs: ComparePairsOptions = { ...shared, ...ties }
  return {
    label: names[0]!,
    rewards: each,
    pairs: comparePairs(await pairTable(kept, { label: truth!, rewards: measures }), pairs),
  }
}
