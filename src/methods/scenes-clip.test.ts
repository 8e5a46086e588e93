import { expect, test } from 'vitest'
import type { Reward, Sample } from '../core/index.ts'
import { areaUnderRoc } from '../stats/pair-accuracy.ts'
import { imagePart, namesOf, sceneWorld } from '../worlds/scenes/index.ts'
import { rpoLambdaHarmonic } from './rpo-lambda-harmonic.ts'
import { vlmRl } from './vlm-rl.ts'
import { vlmRm } from './vlm-rm.ts'

test('with the embedded encoder, frames that show the goal come first', async () => {
  const scenes = sceneWorld({ seed: 'embedding', split: 'test' }).scenes(400)
  const shows = (goal: string) => scenes.filter((scene) => namesOf(scene).includes(goal)).slice(0, 12)
  const others = scenes.filter((scene) => !namesOf(scene).includes('red circle')).slice(0, 20)
  const frames = [...shows('red circle'), ...others]
  const samples = frames.map(
    (scene): Sample => ({
      id: scene.id,
      prompt: 'a red circle.',
      output: [imagePart(scene)],
      reference: null,
      meta: {},
    }),
  )
  const model = 'embedded:scenes-clip'
  const area = async (reward: Reward) => {
    const values = (await reward.score(samples)).map(({ value }) => value!)
    expect(values.every(Number.isFinite)).toBe(true)
    const count = frames.length - others.length
    return areaUnderRoc(values.slice(0, count), values.slice(count))!
  }
  const texts = { positive: 'a red circle.', negative: 'there are no shapes.' }
  expect(await area(vlmRl({ model, form: 'contrast', ...texts, bounds: [-2, 2] }))).toBeGreaterThan(0.7)
  expect(await area(vlmRm({ model, baselines: ['there are no shapes.'] }))).toBeGreaterThan(0.55)
  expect(await area(rpoLambdaHarmonic({ model, lambda: 0 }))).toBeGreaterThan(0.5)
})
