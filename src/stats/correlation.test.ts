import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { close } from '../../tests/close.ts'
import { kendall, midRanks, partialPearson, pearson, places, spearman } from './index.ts'

const x = [3.1, 1.2, 4.4, 2.2, 5.9, 2.7]
const y = [1.0, 0.3, 2.5, 1.9, 2.6, 0.1]
const few = (low: number, high: number, size = 12) =>
  fc.array(fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high })), {
    maxLength: size,
  })

describe('correlation (SciPy)', () => {
  const a = [1, 2, 2, 3, 5, 4, 4, 1]
  const b = [2.5, 1, 3, 3, 4, 4, 6, 0]
  test('with ties', () => {
    close(pearson(a, b), 0.7677419354838708)
    close(spearman(a, b), 0.8711820390349005)
    expect([...places([1, 3, 2, 3])]).toEqual([4, 1, 3, 1])
    expect([...midRanks(a)]).toEqual([1.5, 3.5, 3.5, 5, 8, 6.5, 6.5, 1.5])
    close(kendall(a, b).tauB, 0.7452413135250994)
    close(kendall(a, b).tauC, 0.7421875)
    const [c, d] = [
      [1, 1, 2, 2, 3, 3, 3, 1, 2, 2],
      [1, 2, 1, 2, 1, 2, 2, 1, 1, 2],
    ]
    close(kendall(c!, d!).tauB, 0.24370871833797697)
    close(kendall(c!, d!).tauC, 0.28)
    close(partialPearson(x, y, [1, 2, 3, 4, 5, 7]), 0.7941721540834676)
  })
  test('what is not defined is null, not NaN', () => {
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeNull()
    expect(spearman([1], [1])).toBeNull()
    expect(kendall([2, 2], [1, 3])).toMatchObject({ tauA: 0, tauB: null, tauC: null })
    expect(kendall([], [])).toMatchObject({ n: 0, tauA: null })
    expect(pearson([0.1, 0.1, 0.1], [1, 2, 3])).toBeNull() // 0.1 + 0.1 + 0.1 is not 0.3
  })
  test('Kendall counts what a double loop counts', () => {
    const lists = fc.oneof(few(-3, 3, 80), few(-1000, 1000, 80))
    fc.assert(
      fc.property(lists, (points) => {
        const counts = { concordant: 0, discordant: 0, tiedA: 0, tiedB: 0, tiedBoth: 0 }
        points.forEach(([a, b], i) => {
          for (const [c, d] of points.slice(0, i)) {
            const sign = Math.sign(a - c) * Math.sign(b - d)
            if (sign > 0) counts.concordant++
            if (sign < 0) counts.discordant++
            if (a === c) counts.tiedA++
            if (b === d) counts.tiedB++
            if (a === c && b === d) counts.tiedBoth++
          }
        })
        expect(
          kendall(
            points.map(([a]) => a),
            points.map(([, b]) => b),
          ),
        ).toMatchObject(counts)
      }),
    )
  })
  test('symmetric, odd under negation, unmoved by rising maps', () => {
    fc.assert(
      fc.property(few(-20, 20), (points) => {
        const [a, b] = [points.map(([a]) => a), points.map(([, b]) => b)]
        const cubed = a.map((v) => v ** 3 + v)
        const negated = a.map((v) => -v)
        for (const statistic of [spearman, (p: number[], q: number[]) => kendall(p, q).tauB]) {
          const value = statistic(a, b)
          if (value === null) {
            expect(statistic(b, a)).toBeNull()
            continue
          }
          close(statistic(b, a), value)
          close(statistic(cubed, b), value)
          close(statistic(negated, b), -value)
          expect(Math.abs(value)).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})
