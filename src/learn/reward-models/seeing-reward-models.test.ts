import { expect, test } from 'vitest'
import { type Preference, Rng } from '../../core/index.ts'
import type { Embedder } from '../../models/embedder.ts'
import { resolveModel } from '../../nets/resolve-model.ts'
import type { RewardModel } from '../../rewards/learned/trained-reward-model.ts'
import { drawQuestion, imagePart, namesOf, questionSample, sceneWorld } from '../../worlds/scenes/index.ts'
import { trainRewardModel } from './train-reward-model.ts'

const scenes = (split: 'train' | 'test', count: number) =>
  sceneWorld({ seed: 'seeing reward models', split }).scenes(count)

/** Yes or no to a question about a picture: nothing but the picture tells which. */
function answered(split: 'train' | 'test', count: number): Preference[] {
  return scenes(split, count).map((scene, index) => {
    const answer = index % 2 === 0 ? 'yes' : 'no'
    const question = drawQuestion(scene, 'existence', new Rng(index), { answer })!
    const { id, prompt } = questionSample({ scene, question }, answer)
    return { id, prompt, chosen: answer, rejected: answer === 'yes' ? 'no' : 'yes', meta: {} }
  })
}

const scoreOf = async (model: RewardModel, { id, prompt, chosen }: Preference) =>
  ((await model.values([{ id, prompt, output: chosen, meta: {} }]))[0] as { value: number }).value

test('over the embedded vision-language model: the picture is read, its encoder stays as it is', async () => {
  const trunk = await resolveModel('embedded:scenes-vlm')
  const { model, evaluation, unread } = await trainRewardModel({
    preferences: answered('train', 12),
    heldOut: answered('test', 2),
    trunk: trunk as never,
    steps: 2,
    rows: 4,
    threads: 1,
  })
  expect(unread).toBe(0)
  expect(evaluation).toMatchObject({ pairs: 2, unread: 0 })
  const [first, second] = answered('test', 2) as [Preference, Preference]
  const text = (first.prompt as readonly unknown[])[1]
  const other = { ...first, prompt: [(second.prompt as readonly unknown[])[0], text] as Preference['prompt'] }
  expect(await scoreOf(model, other)).not.toBeCloseTo(await scoreOf(model, first), 4)
  expect(
    await model.values([
      {
        id: 'two',
        prompt: [...(first.prompt as never[]), ...(second.prompt as never[])],
        output: 'yes',
        meta: {},
      },
    ]),
  ).toMatchObject([{ failure: { reason: expect.stringContaining('2 images') } }])
  const connector = (parameters: unknown) => (parameters as { connector: object }).connector
  expect(connector(model.members[0]!.trunk)).toEqual(
    connector((trunk as unknown as { parameters: object }).parameters),
  )
  await model.dispose()
}, 120_000)

test('over the embedded dual encoder: pictures that show what was asked for are preferred', async () => {
  const name = 'embedded:scenes-clip'
  const shown = (split: 'train' | 'test', count: number) => {
    const all = scenes(split, 8 * count)
    const has = (isThere: boolean) =>
      all.filter((scene) => namesOf(scene).some((own) => own.startsWith('red')) === isThere)
    const [red, others] = [has(true), has(false)]
    return Array.from(
      { length: Math.min(count, red.length, others.length) },
      (_, index): Preference => ({
        id: `${split}-${index}`,
        prompt: 'something red.',
        chosen: [imagePart(red[index]!)],
        rejected: [imagePart(others[index]!)],
        meta: {},
      }),
    )
  }
  const embedder = (await resolveModel(name)) as Embedder
  const { model, evaluation } = await trainRewardModel({
    preferences: shown('train', 60),
    heldOut: shown('test', 30),
    trunk: { embedder, name, of: 'output', hidden: [16] },
    steps: 80,
    learningRate: 5e-3,
    threads: 1,
  })
  expect(evaluation!.unread).toBe(0)
  expect(evaluation!.accuracy!.estimate).toBeGreaterThan(0.7)
  await model.dispose()
}, 120_000)
