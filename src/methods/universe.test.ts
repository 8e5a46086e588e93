import { describe, expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { picture } from '../../tests/stub-embedder.ts'
import { testVectors } from '../../tests/vectors.ts'
import { type Json, Rng, type Sample } from '../core/index.ts'
import type { Raster } from '../models/index.ts'
import { uniformIndices } from '../rewards/judge/frame-sampling.ts'
import { cohenKappa } from '../stats/agreement.ts'
import { drawClip, judgeClipAnswer, rolloutQuestions } from '../worlds/scenes/index.ts'
import { questionShares, universe } from './universe.ts'

const question = (task: string, format: string, answer: string, options?: string[]): Json => ({
  task,
  format,
  question: `${task} ${format}?`,
  answer,
  ...(options ? { options } : {}),
})
const six = [
  question('action', 'binary', 'yes'),
  question('action', 'choice', 'moves left', ['moves left', 'stays', 'grows']),
  question('action', 'open', 'moves left'),
  question('character', 'binary', 'no'),
  question('character', 'choice', 'red circle', ['blue star', 'red circle']),
  question('character', 'open', 'red circle'),
]
const sample = (reference: Json, frames = 14): Sample => ({
  id: 'clip',
  prompt: 'the red circle moves left',
  output: [{ type: 'video', frames: Array.from({ length: frames }, (_, index) => picture(index).image!) }],
  reference,
  meta: {},
})
/** Answers as a table from "task format" says; a choice by the letter of that text. */
const answering = (answers: Readonly<Record<string, string>>) =>
  scriptedModel((messages) => {
    const text = textOfConversation(messages)
    const [, asked] = /((?:action|character) (?:binary|choice|open))\?/.exec(text)!
    const said = answers[asked!]!
    const letter = new RegExp(`([A-Z])\\. ${said}$`, 'm').exec(text)?.[1]
    return asked!.endsWith('choice') && letter ? letter : said
  })
const allRight = {
  'action binary': 'Yes.',
  'action choice': 'moves left',
  'action open': 'It moves left.'.replace('It ', ''),
  'character binary': 'no',
  'character choice': 'red circle',
  'character open': 'The red circle',
}

testVectors('universe', {
  'universe.frames': ({ length, count }) => uniformIndices(length, count),
  'universe.rouge': async ([given, gold]: [string, string]) => {
    const { model } = scriptedModel(() => given)
    const [score] = await universe({ task: 'action' }, model).score([
      sample([question('action', 'open', gold)]),
    ])
    return score!.parts!['open rouge']
  },
  'universe.kappa': ([a, b]: [number[], number[]]) => cohenKappa(a, b)!.kappa,
})

test('six questions, two tasks that are never mixed silently', async () => {
  const [perfect] = await universe({}, answering(allRight).model).score([sample(six)])
  expect(perfect).toMatchObject({
    value: 1,
    parts: { action: 1, character: 1, 'open rouge': expect.closeTo(0.65) },
  })
  const wrong = { ...allRight, 'action binary': 'no', 'action open': 'stays', 'action choice': 'grows' }
  const [half] = await universe({}, answering(wrong).model).score([sample(six)])
  expect(half).toMatchObject({ value: 0.5, parts: { action: 0, character: 1, 'character open': 1 } })
  const of = async (task: 'action' | 'character') =>
    (await universe({ task }, answering(wrong).model).score([sample(six)]))[0]!.value
  expect([await of('action'), await of('character')]).toEqual([0, 1])
  const onlyActions = sample(six.slice(0, 3))
  expect((await universe({}, answering(wrong).model).score([onlyActions]))[0]).toMatchObject({
    code: 'not-applicable',
  })
})

describe('easily got wrong', () => {
  test('frames stand in the order of time, evenly spread; the control shuffles the same frames', async () => {
    const frames = async (order: 'time' | 'shuffled') => {
      const { model, seen } = answering(allRight)
      await universe({ order, frames: 4 }, model).score([sample(six)])
      return seen.map((messages) =>
        messages.flatMap(({ frames = [] }) => frames).map((frame) => (frame as Raster).data[0]),
      )
    }
    for (const shown of await frames('time')) expect(shown).toEqual([0, 4, 9, 13])
    for (const shown of await frames('shuffled')) {
      expect(shown).not.toEqual([0, 4, 9, 13])
      expect(shown.toSorted((a, b) => a! - b!)).toEqual([0, 4, 9, 13])
    }
  })
  test('guarded options have an order of their own, and a judge that always says A earns nothing by it', async () => {
    const { model, seen } = scriptedModel(() => 'A')
    const options = ['moves left', 'stays', 'grows', 'shrinks']
    const samples = Array.from({ length: 40 }, (_, index) => ({
      ...sample([question('action', 'choice', 'moves left', options)]),
      id: `clip ${index}`,
    }))
    const scores = await universe({ task: 'action' }, model).score(samples)
    const share = scores.reduce((sum, { value }) => sum + value!, 0) / 40
    expect(share).toBeGreaterThan(0.05)
    expect(share).toBeLessThan(0.5)
    expect(textOfConversation(seen[0]!)).toMatch(/A\. .+\nB\. /)
    const [fixed] = await universe({ task: 'action', variant: 'paper' }, model).score(samples)
    expect(fixed!.value).toBe(1)
  })
  test('open answers are compared without case, punctuation and articles', async () => {
    const open = async (said: string) =>
      (
        await universe({ task: 'character' }, scriptedModel(() => said).model).score([
          sample([question('character', 'open', 'red circle')]),
        ])
      )[0]!.value
    expect(await open('The Red circle!')).toBe(1)
    expect(await open('a red circle and a star')).toBe(0)
  })
  test('a reply that answers nothing is wrong as published, and unscored when guarded', async () => {
    const { model } = scriptedModel(() => 'hard to say')
    const binary = sample([question('action', 'binary', 'no')])
    expect((await universe({ task: 'action' }, model).score([binary]))[0]).toMatchObject({
      code: 'unparsable',
    })
    expect((await universe({ task: 'action', variant: 'paper' }, model).score([binary]))[0]!.value).toBe(0)
  })
})

test('shares of questions sum to 1 and keep 0.8 for actions and for open ones', () => {
  const all = Object.values(questionShares)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  expect(sum(all.flatMap((shares) => Object.values(shares)))).toBeCloseTo(1)
  expect(sum(Object.values(questionShares.action))).toBeCloseTo(0.8)
  expect(sum(all.map(({ open }) => open))).toBeCloseTo(0.8)
})

test('questions about drawn clips have answers that the clip shows, and yes as often as no', () => {
  let [yes, all] = [0, 0]
  for (let index = 0; index < 200; index++) {
    const rng = new Rng(`rollout ${index}`)
    const clip = drawClip(`clip ${index}`, rng, { steps: [1, 1] })
    const questions = rolloutQuestions(clip, rng)
    if (questions === undefined) continue
    expect(questions).toHaveLength(6)
    for (const { format, question: text, options, answer } of questions) {
      if (format === 'open') expect(judgeClipAnswer(clip, text, answer)).toBe(true)
      if (format === 'choice')
        expect(options!.filter((option) => judgeClipAnswer(clip, text, option))).toEqual([answer])
      if (format !== 'binary') continue
      all++
      yes += Number(answer === 'yes')
    }
  }
  expect(all).toBeGreaterThan(200)
  expect(yes / all).toBeGreaterThan(0.4)
  expect(yes / all).toBeLessThan(0.6)
})
