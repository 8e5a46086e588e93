import { expect, test } from 'vitest'
import { filteredSample, filteredVote } from './filtered-vote.ts'

test('the first five tokens are not looked at; from the first violation on all is saved', () => {
  const values = [0.9, -0.9, 0.1, 0.2, 0.3, 0.4, 0.5, -0.1, 0.2]
  expect(filteredSample(values, 0)).toEqual({ isKept: false, saved: 2, counted: 4 })
  expect(filteredSample([-0.9, -0.9, -0.9, -0.9, -0.9, 0.4, 0.5, 0.3], 0).isKept).toBe(true)
  expect(filteredSample([-1, -1], 0)).toEqual({ isKept: true, saved: 0, counted: 0 })
})

test('the kept vote; a tie with a wrong answer is wrong; if all are given up, all vote and nothing is saved', () => {
  const sample = (answer: string | null, value: number) => ({ answer, values: [1, 1, 1, 1, 1, value] })
  const samples = [sample('7', 0.5), sample('8', -0.5), sample('8', -0.5)]
  expect(filteredVote(samples, '7', -1)).toEqual({ isRight: false, saved: 0, counted: 3 })
  expect(filteredVote(samples, '7', 0)).toEqual({ isRight: true, saved: 2, counted: 3 })
  expect(filteredVote(samples, '7', 1)).toEqual({ isRight: false, saved: 0, counted: 3 })
  expect(filteredVote([sample('7', 1), sample('8', 1)], '7', 0).isRight).toBe(false)
  expect(filteredVote([sample(null, 1)], '7', 0).isRight).toBe(false)
})
