import { expect, test } from 'vitest'
import { defineReward, textOf } from '../../core/index.ts'
import { boxesOf, boxListJson, boxListText, parseBoxList } from '../../worlds/scenes/box-grammar.ts'
import { sceneWorld } from '../../worlds/scenes/scene-world.ts'
import {
  answerIn,
  rereading,
  sceneOf,
  sceneOracle,
  scenePolicyTask,
  thoughtAndAnswer,
} from './scene-tasks.ts'

const scene = sceneWorld({ seed: 'tasks' }).scene(0)
const task = scenePolicyTask('one', {
  scene,
  prompt: 'find all shapes.',
  reference: 'x',
  meta: { kind: 'detection' },
})

test('a task shows the picture to the policy and to the reward, and the scene to the oracle', () => {
  expect(task.conversation[0]!.images).toHaveLength(1)
  expect(task.sample.meta).toMatchObject({ kind: 'detection', width: 32, input_height: 32 })
  expect(sceneOf(task.sample)).toEqual(scene)
  expect(() => sceneOf({ ...task.sample, meta: {} })).toThrow(/no scene/)
})

test('the oracle judges by the scene; a sample without one is not judged', async () => {
  const counted = sceneOracle('count', ({ objects }, response) =>
    Number(response) === objects.length ? 1 : 0,
  )
  const sample = { ...task.sample, output: String(scene.objects.length) }
  const scores = await counted.score([sample, { ...sample, output: '9' }, { ...sample, meta: {} }])
  expect(scores.map(({ value }) => value)).toEqual([1, 0, null])
})

test('an answer is read from its tags, cut off or not, or is the whole text', () => {
  expect(answerIn(thoughtAndAnswer('a star', 'red star'))).toBe('red star')
  expect(answerIn('<answer> red')).toBe('red')
  expect(answerIn(' red ')).toBe('red')
})

test('rereading changes what stands in answer tags and nothing else', async () => {
  const seen: string[] = []
  const inner = defineReward({
    name: 'seen',
    judge: (sample) => {
      seen.push(textOf(sample.output))
      return 1
    },
  })
  const json = rereading(inner, 'boxes', (answer) => boxListJson(parseBoxList(answer, scene).boxes))
  const boxes = boxesOf(scene)
  const written = boxListText(boxes, scene)
  const outputs = [thoughtAndAnswer(written, written), `<answer>${written}`, written]
  await json.score(outputs.map((output) => ({ ...task.sample, output })))
  expect(seen).toEqual([
    `<think> ${written} </think> <answer>${boxListJson(boxes)}</answer>`,
    `<answer>${boxListJson(boxes)}`,
    written,
  ])
})

test('rewards that read differently are different rewards', () => {
  const inner = defineReward({ name: 'inner', judge: () => 1 })
  const names = ['a', 'b'].map((writing) => rereading(inner, writing, (answer) => answer).name)
  expect(names).toEqual(['inner-of-a', 'inner-of-b'])
})
