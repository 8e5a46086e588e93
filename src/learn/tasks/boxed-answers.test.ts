import { expect, test } from 'vitest'
import { defineReward, textOf } from '../../core/index.ts'
import { boxedAnswers, ofAnswerTags, taggedAnswers } from './boxed-answers.ts'

const written = '<think> red </think> <answer> green circle </answer>'

test('answer tags become boxes and back', () => {
  expect(boxedAnswers(written)).toBe('<think> red </think> \\boxed{green circle}')
  expect(taggedAnswers(boxedAnswers(written))).toBe(written)
  expect(boxedAnswers('<answer> never closed')).toBe('<answer> never closed')
  expect(boxedAnswers('<answer> a </answer> <answer> b </answer>')).toBe('\\boxed{a} \\boxed{b}')
})

test('a reward of boxed answers reads tags', async () => {
  const inner = defineReward({
    name: 'boxed',
    judge: ({ output, reference }) => Number(textOf(output).endsWith(`\\boxed{${reference}}`)),
  })
  const sample = { id: 'a', prompt: '', output: written, reference: 'green circle', meta: {} }
  const scores = await ofAnswerTags(inner).score([sample, { ...sample, reference: 'red circle' }])
  expect(scores.map(({ value }) => value)).toEqual([1, 0])
})
