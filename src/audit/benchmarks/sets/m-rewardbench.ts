import { trl } from '../../../data/conventions/pairs.ts'
import { mean, variance } from '../../../stats/index.ts'
import { text } from '../../../worlds/index.ts'
import { type BenchmarkItem, defineBenchmark, type GenerateOptions } from '../benchmark.ts'
import { pairsOfReading } from '../items.ts'
import { inLanguage, mergedColumns } from '../multilingual.ts'
import { publishedRows } from '../published.ts'
import { rewardBenchCounts, rewardBenchRules, rewardBenchSections } from './rewardbench.ts'
import { taskPair } from './text-preference.ts'

export const mRewardBenchLanguages = [
  ...['arb_Arab', 'ces_Latn', 'deu_Latn', 'ell_Grek', 'fra_Latn', 'heb_Hebr', 'hin_Deva', 'ind_Latn'],
  ...['ita_Latn', 'jpn_Jpan', 'kor_Hang', 'nld_Latn', 'pes_Arab', 'pol_Latn', 'por_Latn', 'ron_Latn'],
  ...['rus_Cyrl', 'spa_Latn', 'tur_Latn', 'ukr_Cyrl', 'vie_Latn', 'zho_Hans', 'zho_Hant'],
] as const

/** Two scripts of one language: one column of the published heat map. */
export const mergedLanguages = ['zho_Hans', 'zho_Hant'] as const

/** Sections and weights for several languages, the subsets of each named `LANGUAGE/SUBSET`. */
function inLanguages(languages: readonly string[], counts: Readonly<Record<string, number>>) {
  return {
    sections: Object.fromEntries(
      languages.flatMap((language) =>
        Object.entries(rewardBenchSections).map(([section, subsets]) => [
          `${language}/${section}`,
          subsets.map((subset) => `${language}/${subset}`),
        ]),
      ),
    ),
    weights: Object.fromEntries(
      languages.flatMap((language) =>
        Object.entries(counts).map(([subset, count]) => [`${language}/${subset}`, count]),
      ),
    ),
  }
}

const columns = [
  ...['ar', 'cs', 'de', 'el', 'fr', 'he', 'hi', 'id', 'it', 'jp', 'kr'],
  ...['nl', 'fa', 'pl', 'pt', 'ro', 'ru', 'es', 'tr', 'uk', 'vi', 'zh'],
] as const

/**
 * RewardBench in 23 languages: sections as there, the plain mean of the four for a language, the plain mean over
 * languages. Scalar rewards are weighted by the counts of the filtered sets, judges by the original ones, as the two
 * released scripts do. `multilingualSummary` gives variance, drop and agreement with English (whose rows are those of
 * `rewardbench`, read as language `eng`).
 */
export const mRewardBench = defineBenchmark({
  name: 'm-rewardbench',
  title: 'M-RewardBench',
  source: 'arXiv 2410.15522',
  summary: 'Prefers the better of two answers in 23 languages.',
  kind: 'preference',
  chance: 0.5,
  hub: mRewardBenchLanguages.map(
    (language) => `hf://C4AI-Community/multilingual-reward-bench/test?config=${language}`,
  ),
  read: (row, _joined, file) => {
    const language =
      mRewardBenchLanguages.find((name) => file.includes(name)) ?? languageOf(row.record.language)
    return pairsOfReading(trl.read(row), row.text('source')).map((item) => inLanguage(language, item))
  },
  aggregation: {
    ...rewardBenchRules.aggregation,
    ...inLanguages(mRewardBenchLanguages, rewardBenchCounts.filtered),
  },
  comparatorRules: {
    ...rewardBenchRules.comparatorRules,
    ...inLanguages(mRewardBenchLanguages, rewardBenchCounts.original),
  },
  published: {
    rows: publishedRows(['average', 'variance', ...columns], {
      'Llama 3 70B': [
        ...[71.8, 1.5],
        ...[70.8, 72.0, 72.2, 71.8, 73.1, 70.3, 72.7, 71.9, 71.9, 72.9, 73.3],
        ...[71.3, 68.6, 73.0, 72.9, 72.9, 73.1, 72.4, 69.4, 71.4, 71.5, 71.0],
      ],
      'Tulu 2 13B DPO': [
        ...[68.1, 25.0],
        ...[63.7, 69.8, 73.6, 63.5, 72.1, 57.5, 72.2, 59.8, 59.4, 72.2, 72.7],
        ...[65.6, 66.1, 71.2, 71.4, 73.4, 71.5, 72.1, 62.6, 70.0, 69.3, 69.3],
      ],
    }),
    recompute: (values) => {
      const scores = columns.map((column) => values[column]!)
      return { average: mean(scores), variance: variance(scores, { ddof: 1 }) }
    },
    tolerance: 0.1,
  },
})

/** A language as the data name it, else what the row says; `eng` for rows without one. */
function languageOf(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : 'eng'
}

/** Average over languages and variance over merged columns, of scores in percent by language. */
export function averageAndVariance(scores: Readonly<Record<string, number>>) {
  const merged = mergedColumns(scores, mergedLanguages)
  return {
    average: mean(Object.values(scores)),
    mergedAverage: mean(merged),
    variance: variance(merged, { ddof: 1 }),
  }
}

const textLanguages = ['eng', 'language-1', 'language-2'] as const
const textKinds = ['describe', 'lookup', 'name'] as const

/**
 * The same pairs of answers in the base language of the text world and in two others with words, scripts and word
 * orders of their own, translated without loss.
 */
export const textLanguagesBenchmark = defineBenchmark({
  name: 'text-languages',
  title: 'Text world: three languages',
  source: 'generated, after M-RewardBench',
  summary: 'Prefers the better of two answers, in whatever language.',
  kind: 'preference',
  chance: 0.5,
  generate: languagePairs,
  aggregation: {
    sections: Object.fromEntries(
      textLanguages.flatMap((language) =>
        textKinds.map((kind) => [`${language}/${kind}`, [`${language}/${kind}`]] as const),
      ),
    ),
    top: 'macro',
  },
})

/** `size` pairs of each kind, each in three languages. */
function* languagePairs({ seed = 0, size = 40 }: GenerateOptions): Generator<BenchmarkItem> {
  const spoken = [undefined, text.language(1), text.language(2)]
  for (const kind of textKinds) {
    let made = 0
    for (let index = 0; made < size; index++) {
      const { task, first, second, truth } = text.annotatedPair(`languages/${seed}/${kind}`, index, {
        split: 'test',
        instruction: { asks: { [kind]: 1 } },
      })
      if (truth === 0.5) continue
      made++
      for (const [number, language] of textLanguages.entries()) {
        const label = truth === 1 ? 1 : -1
        yield inLanguage(
          language,
          taskPair(`${kind}/${index}`, kind, task, [first, second], label, spoken[number]),
        )
      }
    }
  }
}
