import { expect, test } from 'vitest'
import { withoutLongerChosen } from '../../apply/length-filter.ts'
import { type Preference, Rng } from '../../core/index.ts'
import { oracle, sceneWorld } from '../../worlds/scenes/index.ts'
import { askedScene, captionPairs, detailPairs, isRight, questionPairs, wrongAnswer } from './pairs.ts'

const scenes = sceneWorld({ seed: 'ixc pairs' }).scenes(60)
const sceneOf = ({ id }: Preference) => scenes.find((scene) => id.includes(`${scene.id}/`))!
const questionOf = ({ prompt }: Preference) => (prompt as readonly { text?: string }[])[1]!.text!
const truth = (pair: Preference, side: 'chosen' | 'rejected') =>
  oracle.caption(sceneOf(pair), String(pair[side])).parts.claimAccuracy

test('of questions the chosen answer is right and the rejected one wrong, and both are of one kind', () => {
  const pairs = questionPairs(scenes, 'x')
  expect(pairs.length).toBeGreaterThan(40)
  for (const pair of pairs) {
    const right = (answer: string) => oracle.answer(sceneOf(pair), questionOf(pair), answer).correct
    expect([right(String(pair.chosen)), right(String(pair.rejected))]).toEqual([true, false])
  }
  const asked = scenes.map((scene) => askedScene(scene, new Rng(scene.id)))
  expect(asked.every((one) => isRight(one, one.question.answer))).toBe(true)
  expect(wrongAnswer(asked[0]!, [], new Rng(0))).toBeUndefined()
})

test('of captions one claim of the rejected one is false, and none is much longer', () => {
  const pairs = captionPairs(scenes, 'x')
  expect(pairs.length).toBeGreaterThan(50)
  for (const pair of pairs) {
    expect(truth(pair, 'chosen')).toBe(1)
    expect(truth(pair, 'rejected')).toBeLessThan(1)
  }
  expect(withoutLongerChosen(pairs).dropped.length).toBeLessThan(3)
})

test('the filter on length drops what a judge wants who likes detail; both captions are true', () => {
  const pairs = detailPairs(scenes, 'x')
  for (const pair of pairs) expect([truth(pair, 'chosen'), truth(pair, 'rejected')]).toEqual([1, 1])
  expect(withoutLongerChosen(pairs).dropped.length).toBeGreaterThan(0.9 * pairs.length)
})
