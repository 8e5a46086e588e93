import { expect, test } from 'vitest'
import { testVectors } from '../../../tests/vectors.ts'
import { selectionAccuracy } from './best-of-selection.ts'
import { hallucinationRate, rejectionScore, segmentClass } from './hallucinated-words.ts'
import { concreteObjects, isIgnoredObject, openChair, readObjectVerdict } from './open-chair.ts'
import { pathDescriptors } from './paths/descriptors.ts'
import { type PathPair, pathPairs } from './paths/pairs.ts'
import { pathLabel, pathScenarios, readPathChoice } from './paths/scenarios.ts'
import { discountedGain, pairOrder } from './rank-agreement.ts'
import { countVerdicts, readSideBySide } from './side-by-side.ts'

test('side-by-side verdicts name who is better and by how much', () => {
  expect(readSideBySide('IIW is substantially better', ['IIW'])).toBe(2)
  expect(readSideBySide('DCI is marginally better', ['IIW'])).toBe(-1)
  expect(readSideBySide('Neutral', ['IIW'])).toBe(0)
  for (const verdict of ['', null, 'IIW is better', 'neutral?'])
    expect(readSideBySide(verdict, ['IIW'])).toBe(null)
  expect(countVerdicts([2, 2, 0, -1])).toEqual({
    muchBetter: 2,
    better: 0,
    neutral: 1,
    worse: 1,
    muchWorse: 0,
  })
})

test('pairs of a list in order: ties earn half, equal gold says nothing', () => {
  expect(pairOrder([1, 2, 3], [1, 2, 3])).toBe(1)
  expect(pairOrder([3, 2, 1], [1, 2, 3])).toBe(0)
  expect(pairOrder([0, 0, 0], [1, 2, 3])).toBe(0.5)
  expect(pairOrder([1, 2], [4, 4])).toBe(null)
  expect(pairOrder([1, 2, 9], [4, 4, 5])).toBe(1)
  expect(discountedGain([1, 2], [0, 0])).toBe(null)
})

test('best of n beside random choice, majority and the best there is', () => {
  const question = { scores: [4, 4, 3], correct: [false, true, true], answers: ['7', '8', '8'] }
  expect(selectionAccuracy([question])).toEqual({
    questions: 1,
    first: 0,
    expected: 0.5,
    random: 2 / 3,
    majority: 1,
    oracle: 1,
  })
  expect(selectionAccuracy([])).toBe(null)
  expect(() => selectionAccuracy([{ scores: [], correct: [] }])).toThrow(RangeError)
})

testVectors('m-haldetect', {
  'm_haldetect.rejection': rejectionScore,
  'm_haldetect.rate': hallucinationRate,
})

test('nothing to judge is no score of hallucination', () => {
  expect(rejectionScore([])).toBe(null)
  expect(rejectionScore([1])).toBe(Number.POSITIVE_INFINITY)
  expect(hallucinationRate({ analysis: 12 })).toBe(null)
  expect(segmentClass('INACCURATE')).toBe('inaccurate')
  expect(segmentClass('wrong')).toBe(null)
})

testVectors('patheval', {
  'patheval.descriptors': ({ path, obstacle }) => pathDescriptors(path, [obstacle]),
  'patheval.label': ({ first, second, scenarios = [], wishes }) =>
    [
      ...scenarios.map((number: number) => pathScenarios[number - 1]!.wishes),
      ...(wishes ? [wishes] : []),
    ].map((each) => pathLabel(first, second, each)),
})

test('a path is judged the same whichever side it is drawn on', () => {
  const swapped = { 'Path 1': 'Path 2', 'Path 2': 'Path 1', Unresolved: 'Unresolved' } as const
  let pairs = 0
  for (const { paths, scenario, label } of pathPairs('swap')) {
    const [first, second] = paths.map(({ descriptors }) => descriptors)
    expect(pathLabel(second!, first!, scenario.wishes)).toBe(
      swapped[pathLabel(first!, second!, scenario.wishes)],
    )
    expect(['Path 1', 'Path 2']).toContain(label)
    if (++pairs === 20) break
  }
})

test('paths made are free of obstacles and end at the goal', () => {
  const [{ environment, paths }] = pathPairs('free').take(1).toArray() as [PathPair]
  for (const { points } of paths) {
    expect(points[0]).toEqual(environment.start)
    expect(points.at(-1)).toEqual(environment.goal)
    const dense = pathDescriptors(points, environment.obstacles, { clearanceAt: 'dense' })
    expect(dense.minimumClearance).toBeGreaterThan(0)
  }
})

test('a dense clearance sees what the vertices miss', () => {
  const square = [
    [2, 2],
    [4, 2],
    [4, 4],
    [2, 4],
  ] as const
  const through = [
    [0, 3],
    [6, 3],
  ] as const
  expect(pathDescriptors(through, [square]).minimumClearance).toBe(2)
  expect(pathDescriptors(through, [square], { clearanceAt: 'dense' }).minimumClearance).toBe(0)
})

test('choices of a path are read to the letter', () => {
  expect(readPathChoice('Answer: **Path 1**.\nExplanation: it is short')).toBe('Path 1')
  expect(readPathChoice('Path 2')).toBe('Path 2')
  expect(readPathChoice('I prefer Path 2')).toBe(null)
})

testVectors('openchair', {
  'openchair.score': openChair,
  'openchair.parse': readObjectVerdict,
})

test('objects are concrete nouns in the singular, repeats kept; nothing judged is no score', () => {
  const ratings = new Map([
    ['dog', 4.9],
    ['cloud', 4.5],
    ['photo', 4.9],
  ])
  expect(concreteObjects('Two dogs in a photo of clouds; a Dog.', ratings)).toEqual(['dog', 'photo', 'dog'])
  expect(isIgnoredObject('photo')).toBe(true)
  expect(openChair([['unsure'], []])).toBe(null)
})
