import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { compare, orderAgreement } from '../src/apply/index.ts'
import { llmbar, type PublishedRow, rowsOf } from './preference-sets.ts'
import { checks, hasNoGap, scored } from './reference-checks.ts'
import { sharedData, testOnData } from './shared-data.ts'

for (const { set, compute, tolerance = 0.5e-4 } of checks)
  testOnData(set, 'the numbers that are written down for it', async (folder) => {
    const expected = JSON.parse(readFileSync(join(sharedData, 'expected.json'), 'utf8'))
    expect(expectPart(await compute(folder), expected[set], tolerance, set)).toBeGreaterThan(0)
  })

testOnData('llmbar', 'every cell that its authors published for verdicts without gaps', (folder) => {
  const cells = new Map<string, PublishedRow>(
    JSON.parse(readFileSync(join(folder, 'statistics.json'), 'utf8')).map((cell: PublishedRow) => [
      `llmbar ${cell.subset}/${cell.evaluator} ${cell.strategy}`,
      cell.statistics,
    ]),
  )
  const percent = (text: string) => Number(text.match(/([\d.]+)%/)![1]) / 100
  let checked = 0
  for (const { name, pairs, judges } of llmbar(folder)) {
    const labels = pairs.map(({ label }) => label)
    for (const { judge, aFirst, bFirst } of judges.filter(hasNoGap)) {
      const cell = cells.get(`${name}/${judge}`)
      if (cell === undefined) continue
      const { accuracy, consistent, kappa } = orderAgreement(
        { aFirst, bFirst: bFirst! },
        { labels, resamples: 1 },
      )
      expect(accuracy!.aFirst!.estimate).toBeCloseTo(percent(cell.correct_False), 9)
      expect(accuracy!.bFirst!.estimate).toBeCloseTo(percent(cell.correct_True), 9)
      expect(accuracy!.mean!.estimate).toBeCloseTo(percent(cell.correct_average), 9)
      expect(accuracy!.both!.estimate).toBeCloseTo(percent(cell.correct_both), 9)
      expect(consistent!.estimate).toBeCloseTo(percent(cell.equal), 9)
      expect(kappa).toBeCloseTo(cell.kappa_agreement, 9)
      checked++
    }
  }
  expect(checked).toBe(75)
})

testOnData(
  'tifa-human',
  'through the whole comparison: the same tau, an interval that resamples prompts',
  async (folder) => {
    const rows = rowsOf(folder, 'annotations.jsonl.gz')
    const result = await compare(
      rows.map((row) =>
        scored(row.id, row.text_id, { tifa: row['tifa_mplug-large'], people: row.human_avg }),
      ),
      { first: 'tifa', second: 'people', resamples: 200 },
    )
    expect(result.kendall!.estimate).toBeCloseTo(0.4717, 4)
    expect(result.kendall!.low).toBeLessThan(0.45)
    expect(result.kendall!.high).toBeGreaterThan(0.49)
    expect(result).toMatchObject({ compared: 800, groups: 160, resampled: 'prompts' })
    expect(result.within.pairs.accuracy!.low).toBeGreaterThan(0.5)
  },
)

/** Compares what was computed with the same places of what is written down; returns how many leaves there were. */
function expectPart(actual: unknown, expected: unknown, tolerance: number, path: string): number {
  if (typeof actual === 'object' && actual !== null) {
    const entries = Object.entries(actual)
    return entries.reduce(
      (sum, [key, value]) =>
        sum +
        expectPart(
          value,
          (expected as Record<string, unknown> | undefined)?.[key],
          tolerance,
          `${path}/${key}`,
        ),
      0,
    )
  }
  if (typeof expected === 'number')
    expect(
      Math.abs((actual as number) - expected),
      `${path}: ${actual} is not ${expected}`,
    ).toBeLessThanOrEqual(tolerance * 1.0001)
  else expect(actual, path).toBe(expected)
  return 1
}
