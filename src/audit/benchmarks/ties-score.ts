import { mean } from '../../stats/index.ts'
import type { ItemResult } from './item-result.ts'

/** The scores of one prompt's right and wrong completions. */
export interface TiesPrompt {
  /** Prompts of the same key and different kinds are a pair. */
  readonly key: string
  /** `ref`: one right answer; `tied`: several. */
  readonly kind: 'ref' | 'tied'
  readonly correct: readonly number[]
  readonly incorrect: readonly number[]
}

export interface TiesStatistics {
  /** The worst right answer beats the best wrong one. */
  readonly accurate: boolean
  /** Best - worst right answer, in units of the reward; null with one right answer. */
  readonly spread: number | null
  /** Worst right - best wrong answer. */
  readonly gap: number
}

export function tiesStatistics({ correct, incorrect }: TiesPrompt): TiesStatistics {
  const worst = Math.min(...correct)
  const gap = worst - Math.max(...incorrect)
  return { accurate: gap > 0, spread: correct.length > 1 ? Math.max(...correct) - worst : null, gap }
}

/**
 * The score of many equally right answers, about -0.01 to 1.01: 0.3 accuracy on tied prompts + 0.3 on ref prompts
 * + 0.2 share of pairs whose tied gap exceeds the spread + 0.2 share whose smaller gap of the two does + 0.01 mean of
 * tanh(smaller gap / spread - 1). A reward that is steady across right answers and sets wrong ones clearly apart gets
 * 1. Rescaling a reward linearly changes nothing, other rescaling does. Prompts without a partner count in the two
 * accuracies. Null without prompts of both kinds.
 *
 * @source RewardBench 2, arXiv 2506.01937
 */
export function tiesScore(prompts: readonly TiesPrompt[]): number | null {
  const known = prompts.map((prompt) => ({ ...prompt, ...tiesStatistics(prompt) }))
  const tied = known.filter(({ kind }) => kind === 'tied')
  const refs = known.filter(({ kind }) => kind === 'ref')
  const accuracy = (list: typeof known) => mean(list.map(({ accurate }) => Number(accurate)))
  const [tiedAccuracy, refAccuracy] = [accuracy(tied), accuracy(refs)]
  if (tiedAccuracy === null || refAccuracy === null) return null
  // A key may stand several times (in a resample): its first ref belongs to its first tied prompt, and so on.
  const partners = Map.groupBy(refs, ({ key }) => key)
  const taken = new Map<string, number>()
  const pairs = tied.flatMap((prompt) => {
    const nth = taken.get(prompt.key) ?? 0
    taken.set(prompt.key, nth + 1)
    const partner = partners.get(prompt.key)?.[nth]
    return partner === undefined ? [] : [{ prompt, partner }]
  })
  const [preferred, preferredHard, margins] = [[] as number[], [] as number[], [] as number[]]
  for (const { prompt, partner } of pairs) {
    const spread = prompt.spread ?? Number.NaN
    const smaller = Math.min(prompt.gap, partner.gap)
    preferred.push(Number(prompt.gap > spread))
    preferredHard.push(Number(smaller > spread))
    const margin = Math.tanh(smaller / spread - 1)
    margins.push(Number.isNaN(margin) ? 0 : margin)
  }
  return (
    0.3 * tiedAccuracy +
    0.3 * refAccuracy +
    0.2 * (mean(preferred) ?? 0) +
    0.2 * (mean(preferredHard) ?? 0) +
    0.01 * (mean(margins) ?? 0)
  )
}

/**
 * The ties score of best-of items with ids `ref:N` and `tied:N`. A prompt with an unscored completion is left out;
 * `unscored: -1` puts in what the official script gives a rating judge for a reply that it cannot read.
 */
export function tiesMeasure({ unscored }: { readonly unscored?: number } = {}) {
  return (results: readonly ItemResult[]): number | null =>
    tiesScore(
      results.flatMap(({ item, values }) => {
        const [, kind, key] = /(ref|tied):(.+)$/.exec(item.id) ?? []
        if (item.kind !== 'best-of' || key === undefined) return []
        const scores = values.map((value) => value ?? unscored ?? null)
        if (scores.some((score) => score === null)) return []
        const of = (correct: boolean) =>
          scores.flatMap((score, index) => (item.correct[index] === correct ? [score!] : []))
        return [{ key, kind: kind as 'ref' | 'tied', correct: of(true), incorrect: of(false) }]
      }),
    )
}
