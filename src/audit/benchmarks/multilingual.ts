import { cohenKappa, mean, variance } from '../../stats/index.ts'
import type { BenchmarkItem } from './benchmark.ts'
import type { ItemResult } from './item-result.ts'
import type { BenchmarkResult } from './run-benchmark.ts'

/** Subsets of a benchmark in several languages are called `LANGUAGE/SUBSET`, ids `LANGUAGE/ID`. */
export function inLanguage<Item extends BenchmarkItem>(language: string, item: Item): Item {
  return { ...item, id: `${language}/${item.id}`, subset: `${language}/${item.subset}`, cluster: item.id }
}

export interface MultilingualSummary {
  /** Mean of the sections that the language has. */
  readonly byLanguage: Readonly<Record<string, number>>
  /** Mean over languages. */
  readonly average: number | null
  /** Mean and sample variance (n - 1, in squared units) with the merged languages as one. */
  readonly mergedAverage: number | null
  readonly variance: number | null
  /** Of the base language minus each other's mean; null without the base language. */
  readonly drop: number | null
  /** Cohen's kappa of the verdicts with those in the base language, and its mean; empty without the base language. */
  readonly agreement: Readonly<Record<string, number>>
  readonly meanAgreement: number | null
}

export interface MultilingualOptions {
  /** Sections of every language, with their subsets. */
  readonly sections: readonly string[]
  /** Language of the originals, such as `eng`. */
  readonly base: string
  /** Languages counted as one (two scripts of Chinese). */
  readonly merged?: readonly string[]
}

/** What a result says across languages; its sections are called `LANGUAGE/SECTION`. */
export function multilingualSummary(
  { sections, rows }: Pick<BenchmarkResult, 'sections' | 'rows'>,
  { sections: names, base, merged = [] }: MultilingualOptions,
): MultilingualSummary {
  const scores = new Map(sections.map(({ name, score }) => [name, score]))
  const languages = [...new Set(sections.map(({ name }) => languageOf(name)))]
  const byLanguage = Object.fromEntries(
    languages.flatMap((language) => {
      const known = names.flatMap((name) => scores.get(`${language}/${name}`) ?? [])
      const score = mean(known)
      return score === null ? [] : [[language, score] as const]
    }),
  )
  const others = Object.entries(byLanguage).filter(([language]) => language !== base)
  const mergedScores = mergedColumns(Object.fromEntries(others), merged)
  const labels = Map.groupBy(rows, ({ item }) => languageOf(item.id))
  const ofBase = new Map(labels.get(base)?.map((row) => [ownId(row), verdictLabel(row)]))
  const agreement = Object.fromEntries(
    [...labels].flatMap(([language, own]) => {
      if (language === base || ofBase.size === 0) return []
      const both = own.filter((row) => ofBase.has(ownId(row)))
      const kappa = labelAgreement(
        both.map(verdictLabel),
        both.map((row) => ofBase.get(ownId(row))!),
      )
      return kappa === null ? [] : [[language, kappa] as const]
    }),
  )
  const average = mean(others.map(([, score]) => score))
  return {
    byLanguage,
    average,
    mergedAverage: mean(mergedScores),
    variance: variance(mergedScores, { ddof: 1 }),
    drop: average === null || byLanguage[base] === undefined ? null : byLanguage[base] - average,
    agreement,
    meanAgreement: mean(Object.values(agreement)),
  }
}

/** The columns of a table of languages, those of `merged` replaced by their mean. */
export function mergedColumns(
  scores: Readonly<Record<string, number>>,
  merged: readonly string[],
): readonly number[] {
  const kept = Object.entries(scores).flatMap(([language, score]) =>
    merged.includes(language) ? [] : [score],
  )
  const one = mean(merged.flatMap((language) => scores[language] ?? []))
  return one === null ? kept : [...kept, one]
}

/** Cohen's kappa of two lists of verdicts; 1 when both say the same one thing throughout. Null for no items. */
export function labelAgreement(a: readonly number[], b: readonly number[]): number | null {
  const agreement = cohenKappa(a, b)
  return agreement && (agreement.kappa ?? 1)
}

/** 0 for the right side, 1 for the wrong one, 2 for neither. */
function verdictLabel({ outcome }: ItemResult): number {
  return outcome === 'right' ? 0 : outcome === 'wrong' ? 1 : 2
}

function languageOf(name: string): string {
  return name.slice(0, name.indexOf('/'))
}

function ownId({ item }: ItemResult): string {
  return item.id.slice(item.id.indexOf('/') + 1)
}
