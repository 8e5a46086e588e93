import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { isHeldOut } from '../../worlds/scenes/scene-world.ts'
import { heldOutScenes, newSceneTasks, passesOver, wordsOnly } from './scene-proof.ts'

test('passes read every row equally often, each in another order', () => {
  const rows = Array.from({ length: 12 }, (_, index) => index)
  const part = passesOver(rows, 8, 'seed')
  const read = [0, 1, 2, 3, 4, 5].flatMap((iteration) => part(iteration))
  const passes = [0, 1, 2, 3].map((pass) => read.slice(pass * 12, (pass + 1) * 12))
  for (const pass of passes) expect([...pass].sort((a, b) => a - b)).toEqual(rows)
  expect(passes[0]).not.toEqual(passes[1])
  expect(part(3)).toEqual(passesOver(rows, 8, 'seed')(3))
})

test('few rows are read several times in one iteration', () => {
  expect([...passesOver(['a', 'b'], 5, 'seed')(0)].sort().join('')).toMatch(/^a{2,3}b{2,3}$/)
})

test('seeds of the verdict share their held-out scenes; trials have others; compositions are new', () => {
  const scenes = (seed: number) => heldOutScenes('here', seed, 4, { split: 'composition' })
  expect(scenes(0)).toEqual(scenes(4))
  expect(scenes(1000)).not.toEqual(scenes(0))
  for (const { objects } of scenes(0)) expect(objects.some(isHeldOut)).toBe(true)
  for (const { objects } of heldOutScenes('here', 0, 4, { split: 'test' }))
    expect(objects.some(isHeldOut)).toBe(false)
})

test('iterations ask about scenes of their own, by seed and random numbers alone', () => {
  const tasks = newSceneTasks('seed', 2, (scene, rng) => ({ scene, prompt: `describe ${rng.int(0, 1000)}` }))
  const seen = (iteration: number) =>
    tasks(iteration, new Rng('x')).map(({ sample }) => JSON.stringify(sample.meta.shown))
  expect(seen(0)).toEqual(seen(0))
  expect(new Set([...seen(0), ...seen(1)]).size).toBe(4)
})

test('the words of a model that sees are its decoder', () => {
  expect(
    ['decoder.embedding', 'connector.output.weight', 'nullImage'].filter((path) => wordsOnly.test(path)),
  ).toEqual(['decoder.embedding'])
})
