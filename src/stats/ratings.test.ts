import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { eloIntervals, eloRatings } from './elo.ts'
import { onScale, ratings } from './ratings.ts'
import { styledBradleyTerry } from './styled-bradley-terry.ts'

/** 400 votes between five items whose length counts too, from a generator that any language can repeat. */
function arena() {
  let state = 1
  const next = () => {
    state = Number((BigInt(state) * 1103515245n + 12345n) % 2147483648n)
    return state / 2147483648
  }
  const votes = { a: [] as number[], b: [] as number[], values: [] as number[], length: [] as number[] }
  for (let vote = 0; vote < 400; vote++) {
    const a = Math.floor(next() * 5)
    const b = (a + 1 + Math.floor(next() * 4)) % 5
    const x = next()
    const [longA, longB] = [1 + Math.floor(next() * 200), 1 + Math.floor(next() * 200)]
    const p = 1 / (1 + Math.exp((b - a) / 2 - (1.2 * (longA - longB)) / (longA + longB)))
    votes.a.push(a)
    votes.b.push(b)
    votes.values.push(x < 0.2 ? 0.5 : (x - 0.2) / 0.8 < p ? 1 : 0)
    votes.length.push((longA - longB) / (longA + longB + 1))
  }
  return votes
}

// Expected numbers: Chatbot Arena's published fitting functions on the same votes.
test('ratings are those of the published fit, to two decimals', () => {
  const { ratings: found, undefinedResamples } = ratings(5, arena(), { rng: new Rng('arena') })
  const expected = [841.0573, 945.4153, 995.2796, 1072.5426, 1145.7052]
  for (const { item, rating, low, high } of found) {
    expect(rating).toBeCloseTo(expected[item]!, 2)
    expect(low).toBeLessThan(rating)
    expect(high).toBeGreaterThan(rating)
  }
  expect(found.map(({ item }) => item)).toEqual([4, 3, 2, 1, 0])
  expect(found[0]!.place).toBe(1)
  expect(found[4]!.place).toBeGreaterThan(1)
  expect(undefinedResamples).toBe(0)
})

test('style control gives the published strengths and the weight of length', () => {
  const { length, ...votes } = arena()
  const { logStrengths, style, styleErrors } = styledBradleyTerry(5, { ...votes, features: { length } })
  const expected = [839.2956, 943.8115, 994.8981, 1075.088, 1146.9069]
  onScale(logStrengths).forEach((rating, item) => {
    expect(rating).toBeCloseTo(expected[item]!, 2)
  })
  expect(style.length).toBeCloseTo(0.351024, 5)
  expect(styleErrors.length).toBeGreaterThan(0.05)
  expect(styleErrors.length).toBeLessThan(0.2)
})

test('style control: a feature that never varies has no weight, a bad one is named', () => {
  const { length: _, ...votes } = arena()
  const flat = styledBradleyTerry(5, { ...votes, features: { flat: votes.a.map(() => 3) } })
  expect(flat.style).toEqual({ flat: 0 })
  expect(() => styledBradleyTerry(5, { ...votes, features: { short: [1] } })).toThrow(/"short": 1 values/)
})

test('Elo in the order of the votes is the published one; over resamples the order does not matter', () => {
  const votes = arena()
  const expected = [905.998078, 965.316125, 990.549105, 1053.696029, 1084.440663]
  eloRatings(5, votes).forEach((rating, item) => {
    expect(rating).toBeCloseTo(expected[item]!, 5)
  })
  const intervals = eloIntervals(5, votes, { rng: new Rng('elo') })
  expect(intervals.map(({ item }) => item)).toEqual([4, 3, 2, 1, 0])
  for (const { rating, low, high } of intervals) {
    expect(low).toBeLessThanOrEqual(rating)
    expect(high).toBeGreaterThanOrEqual(rating)
  }
})

test('intervals cover the truth about as often as they say, and clusters widen them', () => {
  const rng = new Rng('coverage')
  let [covered, narrower] = [0, 0]
  const trials = 60
  for (let trial = 0; trial < trials; trial++) {
    const votes = { a: [] as number[], b: [] as number[], values: [] as number[] }
    const voters: number[] = []
    for (let voter = 0; voter < 40; voter++) {
      const taste = rng.normal() * 1.5
      for (let vote = 0; vote < 5; vote++) {
        votes.a.push(0)
        votes.b.push(1)
        votes.values.push(rng.chance(1 / (1 + Math.exp(-taste))) ? 1 : 0)
        voters.push(voter)
      }
    }
    const options = { rng: rng.fork(trial), prior: 1, resamples: 200 }
    const [alone, clustered] = [
      ratings(2, votes, options),
      ratings(2, votes, { ...options, clusters: voters }),
    ]
    const width = ({ ratings: [first] }: typeof alone) => first!.high - first!.low
    if (width(alone) < width(clustered)) narrower++
    const first = clustered.ratings.find(({ item }) => item === 0)!
    if (first.low <= 1000 && first.high >= 1000) covered++ // taste has mean 0: neither item is better
  }
  expect(covered / trials).toBeGreaterThan(0.85)
  expect(narrower / trials).toBeGreaterThan(0.95)
})

test('an anchored item keeps its rating, and a clean sweep without a prior is told', () => {
  const votes = arena()
  const { ratings: found } = ratings(5, votes, {
    rng: new Rng('anchor'),
    anchor: { item: 2, rating: 1114 },
    resamples: 10,
  })
  const anchored = found.find(({ item }) => item === 2)!
  expect([anchored.rating, anchored.low, anchored.high]).toEqual([1114, 1114, 1114])
  const sweep = { a: [0, 0], b: [1, 1], values: [1, 1] }
  expect(() => ratings(2, sweep, { rng: new Rng(0) })).toThrow(/never lost/)
  expect(ratings(2, sweep, { rng: new Rng(0), prior: 1 }).ratings[0]!.item).toBe(0)
  // Resamples that happen to be a sweep are left out and counted.
  const nearly = { a: [0, 0, 0], b: [1, 1, 1], values: [1, 1, 0] }
  const { undefinedResamples, resampled } = ratings(2, nearly, { rng: new Rng(0), resamples: 50 })
  expect(undefinedResamples).toBeGreaterThan(5)
  expect(resampled).toHaveLength(50 - undefinedResamples)
})
