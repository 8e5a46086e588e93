import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { answerIn } from '../../learn/tasks/scene-tasks.ts'
import { sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { vlmR1 } from '../vlm-r1.ts'
import {
  boxJson,
  detectionScenes,
  fencedBoxes,
  referredTypes,
  referringScenes,
  thoughtfulDetection,
  thoughtfulReferring,
  unseenTypes,
} from './box-tasks.ts'

const scored = async (method: 'od_ap' | 'rec', answer: string, task: { reference?: unknown }) => {
  const output = `<think>I look.</think><answer>${answer}</answer>`
  const [score] = await vlmR1({ method }).score([
    { id: 'x', prompt: '', output, reference: task.reference as never, meta: {} },
  ])
  return score!.parts!.accuracy!
}

test('right boxes earn all, boxes a little beside less; both are read as they are written', async () => {
  for (const scene of sceneWorld({ ...detectionScenes, seed: 'boxes' }).scenes(8)) {
    const at = async (skill: number, surplus = 0) => {
      const { answer, ...task } = thoughtfulDetection(scene, new Rng(scene.id), { skill, surplus })
      return scored('od_ap', fencedBoxes(answerIn(answer), scene), task)
    }
    expect(await at(1)).toBe(1)
    expect(await at(1, 1)).toBeLessThan(1) // guarded, a second guess costs
    expect(await at(0)).toBeLessThanOrEqual(1)
  }
})

test('a referring expression names one object; the box of another earns less than half', async () => {
  for (const scene of sceneWorld({ ...referringScenes(referredTypes), seed: 'one' }).scenes(8)) {
    const at = async (skill: number) => {
      const { answer, ...task } = thoughtfulReferring(scene, new Rng(scene.id), skill)
      return scored('rec', boxJson(answerIn(answer), scene), task)
    }
    expect(await at(1)).toBe(1)
    expect(await at(0)).toBeLessThan(0.5)
    const names = scene.objects.map(({ colour, shape }) => `${colour} ${shape}`)
    expect(names.filter((name) => name === names[0])).toHaveLength(1)
  }
})

test('what holds no box stays unreadable; none is an empty list', () => {
  const size = { width: 32, height: 32 }
  expect(fencedBoxes('a star', size)).toBe('a star')
  expect(fencedBoxes('none', size)).toBe('```json\n[]\n```')
  expect(boxJson('left', size)).toBe('left')
})

test('unseen pairs are none of those referred to, whose colours and shapes are all there', () => {
  const name = ({ colour, shape }: (typeof unseenTypes)[0]) => `${colour} ${shape}`
  expect(referredTypes.map(name).filter((type) => unseenTypes.map(name).includes(type))).toEqual([])
  for (const { colour, shape } of unseenTypes) {
    expect(referredTypes.some((type) => type.colour === colour)).toBe(true)
    expect(referredTypes.some((type) => type.shape === shape)).toBe(true)
  }
})
