import { expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { picture } from '../../tests/stub-embedder.ts'
import { testVectors } from '../../tests/vectors.ts'
import { buildPairs } from '../apply/pairs.ts'
import type { Sample } from '../core/index.ts'
import type { ChatMessage } from '../models/chat-model.ts'
import type { Raster } from '../models/index.ts'
import { logSigmoid } from '../stats/logistic.ts'
import { mean } from '../stats/moments.ts'
import { visionPrefer } from './visionprefer-vpscore.ts'

const aspects = ['prompt-following', 'aesthetic', 'fidelity', 'harmlessness']
const candidates = (count: number): Sample[] =>
  Array.from({ length: count }, (_, number) => ({
    id: `${number}`,
    prompt: 'a red circle',
    output: [picture(number)],
    meta: {},
  }))
/** Grades each picture, wherever it stands, as a table says. */
const grading = (scores: readonly (readonly number[])[]) =>
  scriptedModel((messages: readonly ChatMessage[]) => {
    const aspect = aspects.findIndex((name) => textOfConversation(messages).includes(`Aspect: ${name}`))
    const shown = messages.flatMap(({ images = [] }) => images.map((image) => (image as Raster).data[0]!))
    const given = shown.map((number, place) => [`model-${place + 1}`, scores[number]![aspect]])
    return JSON.stringify({ scores: Object.fromEntries(given) })
  })

testVectors('visionprefer-vpscore', {
  'visionprefer.pairs': async ({ scores, by }: { scores: number[][]; by: string }) => {
    const samples = candidates(scores.length)
    const judged = await visionPrefer({}, grading(scores).model).score(samples)
    const rows = samples.map((sample, index) => ({ sample, scores: { visionprefer: judged[index]! } }))
    const { preferences } = await buildPairs(rows, {
      by: by === 'value' ? 'visionprefer' : `visionprefer.${by}`,
      strategy: 'all',
    })
    return {
      means: judged.map(({ value }) => value),
      pairs: preferences.map(({ id }) => id).sort(),
    }
  },
  'visionprefer.loss': (pairs: [number, number][]) =>
    mean(pairs.map(([chosen, rejected]) => -logSigmoid(chosen - rejected))),
})

test('all images of a prompt are graded in one call for each aspect, in shuffled order under masked names', async () => {
  const { model, seen } = grading([
    [1, 1, 1, 5],
    [2, 2, 2, 5],
    [3, 3, 3, 5],
    [4, 4, 4, 5],
  ])
  const scores = await visionPrefer({ permutations: 2 }, model).score(candidates(4))
  expect(seen).toHaveLength(8)
  expect(scores.map(({ value }) => value)).toEqual([2, 2.75, 3.5, 4.25])
  const orders = seen.map((messages) =>
    messages.flatMap(({ images = [] }) => images).map((image) => (image as Raster).data[0]),
  )
  expect(new Set(orders.map(String)).size).toBeGreaterThan(1)
})

test('a grade outside of 1 to 5, or none, leaves that image unscored', async () => {
  const { model } = grading([[5], [6]])
  const scores = await visionPrefer({ aspects: ['prompt-following'] }, model).score(candidates(2))
  expect(scores).toMatchObject([{ value: 5 }, { value: null, code: 'unparsable' }])
})
