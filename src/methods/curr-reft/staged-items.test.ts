import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { answerIn } from '../../learn/tasks/scene-tasks.ts'
import { heldOutTypes, isHeldOut, sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { currReft, type Stage } from '../curr-reft.ts'
import {
  itemScenes,
  itemTasks,
  openAnswer,
  putItem,
  stagedItem,
  thoughtfulItem,
  unseenScenes,
} from './staged-items.ts'

const stages: readonly Stage[] = ['binary', 'choice', 'open']
const scenes = sceneWorld({ ...itemScenes(), seed: 'items' }).scenes(12)
const items = scenes.flatMap((scene) => itemTasks.map((task) => stagedItem(scene, new Rng(scene.id), task)))

async function accuracy(answer: string, item: (typeof items)[number], stage: Stage, seed: string) {
  const { reference, meta } = putItem(item, stage, new Rng(seed))
  const given = stage === 'open' ? openAnswer(answer, item.task, item.scene) : answer
  const output = `<think>I look.</think><answer>${given}</answer>`
  const [score] = await currReft({}).score([
    { id: 'x', prompt: '', output, reference: reference!, meta: meta! },
  ])
  return score!.parts!.accuracy
}

test('in every form a right thought earns all and its task is judged', async () => {
  for (const item of items)
    for (const stage of stages) {
      const { answer } = thoughtfulItem(item, stage, new Rng(item.scene.id), 1)
      expect(await accuracy(answerIn(answer), item, stage, item.scene.id)).toBe(1)
    }
})

test('wrong answers of the open form earn less than half, but for attributes that share one', async () => {
  for (const item of items)
    for (const other of item.others) expect(await accuracy(other, item, 'open', 'x')).toBeLessThan(0.5)
})

test('the forms put the same item: its question, its truth among four options', () => {
  for (const item of items) {
    const rng = () => new Rng(item.scene.id)
    expect(putItem(item, 'open', rng()).prompt).toBe(item.question)
    const choice = putItem(item, 'choice', rng())
    expect(choice.prompt.startsWith(item.question)).toBe(true)
    expect(choice.answerFor(item.truth)).toBe(choice.reference)
    expect(new Set([item.truth, ...item.others].map(choice.answerFor)).size).toBe(4)
    expect(putItem(item, 'binary', rng()).prompt).toMatch(/: yes or no\?$/)
  }
})

test('objects of a scene differ in shape; unseen scenes ask for a held-out pair', () => {
  for (const { objects } of scenes)
    expect(new Set(objects.map(({ shape }) => shape)).size).toBe(objects.length)
  for (const { objects } of sceneWorld({ ...unseenScenes, seed: 'unseen' }).scenes(8)) {
    expect(isHeldOut(objects[0]!)).toBe(true)
    expect(heldOutTypes).toContainEqual({ colour: objects[0]!.colour, shape: objects[0]!.shape })
  }
})
