import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { bradleyTerry, bradleyTerryErrors, countPairs } from './bradley-terry.ts'

type Vote = readonly [a: number, b: number, value: number]
const count = (items: number, votes: readonly Vote[]) =>
  countPairs(items, {
    a: votes.map(([a]) => a),
    b: votes.map(([, b]) => b),
    values: votes.map(([, , value]) => value),
  })

const repeated = (times: number, vote: Vote): Vote[] => Array.from({ length: times }, () => vote)

test('two items: the log odds of the wins, ties as half', () => {
  const pairs = count(2, [...repeated(6, [0, 1, 1]), ...repeated(1, [1, 0, 1]), ...repeated(2, [1, 0, 0.5])])
  const { logStrengths } = bradleyTerry(pairs)
  expect(logStrengths[0]! - logStrengths[1]!).toBeCloseTo(Math.log(7 / 2), 9)
  expect(logStrengths[0]! + logStrengths[1]!).toBeCloseTo(0, 12)
  // Variance of a log odds of 7 to 2 is 1/7 + 1/2; each centred strength is half the difference.
  expect(bradleyTerryErrors(pairs, bradleyTerry(pairs))[0]).toBeCloseTo(Math.sqrt(1 / 7 + 1 / 2) / 2, 9)
})

test('at the fit, expected wins equal wins (the equations of a logistic regression on the votes)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 6 }),
      fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.constantFrom(0, 0.5, 1)), { maxLength: 40 }),
      fc.constantFrom(0, 0.5, 2),
      (items, raw, prior) => {
        const random = raw
          .map(([a, b, value]): Vote => [a % items, b % items, value])
          .filter(([a, b]) => a !== b)
        // Ties around a ring make a finite answer certain.
        const votes = [...random, ...Array.from({ length: items }, (_, i): Vote => [i, (i + 1) % items, 0.5])]
        const { logStrengths: s } = bradleyTerry(count(items, votes), { prior })
        const surplus = new Float64Array(items)
        for (const [a, b, value] of votes) {
          const p = 1 / (1 + Math.exp(s[b]! - s[a]!))
          surplus[a]! += value - p
          surplus[b]! -= value - p
        }
        if (prior === 0) for (const value of surplus) expect(Math.abs(value)).toBeLessThan(1e-6)
        else {
          // Each surplus is what the ties with an average item pull back; their level, lost in centring, is found anew.
          const pull = (item: number, level: number) => prior * (1 / (1 + Math.exp(-s[item]! - level)) - 0.5)
          let [low, high] = [-50, 50]
          for (let halving = 0; halving < 80; halving++) {
            const level = (low + high) / 2
            const total = s.reduce((sum, _, item) => sum + pull(item, level), 0)
            if (total > 0) high = level
            else low = level
          }
          surplus.forEach((value, item) => {
            expect(value).toBeCloseTo(pull(item, low), 5)
          })
        }
      },
    ),
  )
})

test('agrees with plain minorise-maximise iterations', () => {
  const rng = new Rng('mm')
  const items = 8
  const votes: Vote[] = Array.from({ length: 600 }, () => {
    const a = rng.int(0, items)
    const b = (a + rng.int(1, items)) % items
    return [a, b, rng.chance(1 / (1 + Math.exp((a - b) / 3))) ? 1 : 0]
  })
  const wins = Array.from({ length: items }, () => new Array<number>(items).fill(0))
  for (const [a, b, value] of votes) {
    wins[a]![b]! += value
    wins[b]![a]! += 1 - value
  }
  let strength = new Array<number>(items).fill(1)
  for (let sweep = 0; sweep < 5000; sweep++) {
    strength = strength.map((_, i) => {
      let [won, expected] = [0, 0]
      for (let j = 0; j < items; j++) {
        won += wins[i]![j]!
        expected += (wins[i]![j]! + wins[j]![i]!) / (strength[i]! + strength[j]!)
      }
      return won / expected
    })
  }
  const { logStrengths, iterations } = bradleyTerry(count(items, votes))
  const level = strength.reduce((sum, value) => sum + Math.log(value), 0) / items
  logStrengths.forEach((value, i) => {
    expect(value).toBeCloseTo(Math.log(strength[i]!) - level, 6)
  })
  expect(iterations).toBeLessThan(12)
})

test('a clean sweep has no finite strength without a prior, and a modest one with it', () => {
  const sweep = count(3, [...repeated(5, [0, 1, 1]), ...repeated(5, [0, 2, 1]), [1, 2, 0.5]])
  expect(() => bradleyTerry(sweep)).toThrow(/items 0 never lost/)
  const { logStrengths } = bradleyTerry(sweep, { prior: 1 })
  expect(logStrengths[0]).toBeGreaterThan(logStrengths[1]!)
  expect(logStrengths[0]).toBeLessThan(10)
  expect(logStrengths[1]).toBeCloseTo(logStrengths[2]!, 9)
  expect(() =>
    bradleyTerry(
      count(3, [
        [0, 1, 1],
        [1, 0, 1],
        [2, 1, 0],
        [2, 0, 0],
      ]),
    ),
  ).toThrow(/items 0, 1 never lost/)
})

test('what no vote links is centred apart and said to be', () => {
  const pairs = count(5, [...repeated(3, [0, 1, 1]), [1, 0, 1], ...repeated(3, [2, 3, 1]), [3, 2, 1]])
  const fit = bradleyTerry(pairs)
  expect([...fit.components]).toEqual([0, 0, 1, 1, 2])
  expect(fit.componentCount).toBe(3)
  expect(fit.logStrengths[0]).toBeCloseTo(fit.logStrengths[2]!, 9)
  expect(fit.logStrengths[4]).toBe(0)
  const errors = bradleyTerryErrors(pairs, fit)
  expect(errors[0]).toBeCloseTo(Math.sqrt(1 / 3 + 1) / 2, 9)
  expect(errors[4]).toBe(Infinity)
  expect(
    bradleyTerryErrors(pairs, bradleyTerry(pairs, { prior: 1 }), { prior: 1 }).every(Number.isFinite),
  ).toBe(true)
  expect(bradleyTerry(count(2, []), { prior: 0 }).logStrengths).toEqual(new Float64Array(2))
})

test('standard errors are the spread of repeated fits', () => {
  const rng = new Rng('errors')
  const truth = [0.8, 0, -0.8]
  const draw = (): Vote[] =>
    Array.from({ length: 300 }, (_, index) => {
      const [a, b] = [index % 3, (index + 1) % 3]
      return [a, b, rng.chance(1 / (1 + Math.exp(truth[b]! - truth[a]!))) ? 1 : 0]
    })
  const fits = Array.from({ length: 400 }, () => bradleyTerry(count(3, draw())).logStrengths)
  const pairs = count(3, draw())
  const errors = bradleyTerryErrors(pairs, bradleyTerry(pairs))
  for (let item = 0; item < 3; item++) {
    const mean = fits.reduce((sum, fit) => sum + fit[item]!, 0) / fits.length
    const spread = Math.sqrt(fits.reduce((sum, fit) => sum + (fit[item]! - mean) ** 2, 0) / fits.length)
    expect(Math.abs(errors[item]! / spread - 1)).toBeLessThan(0.15)
  }
})

test('votes that cannot be are refused; weights count', () => {
  expect(() => count(2, [[0, 2, 1]])).toThrow(RangeError)
  expect(() => count(2, [[1, 1, 1]])).toThrow(RangeError)
  expect(() => count(2, [[0, 1, Number.NaN]])).toThrow(RangeError)
  const weighted = countPairs(2, { a: [1, 0], b: [0, 1], values: [1, 1], weights: [3, 2] })
  expect([weighted.winsA[0], weighted.winsB[0]]).toEqual([2, 3])
})
