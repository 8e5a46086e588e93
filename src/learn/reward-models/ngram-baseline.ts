import { type Preference, type Turns, textOf } from '../../core/index.ts'
import { formFeatures } from '../../rewards/learned/surface-features.ts'
import { tokenise } from '../../rewards/verifiable/text/tokens.ts'
import { sigmoid } from '../../stats/logistic.ts'

export interface NgramOptions {
  /** Longest run of words. @default 2 */
  readonly longest?: number
  /** Answers that an n-gram must stand in. @default 2 */
  readonly least?: number
  /** Weight of half the squared weights, for each pair. @default 1e-3 */
  readonly ridge?: number
  /** @default 150 */
  readonly iterations?: number
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

/**
 * Bradley-Terry over counts of n-grams, log(1 + count), each brought to deviation 1: Adam over all pairs at once, in
 * plain numbers.
 */
export function ngramBaseline(
  preferences: readonly Preference[],
  { longest = 2, least = 2, ridge = 1e-3, iterations = 150, length = true, form = false }: NgramOptions = {},
): NgramBaseline {
  const places = new Map<string, number>()
  const answers: string[] = []
  const placeOf = (output: Turns) => {
    const text = textOf(output)
    let place = places.get(text)
    if (place === undefined) {
      place = answers.length
      places.set(text, place)
      answers.push(text)
    }
    return place
  }
  const pairs = preferences.map(({ chosen, rejected }) => [placeOf(chosen), placeOf(rejected)] as const)
  const counted = answers.map((text) => ngrams(text, longest, form))
  const standsIn = new Map<string, number>()
  for (const counts of counted)
    for (const name of counts.keys()) standsIn.set(name, (standsIn.get(name) ?? 0) + 1)
  const index = new Map<string, number>()
  for (const [name, count] of standsIn) if (count >= least) index.set(name, index.size)
  const size = index.size + 1 // the last is length
  const featuresOf = (counts: ReadonlyMap<string, number>): Features => {
    const features: [number, number][] = []
    let words = 0
    for (const [name, count] of counts) {
      if (!name.includes(' ')) words += count
      const at = index.get(name)
      if (at !== undefined) features.push([at, Math.log1p(count)])
    }
    if (length) features.push([size - 1, Math.log1p(words)])
    return features
  }
  const rows = counted.map(featuresOf)
  const scale = deviations(rows, size)
  const weights = new Float64Array(size)
  const first = new Float64Array(size)
  const second = new Float64Array(size)
  const scoreOf = (features: Features) =>
    features.reduce((sum, [at, value]) => sum + (weights[at]! * value) / scale[at]!, 0)
  for (let iteration = 1; iteration <= iterations; iteration++) {
    const scores = rows.map(scoreOf)
    const pull = new Float64Array(rows.length)
    for (const [better, worse] of pairs) {
      const slope = 1 - sigmoid(scores[better]! - scores[worse]!)
      pull[better]! += slope
      pull[worse]! -= slope
    }
    const gradient = weights.map((weight) => -ridge * pairs.length * weight)
    rows.forEach((features, row) => {
      if (pull[row] !== 0)
        for (const [at, value] of features) gradient[at]! += (pull[row]! * value) / scale[at]!
    })
    for (let at = 0; at < size; at++) {
      const slope = gradient[at]! / pairs.length
      first[at] = 0.9 * first[at]! + 0.1 * slope
      second[at] = 0.999 * second[at]! + 0.001 * slope ** 2
      const step = first[at]! / (1 - 0.9 ** iteration)
      weights[at]! += (0.03 * step) / (Math.sqrt(second[at]! / (1 - 0.999 ** iteration)) + 1e-8)
    }
  }
  return { score: (output) => scoreOf(featuresOf(ngrams(textOf(output), longest, form))), features: size }
}

type Features = readonly (readonly [index: number, value: number])[]

function ngrams(text: string, longest: number, form: boolean): Map<string, number> {
  const words = tokenise(text, 'unicode', true)
  const counts = new Map<string, number>()
  for (let size = 1; size <= longest; size++)
    for (let at = 0; at + size <= words.length; at++) {
      const name = words.slice(at, at + size).join(' ')
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  if (form)
    for (const [name, value] of Object.entries(formFeatures(text)))
      counts.set(`form: ${name}`, Math.expm1(value))
  return counts
}

function deviations(rows: readonly Features[], size: number): Float64Array {
  const sums = new Float64Array(size)
  const squares = new Float64Array(size)
  for (const features of rows)
    for (const [at, value] of features) {
      sums[at]! += value
      squares[at]! += value ** 2
    }
  return sums.map((sum, at) => {
    const mean = sum / rows.length
    return Math.sqrt(Math.max(squares[at]! / rows.length - mean ** 2, 0)) || 1
  })
}
