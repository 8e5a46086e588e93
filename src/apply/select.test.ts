import { describe, expect, test } from 'vitest'
import { Rng, type ScoredSample, unscored } from '../core/index.ts'
import { acceptance, select } from './select.ts'

describe('select', () => {
  const grid = [
    [0.1, 0.9, 0.3, 0.2],
    [5, 4, 6, 5.5],
    [-1, -2, -0.5, -3],
  ]
  const samples = grid.flatMap((values, group) =>
    values.map(
      (value, i): ScoredSample => ({
        sample: { id: `${group * 4 + i}`, prompt: `p${group}`, output: '', meta: {} },
        scores: { r: { value } },
      }),
    ),
  )
  const hundred = Array.from({ length: 100 }, (_, i) => ({
    ...samples[0]!,
    sample: { ...samples[0]!.sample, id: `${i}` },
  }))
  const chosen = async (options: Parameters<typeof select>[1], list = samples) =>
    (await select(list, options)).selected.map(({ sample }) => Number(sample.id))
  test('local and global as in card 41', async () => {
    expect(await chosen({ mode: 'local', by: 'r' })).toEqual([1, 6, 10])
    expect(await chosen({ mode: 'global', fraction: 0.25, by: 'r' })).toEqual([6, 7, 4])
    expect(await chosen({ mode: 'global', fraction: 0.29, by: 'r' }, hundred)).toHaveLength(29) // 0.29 * 100 < 29
    expect(await chosen({ mode: 'local', keep: 2, by: 'r' })).toEqual([1, 2, 6, 7, 8, 10])
    expect(await chosen({ mode: 'threshold', atLeast: 5, by: 'r' })).toEqual([4, 6, 7])
  })
  test('unscored samples are never kept; the mean of all stands beside that of the selected', async () => {
    const failed: ScoredSample = {
      sample: { id: '99', prompt: 'empty', output: '', meta: {} },
      scores: { r: unscored('outage', 'down') },
    }
    const result = await select([failed, ...samples], { mode: 'local', by: 'r' })
    expect(result.counts).toEqual({ samples: 13, unscored: 1, selected: 3, groups: 4, emptyGroups: 1 })
    expect(result.means.all).toBeCloseTo(grid.flat().reduce((a, b) => a + b) / 12, 12)
    expect(result.means.selected).toBeCloseTo((0.9 + 6 - 0.5) / 3, 12)
  })
  test('statistical rejection: chances of card 00, the best always kept, order and batch of no effect', async () => {
    expect([1.2, 0.9, 0.2].map((score) => acceptance(score, 1.2, 0.5))).toEqual([
      1,
      expect.closeTo(0.548812, 6),
      expect.closeTo(0.135335, 6),
    ])
    const options = { mode: 'rso', beta: 1, by: 'r', rng: new Rng(3) } as const
    const kept = await chosen(options)
    expect(kept).toEqual(expect.arrayContaining([1, 6, 10]))
    expect((await chosen(options, samples.toReversed())).sort((a, b) => a - b)).toEqual(kept)
    const many = Array.from(
      { length: 4000 },
      (_, i): ScoredSample => ({
        sample: { id: `${i}`, prompt: 'p', output: '', meta: {} },
        scores: { r: { value: 0.9 } },
      }),
    )
    const share = (await chosen({ ...options, beta: 0.5, highest: 1.2 }, many)).length / 4000
    expect(Math.abs(share - 0.548812)).toBeLessThan(0.03)
  })
  test('options that make no sense are refused', async () => {
    await expect(chosen({ mode: 'rso', beta: 0, by: 'r' })).rejects.toThrow(/beta 0/)
    await expect(chosen({ mode: 'global', fraction: 2, by: 'r' })).rejects.toThrow(/fraction 2/)
    await expect(chosen({ mode: 'local', by: 'q' })).rejects.toThrow(/"q"/)
  })
})
