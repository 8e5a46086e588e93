import { expect, test } from 'vitest'
import { defineReward, textOf } from '../src/core/index.ts'
import { soak } from './serve-load.ts'
import { slowLength, testServer } from './serve-server.ts'

// The whole of it, ten minutes and memory included: npm run -s bench -- soak
test('20 seconds of clients that go, send garbage, half bodies and slow bodies: every polite one has its own answer', async () => {
  const fast = defineReward({ name: 'fast', range: [0, 1e6], judge: ({ output }) => textOf(output).length })
  const server = await testServer({
    rewards: { fast, slow: slowLength(10) },
    limits: { headMs: 1000, bodyMs: 2000 },
  })
  const result = await soak({ port: server.port, seconds: 20, clients: 16, seed: 'soak' })
  expect(result).toMatchObject({ wrong: 0, broken: 0, refused: 0, unrefused: 0, right: result.asked })
  expect(result.asked).toBeGreaterThan(100)
  expect(result.rude).toBeGreaterThan(20)
  expect(await server.close()).toBe(0)
  const failures = server.lines.filter((line) => line.includes('"level":"error"'))
  expect(failures).toEqual([])
}, 120_000)
