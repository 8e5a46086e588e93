import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Comparator,
  defineGroupReward,
  defineReward,
  type Reward,
  Rng,
  textOf,
  unscored,
} from '../../core/index.ts'
import { changedSegment } from '../../rewards/verifiable/text/changed-segment.ts'
import { text } from '../../worlds/index.ts'
import { baselineRewards, likelihood, scriptedJudge } from '../baselines/index.ts'
import { type AggregateOptions, aggregate, creditOf, type Verdict } from './aggregate.ts'
import { type BenchmarkItem, defineBenchmark, type PreferenceItem } from './benchmark.ts'
import { pairItem } from './items.ts'
import { loadBenchmark } from './load-benchmark.ts'
import { benchmarkNamed, benchmarks, openBenchmark } from './registry.ts'
import { type Benchmark, runBenchmark } from './run-benchmark.ts'

const spec = defineBenchmark({
  name: 'made-up',
  title: 'Made up',
  source: 'here',
  summary: 'Prefers what is better.',
  kind: 'preference',
  aggregation: { top: 'pooled' },
})

const benchmarkOf = (items: readonly BenchmarkItem[], more: object = {}): Benchmark => ({
  spec: { ...spec, ...more },
  items,
  source: 'here',
  problems: [],
})

const pair = (id: string, a: string, b: string, label: number): PreferenceItem =>
  pairItem({ id, subset: 's', prompt: id, a, b, label })
const pairs = (count: number) =>
  Array.from({ length: count }, (_, i) => pair(`p${i}`, 'x'.repeat(i + 2), 'x', i % 4 === 0 ? -1 : 1))

const longer = defineReward({
  name: 'longer',
  range: [0, 100],
  judge: ({ output }) => textOf(output).length,
})

describe('what a reward says of items', () => {
  test('pairs: right, wrong, ties, labels that tie, and what cannot be scored', async () => {
    const items = [
      pair('right', 'long', 'no', 1),
      pair('wrong', 'long', 'no', -2),
      pair('tie', 'ab', 'cd', 1),
      pair('tied label', 'ab', 'cd', 0),
      pair('unscored', '', 'cd', 1),
    ]
    const strict = defineReward({
      name: 'strict',
      range: [0, 100],
      judge: ({ output }) => (textOf(output) === '' ? unscored('refused', 'empty') : textOf(output).length),
    })
    const result = await runBenchmark(strict, benchmarkOf(items), { resamples: 0 })
    expect(result.rows.map(({ outcome, margin }) => [outcome, margin])).toEqual([
      ['right', 2],
      ['wrong', -2],
      ['tie', 0],
      ['right', -0],
      ['unresolved', null],
    ])
    expect(result.headline).toMatchObject({
      items: 5,
      counted: 4,
      right: 2,
      wrong: 1,
      ties: 1,
      unresolved: 1,
    })
    expect(result.headline.score).toBeCloseTo(1.5 / 4)
    expect(result.unscored).toEqual({ total: 1, byCode: { refused: 1 } })
  })

  test('a sample that stands in many items is judged once, unless the reward compares', async () => {
    const [first] = pairs(1)
    const items = [first!, { ...first!, id: 'again' }, { ...first!, id: 'and again' }]
    let judged = 0
    const counting = defineReward({
      name: 'counting',
      judge: () => {
        judged++
        return 0
      },
    })
    await runBenchmark(counting, benchmarkOf(items), { resamples: 0 })
    expect(judged).toBe(2)
    const sizes: number[] = []
    const groups = defineGroupReward({
      name: 'groups',
      judgeGroup: (group) => {
        sizes.push(group.length)
        return group.map(() => 0)
      },
    })
    await runBenchmark(groups, benchmarkOf(items), { resamples: 0, batchSize: 1 })
    expect(sizes).toEqual([2, 2, 2])
  })

  test('batches and order change nothing', async () => {
    const items = pairs(13)
    const whole = await runBenchmark(longer, benchmarkOf(items), { resamples: 100 })
    const small = await runBenchmark(longer, benchmarkOf(items), { resamples: 100, batchSize: 3 })
    expect(small).toEqual(whole)
    const turned = await runBenchmark(longer, benchmarkOf(items.toReversed()), { resamples: 0 })
    expect(turned.headline.score).toBe(whole.headline.score)
  })

  test('a reward that breaks is crashed items, not a crashed run', async () => {
    const broken = {
      ...longer,
      score: () => Promise.reject(new Error('out of order')),
    } as Reward
    const { unscored: gone } = await runBenchmark(broken, benchmarkOf(pairs(3)), { resamples: 0 })
    expect(gone).toEqual({ total: 3, byCode: { crashed: 3 } })
  })

  test('single outputs: by the middle of the range, or of the scores, and the area under the ROC curve', async () => {
    const items = Array.from({ length: 8 }, (_, i): BenchmarkItem => {
      const sample = { id: `b${i}`, prompt: '', output: 'x'.repeat(i), meta: {} }
      return { kind: 'binary', id: `b${i}`, subset: 's', sample, good: i >= 4 }
    })
    const endless = { ...longer, range: [0, Number.POSITIVE_INFINITY] } as Reward
    const { headline, measures } = await runBenchmark(endless, benchmarkOf(items, { kind: 'binary' }), {
      resamples: 50,
    })
    expect(headline.score).toBe(1)
    expect(measures['area under ROC']!.estimate).toBe(1)
    const byRange = await runBenchmark(longer, benchmarkOf(items, { kind: 'binary' }), { resamples: 0 })
    expect(byRange.headline.score).toBe(0.5) // nothing is longer than 50
  })

  test('questions need somebody who answers, judges of pairs need pairs', async () => {
    const vicrit = await loadBenchmark(benchmarkNamed('scenes-vicrit'), { size: 1 })
    await expect(runBenchmark(longer, vicrit)).rejects.toThrow(/asks questions/)
    const answered = await runBenchmark(
      {
        name: 'who',
        answer: async (samples) =>
          samples.map(({ meta }) => {
            const wrong = changedSegment(String(meta.original), String(meta.changed)).join(' ')
            return `\\boxed{["${wrong}"]}`
          }),
      },
      vicrit,
      { resamples: 0 },
    )
    expect(answered.headline.score).toBe(1)
    expect(answered.rows[0]!.item).toMatchObject({ sample: { output: expect.stringContaining('boxed') } })
    const lost = await runBenchmark({ name: 'lost', answer: async () => [] }, vicrit, { resamples: 0 })
    expect(lost.unscored.byCode).toEqual({ crashed: vicrit.items.length })
    await expect(
      runBenchmark({ name: 'who', answer: async () => [] }, benchmarkOf(pairs(2))),
    ).rejects.toThrow(/no questions/)
  })
})

describe('what a comparator says', () => {
  const firstSlot: Comparator = {
    name: 'first slot',
    version: '1',
    params: {},
    compare: async (asked) => asked.map(() => ({ value: 1 })),
  }

  test('one that always takes the first side is at chance, and is seen', async () => {
    const { headline, firstSlot: seen } = await runBenchmark(firstSlot, benchmarkOf(pairs(400)), {
      resamples: 0,
    })
    expect(headline.score).toBeGreaterThan(0.42)
    expect(headline.score).toBeLessThan(0.58)
    expect(seen).toEqual({ share: 1, verdicts: 400 })
  })

  test('several votes: a strict majority of all, silence included', async () => {
    let call = 0
    const values = [1, 1, null, 0, null]
    const moody: Comparator = {
      ...firstSlot,
      compare: async (asked) => {
        const value = values[call++ % values.length]!
        return asked.map(({ a }) =>
          value === null
            ? unscored('unparsable', 'mumbled')
            : { value: a.id.endsWith('#a') ? value : 1 - value },
        )
      },
    }
    const [row] = (
      await runBenchmark(moody, benchmarkOf([pair('p', 'a', 'b', 1)]), { votes: 5, resamples: 0 })
    ).rows
    expect(row).toMatchObject({
      outcome: 'unresolved',
      code: 'split',
      votes: { right: 2, wrong: 1, none: 2 },
    })
  })

  test('a scripted judge errs as often as it is told to, and follows length as told', async () => {
    const items = pairs(1500).map((item, i) => (i % 2 ? item : pair(`q${i}`, 'xx', 'x'.repeat(i + 9), 1)))
    const benchmark = benchmarkOf(items)
    const fair = await runBenchmark(scriptedJudge(items, { accuracy: 0.8 }), benchmark, { resamples: 0 })
    expect(fair.headline.score).toBeGreaterThan(0.76)
    expect(fair.headline.score).toBeLessThan(0.84)
    const again = await runBenchmark(scriptedJudge(items, { accuracy: 0.8 }), benchmark, { resamples: 0 })
    expect(again).toEqual(fair)
    const lover = await runBenchmark(scriptedJudge(items, { accuracy: 0.8, lengthBias: 4 }), benchmark, {
      resamples: 0,
    })
    const aligned = lover.rows.filter(
      ({ item }) => item.kind === 'preference' && item.a.output > item.b.output,
    )
    expect(aligned.length).toBeGreaterThan(100)
    const mumbling = await runBenchmark(scriptedJudge(items, { unreadable: 0.3 }), benchmark, {
      resamples: 0,
    })
    expect(mumbling.unscored.byCode.unparsable! / 1500).toBeCloseTo(0.3, 1)
    const stranger = await runBenchmark(scriptedJudge([], {}), benchmark, { resamples: 0 })
    expect(stranger.unscored.total).toBe(1500)
  })

  test('best of four by all pairs', async () => {
    const benchmark = await loadBenchmark(benchmarkNamed('text-rewardbench-2'), { size: 2 })
    const oracle = text.textOracle()
    const comparator: Comparator = {
      ...firstSlot,
      compare: async (asked) => {
        const [a, b] = await Promise.all([
          oracle.score(asked.map((one) => one.a)),
          oracle.score(asked.map((one) => one.b)),
        ])
        return asked.map((_, i) => ({
          value: a[i]!.value! > b[i]!.value! ? 1 : a[i]!.value! < b[i]!.value! ? 0 : 0.5,
        }))
      },
    }
    const { sections } = await runBenchmark(comparator, benchmark, { resamples: 0 })
    expect(sections.find(({ name }) => name === 'Math')!.score).toBe(1)
  })
})

describe('aggregate', () => {
  const outcome = fc.constantFrom<Verdict['outcome']>('right', 'wrong', 'tie', 'unresolved')
  const verdicts = fc.array(
    fc.record({ subset: fc.constantFrom('a', 'b', 'c'), outcome }) as fc.Arbitrary<Verdict>,
    { minLength: 1, maxLength: 30 },
  )

  test('scores stay in [0, 1], pooled is the mean credit, and dropping what is unresolved never lowers it', () => {
    fc.assert(
      fc.property(verdicts, fc.constantFrom('half', 'wrong', 'drop'), (list, ties) => {
        const all = aggregate(list, { ties: ties as AggregateOptions['ties'] & string })
        const resolved = aggregate(list, { ties: ties as never, denominator: 'resolved' })
        const credits = list.flatMap((verdict) => creditOf(verdict, { ties: ties as never }) ?? [])
        for (const score of [all.pooled, all.macro, resolved.pooled])
          if (score !== null) expect(score >= 0 && score <= 1).toBe(true)
        if (credits.length > 0)
          expect(all.pooled).toBeCloseTo(
            credits.reduce((sum, credit) => sum + credit, 0) / credits.length,
            12,
          )
        if (resolved.pooled !== null && all.pooled !== null)
          expect(resolved.pooled).toBeGreaterThanOrEqual(all.pooled - 1e-12)
      }),
    )
  })

  test('macro, pooled and weighted differ where sections do', () => {
    const list: Verdict[] = [
      { subset: 'a', outcome: 'right' },
      ...Array.from({ length: 9 }, (): Verdict => ({ subset: 'b', outcome: 'wrong' })),
    ]
    expect(aggregate(list, { top: 'macro' }).headline.score).toBe(0.5)
    expect(aggregate(list, { top: 'pooled' }).headline.score).toBe(0.1)
    expect(aggregate(list, { top: { a: 3, b: 1 } }).headline.score).toBe(0.75)
    const one = { sections: { both: ['a', 'b'] } }
    expect(aggregate(list, one).headline.score).toBe(0.1)
    expect(aggregate(list, { ...one, weights: { a: 1, b: 1 } }).headline.score).toBe(0.5)
    expect(aggregate(list, { sections: { only: ['a'] } }).outside).toEqual(['b'])
  })

  test('nothing counted is no score, never 0', () => {
    const list: Verdict[] = [{ subset: 'a', outcome: 'unresolved' }]
    const { headline, pooled, macro } = aggregate(list, { denominator: 'resolved' }, { rng: new Rng(1) })
    expect([headline.score, headline.interval, pooled, macro]).toEqual([null, null, null, null])
    expect(aggregate([]).headline.score).toBe(null)
  })

  test('items of one cluster are resampled together: many copies of few prompts give no false certainty', () => {
    const copies = (clustered: boolean) =>
      Array.from({ length: 400 }, (_, i): Verdict => {
        const prompt = i % 8
        const given = clustered ? { cluster: `${prompt}` } : {}
        return { subset: 'a', outcome: prompt % 2 ? 'right' : 'wrong', ...given }
      })
    const width = (list: Verdict[]) => {
      const { low, high } = aggregate(list, {}, { rng: new Rng(1) }).headline.interval!
      return high - low
    }
    expect(width(copies(true))).toBeGreaterThan(4 * width(copies(false)))
  })
})

describe('benchmarks by name', () => {
  test('every name is its own, and says where its data are', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/audit-benchmarks.md'), 'utf8')
    for (const [name, { generate, hub, folder, how, summary, kind, scorer }] of benchmarks) {
      expect(page).toContain(`| \`${name}\` |`)
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      expect(Boolean(generate ?? hub ?? how), name).toBe(true)
      if (folder !== undefined) expect(how ?? hub, name).toBeDefined()
      expect(summary).toMatch(/\.$/)
      if (kind === 'answer' && generate) expect(scorer, name).toBeDefined()
    }
  })

  test('a misspelt name, an absent folder and an absent data set say what to do', async () => {
    expect(() => benchmarkNamed('rewardbench2')).toThrow(/Did you mean "rewardbench-2"/)
    await expect(openBenchmark('llmbar=/nowhere')).rejects.toThrow(
      /no such file or folder.*princeton-nlp\/LLMBar/s,
    )
    await expect(openBenchmark('pandalm=hub')).rejects.toThrow(/not on the hub/)
    await expect(openBenchmark('llmbar', { source: import.meta.dirname })).rejects.toThrow(
      /none of the files pairs.jsonl/,
    )
  })

  test('what is generated is the same for the same seed, every item once, and truth is known', async () => {
    for (const [name, { generate, kind }] of benchmarks) {
      if (generate === undefined) continue
      const { items } = await loadBenchmark(benchmarkNamed(name), { size: 2 })
      const again = await loadBenchmark(benchmarkNamed(name), { size: 2 })
      const other = await loadBenchmark(benchmarkNamed(name), { size: 2, seed: 1 })
      expect(again.items, name).toEqual(items)
      expect(
        other.items.map(({ id }) => id),
        name,
      ).toHaveLength(items.length)
      expect(new Set(items.map(({ id }) => id)).size, name).toBe(items.length)
      for (const item of items) {
        expect(item.kind, name).toBe(kind)
        if (item.kind === 'preference') expect(item.a.output, item.id).not.toEqual(item.b.output)
      }
    }
  })

  test('baselines are within their ranges on any text, and the prior of a language model beats chance', async () => {
    const { items } = await loadBenchmark(benchmarkNamed('text-adversarial'), { size: 4 })
    for (const reward of baselineRewards()) {
      const { unscored: gone, rows } = await runBenchmark(reward, benchmarkOf(items), { resamples: 0 })
      expect(rows).toHaveLength(28)
      // An empty answer has no words to embed.
      expect(gone.total, reward.name).toBeLessThanOrEqual(reward.name === 'embedding of words' ? 4 : 0)
    }
    const refusing = {
      id: 'refusing',
      logProbabilities: async (asked: readonly unknown[]) =>
        asked.map(() => ({ failure: { code: 'refused' as const, reason: 'no' } })),
    }
    const { unscored: refused } = await runBenchmark(likelihood(refusing, 'token'), benchmarkOf(items), {
      resamples: 0,
    })
    expect(refused.byCode).toEqual({ refused: 28 })
  })
})
