import { expect, test } from 'vitest'
import { positionsJson, readStatedBoxes, statedBoxesText } from './stated-boxes.ts'

const size = { width: 32, height: 32 }
const boxes = [
  { box: [2, 4, 6, 8], confidence: 0.9 },
  { box: [10, 10, 20, 32], confidence: 0 },
] as const

test('boxes and tenths are read as they are written', () => {
  const text = statedBoxesText(boxes, size)
  expect(text).toBe('<box><4><8><12><16></box> nine <box><20><20><40><64></box> zero')
  expect(readStatedBoxes(text, size)).toEqual(boxes)
  expect(JSON.parse(positionsJson(text, size))).toEqual([
    { Position: [2, 4, 6, 8], Confidence: 0.9 },
    { Position: [10, 10, 20, 32], Confidence: 0 },
  ])
})

test('a confidence that is not said is none, also where another word stands', () => {
  expect(readStatedBoxes('<box><4><8><12><16></box> red', size)).toEqual([
    { box: [2, 4, 6, 8], confidence: undefined },
  ])
  expect(positionsJson('<box><4><8><12><16></box>', size)).toBe('[{"Position":[2,4,6,8]}]')
})

test('none is an empty list; what holds no box stays unreadable', () => {
  expect(statedBoxesText([], size)).toBe('none')
  expect(positionsJson('none', size)).toBe('[]')
  expect(positionsJson('a red circle', size)).toBe('a red circle')
  expect(positionsJson('<box><4><8><12></box> nine', size)).toBe('<box><4><8><12></box> nine')
})
