import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { AdaptiveLimit, type Slot } from './adaptive-limit.ts'
import { Stopper } from './stop-signal.ts'

/** The limit after so many answers of an endpoint that refuses as `refuses` says, all slots taken all the time. */
async function limitAfter(answers: number, start: number, refuses: (active: number) => boolean) {
  const limit = new AdaptiveLimit({ start, most: 512 })
  const signal = new Stopper()
  const taken: Slot[] = []
  for (let answer = 0; answer < answers; answer++) {
    while (limit.active < limit.limit) taken.push(await limit.acquire(signal))
    await new Promise((resolve) => setImmediate(resolve)) // time passes between sending and answer
    limit.release(taken.shift()!, refuses(limit.active) ? 'overloaded' : 'done')
  }
  return limit.limit
}

test('an endpoint that refuses a few at random keeps many at a time; one that is full gets what it takes', async () => {
  const rng = new Rng('refusals')
  // one more a round, and half of 4% of it less: about 2 / 4%
  expect(await limitAfter(6000, 64, () => rng.chance(0.04))).toBeGreaterThan(30)
  const settled = await limitAfter(1500, 128, (active) => active > 20)
  expect(settled).toBeGreaterThanOrEqual(12)
  expect(settled).toBeLessThanOrEqual(26)
  expect(await limitAfter(400, 64, () => true)).toBe(1)
})
