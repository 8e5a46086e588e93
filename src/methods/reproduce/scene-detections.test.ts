import { expect, test } from 'vitest'
import { boxesOf, boxListText } from '../../worlds/scenes/box-grammar.ts'
import { sceneVocabulary } from '../../worlds/scenes/vocabulary.ts'
import { confidentBoxes, detectionQuality } from './scene-detections.ts'
import { heldOutScenes } from './scene-proof.ts'

const words = {
  encode: (text: string) => sceneVocabulary.encode(text),
  decode: (tokens: readonly number[]) => sceneVocabulary.decode(tokens),
}
const [scene] = heldOutScenes('detections', 0, 1, { split: 'test', objects: [3, 3] })
const answered = (text: string, logp = 0) => {
  const tokens = words.encode(text)
  return { task: { scene: scene!, prompt: '' }, text, tokens, logp: tokens.map(() => logp) }
}

test('each box is as sure as its own tokens', () => {
  const [first, second] = boxesOf(scene!)
  const answer = answered(boxListText([first!, second!], scene!))
  const length = answer.tokens.length / 2
  const boxes = confidentBoxes(words, {
    ...answer,
    logp: answer.tokens.map((_, at) => (at < length ? Math.log(0.5) : at === length ? Math.log(0.1) : 0)),
  })
  expect(boxes.map(({ label, box }) => ({ label, box }))).toEqual([first, second])
  expect(boxes[0]!.confidence).toBeCloseTo(0.5)
  expect(boxes[1]!.confidence).toBeCloseTo(0.1 ** (1 / length))
})

test('what is cut off or unreadable is no box', () => {
  const [first] = boxesOf(scene!)
  const whole = boxListText([first!], scene!)
  expect(confidentBoxes(words, answered(`${whole} ${whole.slice(0, -9)}`))).toHaveLength(1)
  expect(confidentBoxes(words, answered('none'))).toEqual([])
})

test('all objects found exactly is 1, the same boxes twice are not better, none is 0', () => {
  const gold = boxesOf(scene!)
  const exact = detectionQuality(words, [answered(boxListText(gold, scene!))])
  expect(exact).toEqual({ AP: 1, AP50: 1, AP75: 1, 'F1 at 0.5': 1, 'boxes per object': 1 })
  const twice = detectionQuality(words, [answered(boxListText([...gold, ...gold], scene!))])
  expect(twice['boxes per object']).toBe(2)
  expect(twice['F1 at 0.5']).toBeCloseTo(2 / 3)
  const none = detectionQuality(words, [answered('none')])
  expect(none).toMatchObject({ AP50: 0, 'F1 at 0.5': 0, 'boxes per object': 0 })
})

test('a box that is a little off counts at an overlap of 0.5, and not at 0.75', () => {
  const shifted = boxesOf(scene!).map(({ label, box: [x1, y1, x2, y2] }) => ({
    label,
    box: [x1, y1, x2, y2 - Math.round(0.35 * (y2 - y1))] as const,
  }))
  expect(detectionQuality(words, [answered(boxListText(shifted, scene!))])).toMatchObject({
    AP50: 1,
    AP75: 0,
  })
})
