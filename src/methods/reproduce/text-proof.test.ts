import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import type { Rollout } from '../../learn/trainers/rollouts.ts'
import { bestAndWorst, heldOutInstructions, newInstructions } from './text-proof.ts'

const rollout = (text: string, value: number | null) => ({ text, score: { value } }) as Rollout

test('best and worst leave out what was not judged; the first of those that tie', () => {
  const group = [rollout('x', null), rollout('a', 1), rollout('b', 3), rollout('c', 3), rollout('d', 1)]
  const { chosen, rejected } = bestAndWorst(group)!
  expect([chosen.text, rejected.text]).toEqual(['b', 'a'])
})

test('there is no pair of equal values, of one answer twice, or of nothing judged', () => {
  expect(bestAndWorst([rollout('a', 2), rollout('b', 2)])).toBeUndefined()
  expect(bestAndWorst([rollout('a', 1), rollout('a', 2)])).toBeUndefined()
  expect(bestAndWorst([rollout('a', null)])).toBeUndefined()
})

test('seeds of the verdict share their held-out tasks; trials have others', () => {
  const tasks = (seed: number) => JSON.stringify(heldOutInstructions('here', seed, 4))
  expect(tasks(0)).toBe(tasks(4))
  expect(tasks(1000)).not.toBe(tasks(0))
})

test('iterations draw instructions by their random numbers alone', () => {
  const draw = (seed: string) => JSON.stringify(newInstructions(3)(1, new Rng(seed)))
  expect(draw('a')).toBe(draw('a'))
  expect(draw('a')).not.toBe(draw('b'))
})
