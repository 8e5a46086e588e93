import { numpy as np } from '@jax-js/jax'
import { expect, test } from 'vitest'
import { picture, stubEmbedder } from '../../tests/stub-embedder.ts'
import { testVectors } from '../../tests/vectors.ts'
import { defineReward, type Json, type Sample } from '../core/index.ts'
import { diffusionDpoLosses } from '../learn/objectives/diffusion-dpo.ts'
import { comparatorFromReward } from '../rewards/convert.ts'
import { mean } from '../stats/moments.ts'
import { evaluatedGradient } from '../tensor/evaluated.ts'
import { rpoLambdaHarmonic } from './rpo-lambda-harmonic.ts'

const url = (number: number): Json => {
  const { image } = picture(number)
  return `data:image/png;base64,${Buffer.from((image as { bytes: Uint8Array }).bytes).toString('base64')}`
}
const sample = (number: number, reference: Json, prompt = 'a photo of [V] star'): Sample => ({
  id: `${number}`,
  prompt,
  output: [picture(number)],
  reference,
  meta: {},
})

testVectors('rpo-lambda-harmonic', {
  'rpo.reward': async ({ lambda, subject, text }: { lambda: number; subject: number[]; text: number[] }) => {
    const pictures = subject.map((s, i) => [s, text[i]!, Math.sqrt(1 - s * s - text[i]! ** 2)])
    const embedder = stubEmbedder({ 'a photo of star': [0, 1, 0] }, [...pictures, [1, 0, 0]])
    const reference = url(pictures.length)
    const scores = await rpoLambdaHarmonic({ lambda }, embedder).score(
      subject.map((_, index) => sample(index, lambda === 0 ? null : reference)),
    )
    return scores.map(({ value }) => value)
  },
  'rpo.label': async ({ reference, generated }: { reference: number[]; generated: number[] }) => {
    const recorded = defineReward({ name: 'recorded', judge: ({ meta }) => meta.r as number })
    const of = (r: number): Sample => ({ id: `${r}`, prompt: 'p', output: '', meta: { r } })
    const pairs = reference.map((r, index) => ({ id: `${index}`, a: of(r), b: of(generated[index]!) }))
    const comparisons = await comparatorFromReward(recorded, { scale: 1 }).compare(pairs)
    return comparisons.map(({ value }) => value)
  },
  'rpo.loss': ({ labels, ...errors }: { labels: number[] } & Record<string, number[]>) => {
    // Diffusion-DPO with beta 2 on mean errors, the chosen side as the coin fell, plus the reference image's own error.
    const chosen = (yes: any, no: any) => np.where(np.array(labels).greater(0.5), yes, no)
    const preference = ({ modelReference, modelGenerated, baseReference, baseGenerated }: any) =>
      np.mean(
        diffusionDpoLosses(
          {
            errorChosen: chosen(modelReference.ref, modelGenerated.ref),
            errorRejected: chosen(modelGenerated, modelReference),
            errorRefChosen: chosen(baseReference.ref, baseGenerated.ref),
            errorRefRejected: chosen(baseGenerated, baseReference),
          },
          { beta: 2 },
        ),
      )
    const total = (x: any) => np.mean(x.modelReference.ref).add(preference(x))
    const { value, gradient } = evaluatedGradient(total, errors)
    const similarity = mean(errors.modelReference!)!
    return {
      similarity,
      preference: value - similarity,
      loss: value,
      byReference: gradient.modelReference,
      byGenerated: gradient.modelGenerated,
    }
  },
})

test('the weaker side dominates, several references are averaged before the harmonic mean', async () => {
  const embedder = stubEmbedder({ 'a photo of star': [0, 1, 0] }, [
    [1, 0, 0],
    [0, 0, 1],
    [0.6, 0.8, 0],
  ])
  const reward = rpoLambdaHarmonic({}, embedder)
  const [score] = await reward.score([sample(2, [url(0), url(1)])])
  const subject = ((0.6 + 0) / 2 + 1) / 2
  expect(score!.parts!.subject).toBeCloseTo(subject)
  expect(score!.value).toBeCloseTo(2 / (1 / subject + 1 / 0.9), 5)
  expect(score!.value!).toBeLessThan((subject + 0.9) / 2)
})

test('without references lambda 0 scores by the text, lambda 1 is unscored', async () => {
  const embedder = stubEmbedder({ 'a photo of star': [0, 1] }, [[0, 1]])
  const bare = { ...sample(0, null), prompt: 'a photo of [V] star' }
  const of = async (lambda: number) => (await rpoLambdaHarmonic({ lambda }, embedder).score([bare]))[0]!
  expect((await of(0)).value).toBeCloseTo(1)
  expect((await of(1)).value).toBeNull()
  expect((await of(0.5)).value).toBeNull()
})
