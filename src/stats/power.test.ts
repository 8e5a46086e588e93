import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { wilsonInterval } from './intervals.ts'
import { mcnemar } from './mcnemar.ts'
import {
  designEffect,
  detectableDifference,
  itemsForWidth,
  mcnemarPower,
  normalPower,
  pairedItemsNeeded,
} from './power.ts'
import { anytimeInterval, SequentialTest, sequentialOutcome } from './sequential.ts'

test('power of McNemar by enumeration, and the items it takes', () => {
  // scipy 1.17, summing over every table.
  expect(mcnemarPower(100, { onlyFirst: 0.2, onlySecond: 0.08 })).toBeCloseTo(0.55588447, 7)
  expect(mcnemarPower(60, { onlyFirst: 0.3, onlySecond: 0.1 })).toBeCloseTo(0.63491594, 7)
  // Without a difference the exact test errs on the safe side.
  expect(mcnemarPower(50, { onlyFirst: 0.1, onlySecond: 0.1 })).toBeCloseTo(0.02212994, 7)
  expect(mcnemarPower(50, { onlyFirst: 0, onlySecond: 0 })).toBe(0)
  expect(pairedItemsNeeded({ onlyFirst: 0.2, onlySecond: 0.08 })).toBe(151)
  expect(pairedItemsNeeded({ onlyFirst: 0.1, onlySecond: 0.1 })).toBe(Infinity)
  expect(() => pairedItemsNeeded({ onlyFirst: 0.9, onlySecond: 0.3 })).toThrow(RangeError)
})

test('the power promised is the power had', () => {
  const shares = { onlyFirst: 0.25, onlySecond: 0.1 }
  const n = pairedItemsNeeded(shares)
  const rng = new Rng('power')
  let seen = 0
  for (let trial = 0; trial < 400; trial++) {
    let [first, second] = [0, 0]
    for (let i = 0; i < n; i++) {
      const u = rng.uniform()
      if (u < 0.25) first++
      else if (u < 0.35) second++
    }
    if (mcnemar(first, second).mid < 0.05) seen++
  }
  expect(Math.abs(seen / 400 - 0.8)).toBeLessThan(0.07)
})

test('items for an interval, a difference that can be seen, clusters', () => {
  const n = itemsForWidth(0.8, 0.05)
  const width = (items: number) => {
    const { low, high } = wilsonInterval(Math.round(0.8 * items), items)!
    return (high - low) / 2
  }
  expect(width(n + 5)).toBeLessThanOrEqual(0.0502)
  expect(width(n - 20)).toBeGreaterThan(0.05)
  const difference = detectableDifference(500, 0.3)!
  const shares = { onlyFirst: (0.3 + difference) / 2, onlySecond: (0.3 - difference) / 2 }
  expect(Math.abs(pairedItemsNeeded(shares) - 500)).toBeLessThanOrEqual(1)
  expect(detectableDifference(4, 0.3)).toBeNull()
  expect(1000 / designEffect(10, 0.2)).toBeCloseTo(357.14, 2)
  expect(normalPower(1.959964)).toBeCloseTo(0.5, 3)
})

test('an anytime interval misses rarely although one looks after every value', () => {
  const rng = new Rng('anytime')
  let [missed, naive] = [0, 0]
  for (let trial = 0; trial < 300; trial++) {
    let [sum, out, naiveOut] = [0, false, false]
    for (let n = 1; n <= 300; n++) {
      // Ties at a half among the values: the bound must hold for them too.
      sum += rng.chance(0.3) ? 0.5 : Number(rng.chance(0.5))
      const { low, high } = anytimeInterval(sum, n)!
      if (low > 0.5 || high < 0.5) out = true
      const z = Math.abs(sum / n - 0.5) / Math.sqrt(0.25 / n)
      if (n >= 10 && z > 1.96) naiveOut = true
    }
    missed += Number(out)
    naive += Number(naiveOut)
  }
  expect(missed / 300).toBeLessThan(0.05)
  expect(naive / 300).toBeGreaterThan(0.1)
})

test('stopping early saves what need not be asked, and says so', () => {
  const rng = new Rng('stop')
  const verdicts = Array.from({ length: 1000 }, () => Number(rng.chance(0.8)))
  const outcome = sequentialOutcome(verdicts, 0.6)
  expect(outcome.decision).toBe('above')
  expect(outcome.saved).toBeGreaterThan(500)
  expect(outcome.looked + outcome.saved).toBe(1000)
  expect(outcome.interval!.low).toBeGreaterThan(0.6)
  const close = sequentialOutcome(verdicts.slice(0, 100), 0.79)
  expect(close).toMatchObject({ decision: 'undecided', looked: 100, saved: 0 })
  const below = new SequentialTest(0.5, { minimum: 20 })
  const said = Array.from({ length: 30 }, () => below.add(0))
  expect(said[18]).toBe('undecided')
  expect(said[19]).toBe('below')
  expect(() => below.add(2)).toThrow(RangeError)
  expect(anytimeInterval(0, 0)).toBeNull()
  expect(anytimeInterval(5, 5)).toMatchObject({ estimate: 1, high: 1 })
})
