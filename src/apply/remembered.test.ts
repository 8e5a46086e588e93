import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Comparator, defineGroupReward, defineReward, type Sample, unscored } from '../core/index.ts'
import { openStore, type Store } from '../store/index.ts'
import { remembered } from './remembered.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remembered-'))
  store = await openStore(join(folder, 'store.db'))
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const sample = (prompt: string, output: string): Sample => ({
  id: `${prompt}/${output}`,
  prompt,
  output,
  meta: {},
})
const values = (scores: readonly { value: number | null }[]) => scores.map(({ value }) => value)

test('what was judged is not judged again, but for what was asked twice; what may pass is asked again', async () => {
  const seen: string[] = []
  const reward = defineReward({
    name: 'length',
    range: [0, 99],
    judge: ({ output }) => {
      seen.push(output as string)
      return output === 'down' ? unscored('outage', 'down') : (output as string).length
    },
  })
  const samples = [sample('p', 'a'), sample('p', 'bb'), sample('p', 'down')]
  expect(values(await remembered(reward, store).score(samples))).toEqual([1, 2, null])
  const later = remembered(reward, store)
  expect(values(await later.score(samples))).toEqual([1, 2, null])
  expect(seen).toEqual(['a', 'bb', 'down', 'down'])
  await later.score([samples[0]!])
  expect(seen).toEqual(['a', 'bb', 'down', 'down', 'a'])
})

test('of a reward of groups a whole group is one judgement, wherever its samples stand', async () => {
  const seen: string[][] = []
  const reward = defineGroupReward({
    name: 'rank',
    range: [0, 1],
    judgeGroup: (group) => {
      const lengths = group.map(({ output }) => (output as string).length)
      seen.push(group.map(({ output }) => output as string))
      if (lengths.includes(4)) return group.map(() => unscored('timeout', 'late'))
      return lengths.map((length) => lengths.filter((other) => other < length).length / group.length)
    },
  })
  const samples = [
    sample('p', 'a'),
    sample('q', 'aaa'),
    sample('p', 'aa'),
    sample('q', 'a'),
    sample('r', 'late'),
  ]
  const first = values(await remembered(reward, store).score(samples))
  expect(first).toEqual([0, 0.5, 0.5, 0, null])
  expect(values(await remembered(reward, store).score(samples))).toEqual(first)
  expect(seen).toEqual([['a', 'aa'], ['aaa', 'a'], ['late'], ['late']])
  // another member makes another group, and the known one is left alone
  const more = [...samples.slice(0, 4), sample('p', 'aaaaa')]
  expect(values(await remembered(reward, store).score(more))).toEqual([0, 0.5, 1 / 3, 0, 2 / 3])
  expect(seen.slice(4)).toEqual([['a', 'aa', 'aaaaa']])
})

test('comparisons are kept as well', async () => {
  let asked = 0
  const comparator: Comparator = {
    name: 'shorter',
    version: '1',
    params: {},
    compare: async (pairs) => {
      asked += pairs.length
      return pairs.map(({ a, b }) => ({ value: Number((a.output as string) < (b.output as string)) }))
    },
  }
  const pairs = [{ id: 'x', a: sample('p', 'a'), b: sample('p', 'b') }]
  for (let run = 0; run < 2; run++)
    expect(values(await remembered(comparator, store).compare(pairs))).toEqual([1])
  expect(asked).toBe(1)
})
