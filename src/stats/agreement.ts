/** A category: whatever the raters said. */
export type Category = string | number | boolean

export interface Kappa {
  readonly n: number
  /** Share of items on which both agree (weighted when weights are). */
  readonly observed: number
  /** The share that two independent raters with these marginals would agree on. */
  readonly expected: number
  /** (observed - expected) / (1 - expected); null when expected is 1 (both raters always say the same one thing). */
  readonly kappa: number | null
}

/**
 * Cohen's kappa of two raters over the same items. `weights` other than `none` need categories in order: numbers are
 * taken as they are (distance |i - j| between the places of the categories in ascending order), or pass `order`.
 * Null for no items.
 */
export function cohenKappa(
  a: readonly Category[],
  b: readonly Category[],
  options: {
    /** Disagreement by distance of the categories' places: all alike, linear or squared. @default 'none' */
    readonly weights?: 'none' | 'linear' | 'quadratic'
    /** All categories in ascending order, unused ones included. @default those that occur, sorted */
    readonly order?: readonly Category[]
  } = {},
): Kappa | null {
  const { weights = 'none' } = options
  if (a.length !== b.length) throw new RangeError(`ratings of ${a.length} and ${b.length} items`)
  const n = a.length
  if (n === 0) return null
  const place = placesOf(options.order ?? inOrder([...a, ...b]))
  const size = place.size
  const [ofA, ofB] = [places(a, place), places(b, place)]
  const table = new Float64Array(size * size)
  for (let i = 0; i < n; i++) table[ofA[i]! * size + ofB[i]!]!++
  const rows = new Float64Array(size)
  const columns = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      rows[i]! += table[i * size + j]!
      columns[j]! += table[i * size + j]!
    }
  }
  const disagreement = (i: number, j: number) =>
    weights === 'none' ? Number(i !== j) : (Math.abs(i - j) / (size - 1)) ** (weights === 'linear' ? 1 : 2)
  let [observed, expected] = [1, 1]
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      if (i === j) continue
      observed -= (disagreement(i, j) * table[i * size + j]!) / n
      expected -= (disagreement(i, j) * rows[i]! * columns[j]!) / n / n
    }
  }
  return {
    n,
    observed,
    expected,
    kappa: 1 - expected < 1e-15 ? null : (observed - expected) / (1 - expected),
  }
}

/**
 * Fleiss' kappa: each item is rated by the same number of raters, who need not be the same people. Null when there
 * are no items or only one category was ever used.
 */
export function fleissKappa(ratings: readonly (readonly Category[])[]): number | null {
  const raters = ratings[0]?.length ?? 0
  if (ratings.length === 0) return null
  if (raters < 2) throw new RangeError('Fleiss kappa needs two or more ratings of each item')
  const total = new Map<Category, number>()
  let agreement = 0
  for (const [index, item] of ratings.entries()) {
    if (item.length !== raters)
      throw new RangeError(
        `item ${index} has ${item.length} ratings, the first has ${raters}: use krippendorffAlpha`,
      )
    for (const [category, count] of tally(item)) {
      total.set(category, (total.get(category) ?? 0) + count)
      agreement += (count * (count - 1)) / (raters * (raters - 1))
    }
  }
  const observed = agreement / ratings.length
  let expected = 0
  for (const count of total.values()) expected += (count / (ratings.length * raters)) ** 2
  return 1 - expected < 1e-15 ? null : (observed - expected) / (1 - expected)
}

/**
 * Krippendorff's alpha: 1 - observed / expected disagreement, for any number of raters and ratings left out (`null`).
 * Items with fewer than two ratings say nothing and are not counted. Levels other than `nominal` take numbers. Null
 * when nothing can be compared or only one value was ever used.
 */
export function krippendorffAlpha(
  /** One list for each item, of what its raters said. */
  ratings: readonly (readonly (Category | null)[])[],
  level: 'nominal' | 'ordinal' | 'interval' | 'ratio',
): number | null {
  const items = ratings
    .map((item) => item.filter((rating) => rating !== null))
    .filter((item) => item.length >= 2)
  const values = inOrder(items.flat())
  if (level !== 'nominal' && values.some((value) => typeof value !== 'number'))
    throw new RangeError(`level "${level}" takes numbers`)
  const place = placesOf(values)
  const totals = new Array<number>(values.length).fill(0)
  for (const item of items) for (const rating of item) totals[place.get(rating)!]!++
  const n = totals.reduce((sum, count) => sum + count, 0)
  const distance = squaredDistance(values, totals, level)
  let observed = 0
  for (const item of items) {
    const counts = [...tally(item)]
    for (const [value, count] of counts)
      for (const [other, otherCount] of counts)
        observed += (count * otherCount * distance(place.get(value)!, place.get(other)!)) / (item.length - 1)
  }
  let expected = 0
  for (let i = 0; i < values.length; i++)
    for (let j = 0; j < values.length; j++) expected += totals[i]! * totals[j]! * distance(i, j)
  return expected === 0 ? null : 1 - ((n - 1) * observed) / expected
}

function squaredDistance(
  values: readonly Category[],
  totals: readonly number[],
  level: 'nominal' | 'ordinal' | 'interval' | 'ratio',
): (i: number, j: number) => number {
  const number = (i: number) => values[i] as number
  const cumulative = totals.map(
    (
      (sum) => (count: number) =>
        (sum += count)
    )(0),
  )
  switch (level) {
    case 'nominal':
      return (i, j) => Number(i !== j)
    case 'interval':
      return (i, j) => (number(i) - number(j)) ** 2
    case 'ratio':
      return (i, j) => (i === j ? 0 : ((number(i) - number(j)) / (number(i) + number(j))) ** 2)
    case 'ordinal':
      return (i, j) => {
        const [low, high] = i < j ? [i, j] : [j, i]
        const between = cumulative[high]! - cumulative[low]! + totals[low]!
        return (between - (totals[low]! + totals[high]!) / 2) ** 2
      }
  }
}

function tally(item: readonly Category[]): Map<Category, number> {
  const counts = new Map<Category, number>()
  for (const rating of item) counts.set(rating, (counts.get(rating) ?? 0) + 1)
  return counts
}

function inOrder(categories: readonly Category[]): Category[] {
  return [...new Set(categories)].sort((a, b) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : 1,
  )
}

function placesOf(order: readonly Category[]): Map<Category, number> {
  return new Map(order.map((category, index) => [category, index]))
}

function places(ratings: readonly Category[], place: ReadonlyMap<Category, number>): number[] {
  return ratings.map((rating) => {
    const found = place.get(rating)
    if (found === undefined)
      throw new RangeError(`category ${JSON.stringify(rating)} is not in the order given`)
    return found
  })
}
