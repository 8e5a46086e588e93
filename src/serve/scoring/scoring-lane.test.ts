import { describe, expect, test } from 'vitest'
import { defineGroupReward, defineReward, type Reward, type Sample, textOf } from '../../core/index.ts'
import { createLog } from '../log.ts'
import { Metrics } from '../metrics.ts'
import { ServedRewards, type ServedRewardsOptions } from './served-rewards.ts'

const sample = (id: string, output = id, group?: string): Sample => ({
  id,
  prompt: 'p',
  output,
  meta: {},
  ...(group === undefined ? {} : { group }),
})
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function serve(rewards: Record<string, Reward>, options: Partial<ServedRewardsOptions> = {}) {
  return new ServedRewards({
    metrics: new Metrics(),
    log: createLog({ level: 'silent' }),
    rewards,
    ...options,
  })
}

/** Counts what it is asked; `value` is the length of the output. */
function counting(milliseconds: number) {
  const calls: { size: number; signal: AbortSignal }[] = []
  const reward: Reward = {
    ...defineReward({ name: 'length', range: [0, 1e6], judge: () => 0 }),
    score: async (samples, context) => {
      calls.push({ size: samples.length, signal: context!.signal! })
      await pause(milliseconds)
      return samples.map(({ output }) => ({ value: textOf(output).length }))
    },
  }
  return { calls, reward }
}

describe('a lane', () => {
  test('judges at once what comes alone, and together what comes while it is busy', async () => {
    const { calls, reward } = counting(30)
    const scoring = serve({ length: reward }, { concurrency: 1 })
    const first = scoring.score('length', [sample('a')])
    expect(calls).toHaveLength(1)
    const rest = Array.from({ length: 20 }, (_, index) =>
      scoring.score('length', [sample('x'.repeat(index + 1))]),
    )
    await first
    const scores = await Promise.all(rest)
    expect(scores.map(([score]) => score!.value)).toEqual(rest.map((_, index) => index + 1))
    expect(calls[0]!.size).toBe(1)
    expect(calls.length).toBeLessThanOrEqual(3)
  })

  test('answers of a slow reward come in portions, between which others have their turn, and all before it is idle', async () => {
    const { reward } = counting(20)
    const scoring = serve({ length: reward }, { concurrency: 1 })
    await scoring.score('length', [sample('a')])
    await scoring.score('length', [sample('b')])
    let turn = 0
    const count = () => {
      turn++
      counter = setImmediate(count)
    }
    let counter = setImmediate(count)
    const turns = new Map<number, number>()
    const asked = Array.from({ length: 13 }, async (_, index) => {
      const [score] = await scoring.score('length', [sample('x'.repeat(index + 1))])
      turns.set(turn, (turns.get(turn) ?? 0) + 1)
      return score!.value
    })
    await scoring.idle()
    clearImmediate(counter)
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 13 }, (_, index) => index + 1))
    expect(Math.max(...turns.values())).toBeLessThanOrEqual(4)
  })

  test('judges equal samples of a slow reward once, and answers everybody', async () => {
    const { calls, reward } = counting(30)
    const scoring = serve({ length: reward })
    const first = scoring.score('length', [sample('a', 'same')])
    await pause(5) // it shows itself to be slow
    const again = scoring.score('length', [sample('a', 'same'), sample('b', 'other'), sample('a', 'same')])
    expect((await first)[0]!.value).toBe(4)
    expect((await again).map(({ value }) => value)).toEqual([4, 5, 4])
    expect(calls.reduce((sum, { size }) => sum + size, 0)).toBe(2)
  })

  test('answers at the deadline, and stops a call that nobody waits for', async () => {
    const { calls, reward } = counting(500)
    const scoring = serve({ length: reward })
    const [score] = await scoring.score('length', [sample('a')], { deadline: performance.now() + 30 })
    expect(score).toMatchObject({ value: null, code: 'timeout' })
    expect(calls[0]!.signal.aborted).toBe(true)
  })

  test('a caller that goes stops only what it alone waits for', async () => {
    const { calls, reward } = counting(500)
    const scoring = serve({ length: reward })
    const gone = new AbortController()
    const first = scoring.score('length', [sample('a')], { signal: gone.signal })
    await pause(5)
    const twin = scoring.score('length', [sample('a')])
    gone.abort()
    expect((await first)[0]).toMatchObject({ value: null, code: 'cancelled' })
    expect((await twin)[0]!.value).toBe(1)
    expect(calls).toHaveLength(1)
    expect(calls[0]!.signal.aborted).toBe(false)
  })

  test('refuses what it has no room for, and says when to ask again', async () => {
    const { reward } = counting(50)
    const scoring = serve({ length: reward }, { capacity: 4 })
    const held = scoring.score(
      'length',
      ['a', 'b', 'c'].map((id) => sample(id)),
    )
    await expect(scoring.score('length', [sample('d'), sample('e')])).rejects.toMatchObject({
      status: 503,
      code: 'overloaded',
      retryAfter: 1,
    })
    await expect(
      scoring.score(
        'length',
        Array.from({ length: 5 }, () => sample('x')),
      ),
    ).rejects.toMatchObject({ status: 413 })
    await held
    expect((await scoring.score('length', [sample('d')]))[0]!.value).toBe(1)
  })

  test('a slow reward does not hold up a fast one', async () => {
    const { reward } = counting(200)
    const fast = defineReward({ name: 'fast', judge: () => 1 })
    const scoring = serve({ slow: reward, fast })
    const slow = Promise.all(
      Array.from({ length: 500 }, (_, index) => scoring.score('slow', [sample(String(index))])),
    )
    const started = performance.now()
    await scoring.score('fast', [sample('a')])
    expect(performance.now() - started).toBeLessThan(190)
    await slow
  })

  test('a reward that computes in this thread is asked in short turns', async () => {
    let turns = 0
    const busy = defineReward({
      name: 'busy',
      judge: () => {
        const until = performance.now() + 2
        while (performance.now() < until);
        return 1
      },
    })
    const scoring = serve({ busy })
    // It takes a few calls to tell code that is slow from code that is new.
    for (let call = 0; call < 4; call++) await scoring.score('busy', [sample('warm')])
    const all = scoring.score(
      'busy',
      Array.from({ length: 60 }, (_, index) => sample(String(index))),
    )
    const count = setInterval(() => turns++, 1)
    await all
    clearInterval(count)
    expect(turns).toBeGreaterThan(5)
  })

  test('nothing is lost and nothing judged twice under a mix of requests', async () => {
    const seen = new Map<string, number>()
    const reward = defineReward({
      name: 'seen',
      range: [0, 1e6],
      judge: async ({ id, output }) => {
        seen.set(id, (seen.get(id) ?? 0) + 1)
        if (id.endsWith('7')) await pause(3)
        return textOf(output).length
      },
    })
    const scoring = serve({ seen: reward }, { batchSize: 16, concurrency: 3 })
    const requests = Array.from({ length: 200 }, (_, index) =>
      Array.from({ length: (index % 40) + 1 }, (_, item) => sample(`${index}/${item}`, 'x'.repeat(item))),
    )
    const answers = await Promise.all(
      requests.map(async (samples, index) => {
        if (index % 10 === 0) await pause(index / 20)
        return scoring.score('seen', samples)
      }),
    )
    answers.forEach((scores, index) => {
      expect(scores.map(({ value }) => value)).toEqual(requests[index]!.map((_, item) => item))
    })
    expect([...seen.values()].every((count) => count === 1)).toBe(true)
    expect(seen.size).toBe(requests.reduce((sum, samples) => sum + samples.length, 0))
    await scoring.idle()
  })
})

describe('groups', () => {
  const advantage = defineGroupReward({
    name: 'advantage',
    range: [-1e6, 1e6],
    judgeGroup: (group) => {
      const mean = group.reduce((sum, { output }) => sum + textOf(output).length, 0) / group.length
      return group.map(({ output }) => textOf(output).length - mean)
    },
  })

  test('members that come one by one are judged when all are there', async () => {
    const scoring = serve({ advantage })
    const scores = await Promise.all(
      ['a', 'aaa', 'aa', 'aaaaaa'].map((text, index) =>
        scoring.score('advantage', [sample(text, text, index < 4 ? 'g' : 'h')], { groupSize: 4 }),
      ),
    )
    expect(scores.map(([score]) => score!.value)).toEqual([-2, 0, -1, 3])
  })

  test('a group that stays incomplete is unscored after a while, and a member that went is not counted', async () => {
    const scoring = serve({ advantage }, { groupMs: 60 })
    const gone = new AbortController()
    const left = scoring.score('advantage', [sample('a', 'a', 'g')], { groupSize: 2, signal: gone.signal })
    gone.abort()
    expect((await left)[0]).toMatchObject({ code: 'cancelled' })
    const [score] = await scoring.score('advantage', [sample('b', 'bb', 'g')], { groupSize: 2 })
    expect(score).toMatchObject({ value: null, code: 'timeout' })
    expect(score).toMatchObject({ reason: expect.stringContaining('1 of the 2') })
  })
})

test('the same key gives the same answer, another request under it is refused', async () => {
  const { calls, reward } = counting(5)
  const scoring = serve({ length: reward })
  const ask = (output: string) => scoring.score('length', [sample('a', output)], { idempotencyKey: 'k' })
  expect(await ask('abc')).toEqual(await ask('abc'))
  expect(calls).toHaveLength(1)
  await expect(ask('other')).rejects.toMatchObject({ status: 422, code: 'idempotency-mismatch' })
})

test('an answer with a failure that may pass is judged again under its key', async () => {
  let calls = 0
  const reward = defineReward({
    name: 'flaky',
    judge: () => {
      if (calls++ === 0) throw new Error('no')
      return 1
    },
  })
  const scoring = serve({ flaky: reward })
  const ask = () => scoring.score('flaky', [sample('a')], { idempotencyKey: 'k' })
  expect((await ask())[0]!.value).toBeNull()
  expect((await ask())[0]!.value).toBe(1)
})

test('a shadow is asked afterwards, changes nothing, and its differences are counted', async () => {
  const old = defineReward({ name: 'old', judge: () => 1 })
  const shadow = defineReward({ name: 'new', judge: ({ id }) => (id === 'b' ? 0.5 : 1) })
  const metrics = new Metrics()
  const scoring = serve({ old }, { shadows: { shadow: { beside: 'old', reward: shadow } }, metrics })
  expect((await scoring.score('old', [sample('a'), sample('b')])).map(({ value }) => value)).toEqual([1, 1])
  await scoring.idle()
  expect(scoring.shadows()).toMatchObject([
    {
      name: 'shadow',
      compared: 2,
      different: 1,
      meanDifference: -0.25,
      examples: [{ sample: 'b', answered: 1, shadow: 0.5 }],
    },
  ])
  expect(await metrics.text()).toContain('guerdon_shadow_different_total{shadow="shadow",beside="old"} 1')
})

test('drift: a shift of the latest scores shows, for each part', async () => {
  let shift = 0
  const reward = defineReward({
    name: 'moving',
    judge: ({ id }) => ({ value: (Number(id) % 10) / 20 + shift, parts: { still: Number(id) % 2 } }),
  })
  const metrics = new Metrics()
  const scoring = serve({ moving: reward }, { metrics })
  const some = (count: number) =>
    scoring.score(
      'moving',
      Array.from({ length: count }, (_, index) => sample(String(index))),
    )
  for (let round = 0; round < 4; round++) await some(1000)
  const of = (name: string) => scoring.drift().find(({ component }) => component === name)!
  expect(of('value').stabilityIndex).toBeLessThan(0.01)
  shift = 0.3
  for (let round = 0; round < 3; round++) await some(1000)
  expect(of('value').stabilityIndex).toBeGreaterThan(0.25)
  expect(of('still').stabilityIndex).toBeLessThan(0.01)
  expect(of('value')).toMatchObject({ count: 7000, minimum: 0 })
  expect(await metrics.text()).toMatch(
    /guerdon_component_stability_index\{reward="moving",component="value"\} [1-9]/,
  )
})
