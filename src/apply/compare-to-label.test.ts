import { expect, test } from 'vitest'
import type { ScoredSample } from '../core/index.ts'
import { compareToLabel } from './compare-to-label.ts'

const rows = Array.from(
  { length: 24 },
  (_, i): ScoredSample => ({
    sample: { id: `${i}`, prompt: `p${i >> 2}`, output: 'x', reference: i % 4, meta: {} },
    scores: {
      right: { value: i % 4, parts: { half: (i % 4) / 2 } },
      backwards: { value: -(i % 4) },
      absent: { value: null, code: 'refused', reason: 'no' },
    },
  }),
)

test('two rewards by a label and against each other on the same pairs', async () => {
  async function* stream() {
    yield* rows
  }
  const result = await compareToLabel(stream(), {
    label: 'reference',
    rewards: ['right', 'backwards', 'absent'],
  })
  expect(result.rewards.map(({ first, second, compared }) => [first, second, compared])).toEqual([
    ['right', 'reference', 24],
    ['backwards', 'reference', 24],
    ['absent', 'reference', 0],
  ])
  expect(result.rewards[0]!.within.kendall!.estimate).toBe(1)
  expect(result.pairs).toMatchObject({ pairs: 36, prompts: 6 })
  expect(result.pairs.judges.map(({ accuracy, unjudged }) => [accuracy?.estimate, unjudged])).toEqual([
    [1, 0],
    [0, 0],
    [undefined, 36],
  ])
  expect(result.pairs.differences[0]).toMatchObject({
    first: 'right',
    second: 'backwards',
    accuracy: { estimate: 1 },
    mcnemar: { onlyFirst: 36, onlySecond: 0 },
    kappa: -1,
  })
  expect(result.pairs.differences[0]!.mcnemar.exact).toBeCloseTo(2 * 0.5 ** 36, 16)
})

test('the part of a reward is a reward too; a list that makes no sense is refused', async () => {
  const result = await compareToLabel(rows, { label: 'reference', rewards: ['right.half'] })
  expect(result.pairs.judges[0]!.accuracy!.estimate).toBe(1)
  await expect(compareToLabel(rows, { label: 'reference', rewards: [] })).rejects.toThrow(/no reward/)
  await expect(compareToLabel(rows, { label: 'right', rewards: ['right'] })).rejects.toThrow(/twice/)
  await expect(compareToLabel(rows, { label: 'meta.lable', rewards: ['right'] })).rejects.toThrow(
    /meta\.lable/,
  )
})
