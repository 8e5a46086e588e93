import { type Preference, type Turns, textOf } from '../../core/index.ts'
import { formFeatures, ngramCounts } from '../../rewards/learned/surface-features.ts'
import { tokenise } from '../../rewards/verifiable/text/tokens.ts'
import {
  formRidge,
  ngramRidge,
  type SparseFeatures,
  sparseBradleyTerry,
  sparseScore,
} from './sparse-bradley-terry.ts'

export interface NgramOptions {
  /** Longest run of words. @default 2 */
  readonly longest?: number
  /** Weight of half the squared weights, for each pair; form and length are hardly held back. @default 3 */
  readonly ridge?: number
  /** Whether the number of words counts too. @default true */
  readonly length?: boolean
  /** Whether the form of the text counts too. @default false */
  readonly form?: boolean
}

/** A logistic model of preferences over bags of words: what a trained reward model has to beat. */
export interface NgramBaseline {
  /** Log-odds; only differences mean something. */
  score(output: Turns): number
  readonly features: number
}

/** Bradley-Terry over log(1 + count) of n-grams; of those that stand in two answers or more. */
export function ngramBaseline(
  preferences: readonly Preference[],
  { longest = 2, ridge = ngramRidge, length = true, form = false }: NgramOptions = {},
): NgramBaseline {
  const places = new Map<string, number>()
  const placeOf = (output: Turns) => {
    const text = textOf(output)
    if (!places.has(text)) places.set(text, places.size)
    return places.get(text)!
  }
  const comparisons = preferences.map(({ chosen, rejected }) => ({
    better: placeOf(chosen),
    worse: placeOf(rejected),
  }))
  const counted = [...places.keys()].map((text) => countsOf(text, { longest, length, form }))
  const index = new Map<string, number>()
  for (const counts of counted)
    for (const name of counts.keys()) if (!index.has(name)) index.set(name, index.size)
  const featuresOf = (counts: ReadonlyMap<string, number>): SparseFeatures =>
    [...counts].flatMap(([name, count]) => {
      const feature = index.get(name)
      return feature === undefined ? [] : [[feature, count] as const]
    })
  const names = [...index.keys()]
  const model = sparseBradleyTerry(counted.map(featuresOf), index.size, comparisons, {
    ridge: (feature) => (names[feature]!.startsWith('\n') ? formRidge : ridge),
  })
  return {
    score: (output) => sparseScore(featuresOf(countsOf(textOf(output), { longest, length, form })), model),
    features: index.size,
  }
}

function countsOf(
  text: string,
  { longest, length, form }: { readonly longest: number; readonly length: boolean; readonly form: boolean },
): Map<string, number> {
  const counts = ngramCounts(text, longest)
  const features = new Map([...counts].map(([name, count]) => [name, Math.log1p(count)]))
  // names with a line break are no n-grams
  if (length) features.set('\nwords', Math.log1p(tokenise(text, 'unicode', true).length))
  if (form) for (const [name, value] of Object.entries(formFeatures(text))) features.set(`\n${name}`, value)
  return features
}
