import { expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import { siftedPairs } from '../apply/index.ts'
import type { Sample, ScoredSample } from '../core/index.ts'
import { diffusionDpoLosses, dpoLosses, evaluated, preferenceMargins } from '../learn/index.ts'
import { unifiedReward, unifiedRewardJudge } from './unifiedreward.ts'

const sample = (id: string, output: string): Sample => ({
  id,
  group: 'g',
  prompt: 'Describe.',
  output,
  meta: {},
})

testVectors('unifiedreward', {
  // The outputs meet two by two as given; the first of each pair wins.
  sift: async ({ chosen, rejected }: { chosen: number[]; rejected: number[] }) => {
    const rows = chosen.flatMap((score, index): ScoredSample[] => [
      { sample: sample(`c${index}`, `c${index}`), scores: { point: { value: score } } },
      { sample: sample(`r${index}`, `r${index}`), scores: { point: { value: rejected[index]! } } },
    ])
    const comparator = unifiedRewardJudge(
      { variant: 'released' },
      scriptedModel(() => 'Answer 1 is better than Answer 2').model,
    )
    const { preferences } = await siftedPairs(rows, { comparator, by: 'point', order: 'given' })
    const place = (id: unknown) => Number(String(id).slice(1))
    return { chosen: place(preferences[0]!.chosen), rejected: place(preferences[0]!.rejected) }
  },
  score: async (reply, { variant }) =>
    (
      await unifiedReward(
        { variant: variant as 'released' | 'guarded' },
        scriptedModel(() => reply).model,
      ).score([sample('a', 'x')])
    )[0]!.value,
  dpo: ({ beta, ...logps }) => {
    const pairs = Object.fromEntries(Object.entries(logps).map(([name, value]) => [name, [value]]))
    return (evaluated((x: any) => dpoLosses(preferenceMargins(x) as any, { beta }), pairs) as number[])[0]
  },
  diffusion_dpo: ({ beta, ...errors }) => {
    const pairs = Object.fromEntries(Object.entries(errors).map(([name, value]) => [name, [value]]))
    return (evaluated((x: any) => diffusionDpoLosses(x, { beta }), pairs) as number[])[0]
  },
})

test('what the variants read', async () => {
  const pair = { id: 'p', a: sample('a', 'one'), b: sample('b', 'two') }
  const thought = '<think>Answer 1 is better than Answer 2?</think>'
  const compare = async (variant: 'released' | 'guarded', reply: string) =>
    (await unifiedRewardJudge({ variant }, scriptedModel(() => reply).model).compare([pair]))[0]!.value
  expect(await compare('released', thought)).toBe(1) // a thought is taken for the verdict
  expect(await compare('guarded', thought)).toBeNull()
  expect(await compare('guarded', '<answer>Both are equally good.</answer>')).toBe(0.5)
  expect(await compare('released', 'Both answers are equally good')).toBe(0.5)
  const score = async (variant: 'released' | 'paper' | 'guarded', reply: string) =>
    (await unifiedReward({ variant }, scriptedModel(() => reply).model).score([sample('a', 'x')]))[0]!.value
  expect(await score('released', 'Final Score: eight')).toBe(0)
  expect(await score('paper', 'Final Score: eight')).toBeNull()
  expect(await score('released', 'Final Score: -3')).toBe(3)
  expect(await score('guarded', 'Final Score: -3')).toBeNull() // outside of the scale
})

test('ranges differ by task and travel with the reward', () => {
  const { model } = scriptedModel(() => '')
  expect(unifiedReward({ task: 'image understanding' }, model).range).toEqual([0, 100])
  expect(unifiedReward({ task: 'video generation' }, model).range).toEqual([1, 10])
  expect(unifiedReward({ form: 'pair' }, model).range).toEqual([0, 1])
})

test('outputs are named after what they are', async () => {
  const { model, seen } = scriptedModel(() => '<answer>Video 2 is better than Video 1</answer>')
  const judge = unifiedRewardJudge({ task: 'video generation' }, model)
  const frames = (id: string): Sample => ({
    ...sample(id, ''),
    output: [{ type: 'video', frames: [] }],
  })
  expect(await judge.compare([{ id: 'p', a: frames('a'), b: frames('b') }])).toMatchObject([
    { value: 0.5, orders: [0, 1] },
  ])
  expect(textOfConversation(seen[0]!)).toMatch(/<<<Video 1 .*\n\[video 1: 0 frames\]/)
})
