import { describe, expect, test } from 'vitest'
import type { IterationRecord } from '../../learn/trainers/monitors.ts'
import { proxyPoint } from './proxy-point.ts'
import { searchedThresholds } from './threshold-search.ts'

const record = (words: number, manner: number, oracle: number) =>
  ({ parts: { words, manner }, oracle }) as unknown as IterationRecord
const simplex = [
  { words: 1, manner: 1 },
  { words: 2, manner: 1 },
  { words: 1, manner: 2 },
]

describe('thresholds are searched within one training', () => {
  const search = { simplex, patience: 4 }
  const at = (records: readonly IterationRecord[]) => searchedThresholds(records, search)

  test('a vector stays until the components are there, or patience is over', () => {
    const far = record(0.2, 0.2, 0.1)
    expect(at([]).thresholds).toEqual(simplex[0])
    expect(at([far, far, far]).thresholds).toEqual(simplex[0])
    const impatient = at([far, far, far, far])
    expect(impatient.thresholds).toEqual(simplex[1])
    expect(impatient.tried).toEqual([{ thresholds: simplex[0], gold: 0.1 }])
    const reached = [record(0.96, 1.04, 0.3), record(1.04, 0.96, 0.5)]
    expect(at(reached.slice(0, 1)).thresholds).toEqual(simplex[0])
    expect(at(reached).tried).toEqual([{ thresholds: simplex[0], gold: 0.4 }])
    expect(at(reached).thresholds).toEqual(simplex[1])
  })

  test('with components that follow at once it ends at the best of what it tried', () => {
    const gold = (words: number, manner: number) => 1 - (words - 1.7) ** 2 - (manner - 1.4) ** 2
    const records: IterationRecord[] = []
    while (!at(records).isOver && records.length < 200) {
      const { words, manner } = at(records).thresholds as { words: number; manner: number }
      records.push(record(words, manner, gold(words, manner)))
    }
    const { thresholds, tried, isOver } = at(records)
    expect(isOver).toBe(true)
    expect(gold(thresholds.words!, thresholds.manner!)).toBe(Math.max(...tried.map(({ gold }) => gold)))
    expect(thresholds.words).toBeCloseTo(1.7, 0)
    expect(thresholds.manner).toBeCloseTo(1.4, 0)
    expect(records.length).toBe(2 * tried.length)
  })
})

test('the proxy point is where the smoothed gold is highest, not where one measurement is', () => {
  const points = Array.from({ length: 41 }, (_, at) => at / 10).map((value) => ({
    components: [value],
    gold: 1 - (value - 2) ** 2 + (value === 3.5 ? 4 : 0),
  }))
  expect(proxyPoint(points, 0.5).components[0]).toBeCloseTo(2, 0)
  expect(proxyPoint(points, 1e-3).components).toEqual([3.5])
  expect(() => proxyPoint([], 1)).toThrow(RangeError)
})
