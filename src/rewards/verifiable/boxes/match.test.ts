import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Box, giou, iou } from './boxes.ts'
import { cheapestAssignment } from './hungarian.ts'
import { type MatchOptions, match } from './match.ts'

/** The least cost over every assignment, by trying them all. */
function leastCost(costs: readonly number[], rows: number, columns: number): number {
  if (rows > columns) {
    const turned = Array.from(
      { length: costs.length },
      (_, i) => costs[(i % rows) * columns + Math.floor(i / rows)]!,
    )
    return leastCost(turned, columns, rows)
  }
  const from = (row: number, used: number): number => {
    if (row === rows) return 0
    let best = Number.POSITIVE_INFINITY
    for (let column = 0; column < columns; column++)
      if (!(used & (1 << column)))
        best = Math.min(best, costs[row * columns + column]! + from(row + 1, used | (1 << column)))
    return best
  }
  return from(0, 0)
}

const matrix = (cost: fc.Arbitrary<number>) =>
  fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })).chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      costs: fc.array(cost, { minLength: rows * columns, maxLength: rows * columns }),
    }),
  )

describe('cheapestAssignment', () => {
  test.each([
    ['small integers, many ties', fc.integer({ min: -3, max: 3 })],
    ['real numbers', fc.double({ min: -1000, max: 1000, noNaN: true })],
  ])('is as cheap as the cheapest of all: %s', (_, cost) => {
    fc.assert(
      fc.property(matrix(cost), ({ rows, columns, costs }) => {
        const columnOf = cheapestAssignment(costs, rows, columns)
        const pairs = [...columnOf]
          .map((column, row) => ({ row, column }))
          .filter(({ column }) => column >= 0)
        expect(pairs).toHaveLength(Math.min(rows, columns))
        expect(new Set(pairs.map(({ column }) => column)).size).toBe(pairs.length)
        const total = pairs.reduce((sum, { row, column }) => sum + costs[row * columns + column]!, 0)
        expect(total).toBeCloseTo(leastCost(costs, rows, columns), 6)
      }),
    )
  })

  test('a hundred rows, whose best assignment is known', () => {
    const n = 100
    const costs = Float64Array.from(
      { length: n * n },
      (_, i) => ((i % n) - ((Math.floor(i / n) * 37 + 11) % n)) ** 2,
    )
    expect([...cheapestAssignment(costs, n, n)]).toEqual(
      Array.from({ length: n }, (_, row) => (row * 37 + 11) % n),
    )
  })

  test('nothing to assign, and costs that cannot be compared', () => {
    expect([...cheapestAssignment([], 0, 0)]).toEqual([])
    expect([...cheapestAssignment([], 2, 0)]).toEqual([-1, -1])
    expect(() => cheapestAssignment([Number.NaN], 1, 1)).toThrow(RangeError)
    expect(() => cheapestAssignment([1, 2], 1, 1)).toThrow(RangeError)
  })
})

const scores = (table: readonly (readonly number[])[]) => (i: number, j: number) => table[i]![j]!
const byTable = (
  table: readonly (readonly number[])[],
  options: Omit<MatchOptions<number, number>, 'affinity'>,
) =>
  match([...table.keys()], [...table[0]!.keys()], { affinity: scores(table), ...options }).map(
    ({ predicted, gold }) => `${predicted}-${gold}`,
  )

describe('match', () => {
  const table = [
    [0.9, 0.8],
    [0.85, 0.1],
  ]

  test('greedy takes the best pair first, Hungarian the best sum', () => {
    expect(byTable(table, { order: 'global-greedy' })).toEqual(['0-0', '1-1'])
    expect(byTable(table, { order: 'hungarian' })).toEqual(['0-1', '1-0'])
  })

  test('by confidence, a mediocre sure prediction takes the object from a better one', () => {
    const order = [[0.6], [0.9]]
    expect(byTable(order, { order: 'confidence', confidence: (i) => 1 - i })).toEqual(['0-0'])
    expect(byTable(order, { order: 'confidence', confidence: (i) => i })).toEqual(['1-0'])
    expect(byTable(order, { order: 'global-greedy' })).toEqual(['1-0'])
  })

  test('a rejected prediction takes nothing; the threshold is reached or exceeded', () => {
    const half = [[0.5], [0.7]]
    expect(byTable(half, { order: 'confidence', threshold: 0.5 })).toEqual(['0-0'])
    expect(byTable(half, { order: 'confidence', threshold: 0.5, strict: true })).toEqual(['1-0'])
    expect(byTable([[0.5]], { order: 'global-greedy', threshold: 0.5, strict: true })).toEqual([])
    expect(byTable([[0.5]], { order: 'hungarian', threshold: 0.6 })).toEqual([])
  })

  test('ties go to the earlier prediction, then the earlier gold item', () => {
    const level = [
      [1, 1],
      [1, 1],
    ]
    for (const order of ['global-greedy', 'confidence'] as const)
      expect(byTable(level, { order })).toEqual(['0-0', '1-1'])
  })

  test('pairs are one-to-one, above the threshold, and cannot be improved by an unmatched pair', () => {
    const box = fc
      .tuple(fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 15 }))
      .map(([x, y, w, h]): Box => [x, y, x + w, y + h])
    fc.assert(
      fc.property(
        fc.array(box, { maxLength: 6 }),
        fc.array(box, { maxLength: 6 }),
        fc.constantFrom('global-greedy' as const, 'confidence' as const, 'hungarian' as const),
        (predicted, gold, order) => {
          const pairs = match(predicted, gold, { affinity: iou, order, threshold: 0.2 })
          expect(new Set(pairs.map((pair) => pair.predicted)).size).toBe(pairs.length)
          expect(new Set(pairs.map((pair) => pair.gold)).size).toBe(pairs.length)
          for (const pair of pairs) {
            expect(pair.affinity).toBe(iou(predicted[pair.predicted]!, gold[pair.gold]!))
            expect(pair.affinity).toBeGreaterThanOrEqual(0.2)
          }
          if (order === 'hungarian') return
          predicted.forEach((mine, i) => {
            gold.forEach((theirs, j) => {
              const free =
                !pairs.some((pair) => pair.predicted === i) && !pairs.some((pair) => pair.gold === j)
              if (free) expect(iou(mine, theirs)).toBeLessThan(0.2)
            })
          })
        },
      ),
    )
  })

  test('a cost of its own decides the Hungarian pairs, the affinity is what they score', () => {
    const [a, b]: Box[] = [
      [0, 0, 10, 10],
      [0, 0, 12, 10],
    ]
    const pairs = match([a!], [b!], { order: 'hungarian', affinity: giou, cost: () => 7 })
    expect(pairs).toEqual([{ predicted: 0, gold: 0, affinity: giou(a!, b!) }])
  })
})
