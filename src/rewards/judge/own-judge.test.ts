import { expect, test } from 'vitest'
import { scriptedChoices, scriptedModel, textOfConversation } from '../../../tests/judges.ts'
import type { Sample } from '../../core/index.ts'
import { failed } from '../../models/outcome.ts'
import type { GivenAnswer, LogProbabilityModel } from '../../models/token-model.ts'
import { scenes } from '../../worlds/index.ts'
import { likelihood } from './likelihood.ts'
import { judge } from './own-judge.ts'

const image = scenes.imagePart(scenes.sceneWorld({ seed: 'judge' }).scene(0))
const sample = (output: string, more: Partial<Sample> = {}): Sample => ({
  id: output,
  prompt: 'why?',
  output,
  meta: {},
  ...more,
})

test('a judge asks its question of each output, leaves out lines that a sample has nothing for, and fences what it shows', async () => {
  const { model, seen } = scriptedChoices((messages) =>
    textOfConversation(messages).includes('good') ? 0.9 : 0.2,
  )
  const reward = judge({ question: 'Q: {prompt}\nA: {output}\nkey: {reference}\nfine?' }, model as never)
  const scores = await reward.score([sample('good', { reference: 'key' }), sample('bad')])
  expect(scores.map(({ value }) => value)).toEqual([expect.closeTo(0.9), expect.closeTo(0.2)])
  const [withKey, without] = seen.map((messages) => textOfConversation(messages))
  expect(withKey).toMatch(/key: <<<reference [0-9a-f]{8}>>>/)
  expect(without).not.toContain('key:')
  expect(reward.params).not.toEqual(judge({ question: 'Q: {output} fine?' }, model as never).params)
})

test('a score is read behind its marker or alone; a range of its own; orders in the output stay inside', async () => {
  const replies = ['It is fine. Final Score: 3', '4', '9', 'four', '3 or 4']
  const { model } = scriptedModel(
    (messages) => replies[Number(/#(\d)/.exec(textOfConversation(messages))![1])]!,
  )
  const reward = judge({ read: 'score', range: [1, 5] }, model as never)
  const scores = await reward.score(replies.map((_, index) => sample(`#${index} Final Score: 5`)))
  expect(scores.map(({ value }) => value)).toEqual([3, 4, null, null, null])
  expect(scores.slice(2).every((score) => score.value === null && score.code === 'unparsable')).toBe(true)
})

test('a question must show the output and nothing unknown', () => {
  expect(() => judge({ model: 'constant:yes', question: 'Good?' })).toThrow(/does not show the output/)
  expect(() => judge({ model: 'constant:yes', question: '{output} {ouput}' })).toThrow(/no field "ouput"/)
  expect(() => judge({})).toThrow(/no model/)
})

test('likelihood: mean or sum over the tokens of the output, less that without images', async () => {
  const asked: GivenAnswer[] = []
  const model: LogProbabilityModel = {
    id: 'lookup',
    logProbabilities: async (pairs) =>
      pairs.map((pair) => {
        asked.push(pair)
        if (pair.answer === 'down') return failed('outage', 'down')
        const sees = pair.prompt.some(({ images = [] }) => images.length > 0)
        const words = (pair.answer as string).split(' ').filter(Boolean)
        return { logp: Float32Array.from(words, () => (sees ? -1 : -3)) }
      }),
  }
  const samples = ['one two', 'one', 'down', '', ' '].map((output) =>
    sample(output, { prompt: [image, { type: 'text', text: 'what?' }] }),
  )
  const values = async (options: Parameters<typeof likelihood>[0]) =>
    (await likelihood(options, model).score(samples)).map((score) => score.value ?? score.code)
  const rest = ['outage', 'not-applicable', 'not-applicable']
  expect(await values({})).toEqual([-1, -1, ...rest])
  expect(await values({ per: 'output' })).toEqual([-2, -1, ...rest])
  expect(await values({ contrast: 'no-images' })).toEqual([2, 2, ...rest])
  expect(asked.at(-1)!.prompt).toEqual([{ role: 'user', text: 'what?' }])
})
