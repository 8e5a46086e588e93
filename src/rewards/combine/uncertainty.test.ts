import { expect, test } from 'vitest'
import { testVectors } from '../../../tests/vectors.ts'
import { linear } from './schedule.ts'
import {
  ctrlULoss,
  dividedByMaximum,
  mapLoss,
  mapUncertainty,
  meanAtTimesteps,
  segmentationLoss,
  segmentationUncertainty,
  uncertaintyWeightedLoss,
  uncertaintyWeights,
} from './uncertainty.ts'

testVectors('ctrl-u', {
  'ctrl_u.segmentation': ({ primary, auxiliary, labels, scale }) => {
    const uncertainty = segmentationUncertainty(primary, auxiliary, scale)
    const loss = segmentationLoss(primary, labels)
    return {
      uncertainty: [...uncertainty],
      weights: [...uncertaintyWeights(uncertainty)],
      loss: [...loss],
      ...uncertaintyWeightedLoss(loss, uncertainty, labels),
    }
  },
  'ctrl_u.depth': ({ primary, auxiliary, label, diffusion, gradScale, regulariserWeight }) => {
    const parts = uncertaintyWeightedLoss(mapLoss(primary, label), mapUncertainty(primary, auxiliary))
    return { ...parts, total: ctrlULoss({ ...parts, diffusion, gradScale, regulariserWeight }) }
  },
  'ctrl_u.ramp': ({ gradScale, steps }) => steps.map(linear({ from: 0, to: gradScale, end: 5000 })),
})

test('the divergence runs from the auxiliary to the primary output, and is not symmetric', () => {
  const [sure, unsure] = [
    [[4], [0]],
    [[0], [0]],
  ]
  expect(segmentationUncertainty(sure, unsure)[0]).toBeCloseTo(
    0.5 * Math.log(0.5 / (1 / (1 + Math.exp(-4)))) + 0.5 * Math.log(0.5 / (1 / (1 + Math.exp(4)))),
    12,
  )
  expect(segmentationUncertainty(sure, unsure)[0]).not.toBeCloseTo(
    segmentationUncertainty(unsure, sure)[0]!,
    2,
  )
  expect(segmentationUncertainty([[1000], [0]], [[1000], [0]])[0]).toBe(0)
})

test('depth maps are divided by their own maximum beforehand, never inside', () => {
  expect([...dividedByMaximum([1, 2, 4])]).toEqual([0.25, 0.5, 1])
  expect([...mapUncertainty([2, 4], [1, 4])]).toEqual([1, 0])
  expect(() => dividedByMaximum([0, -1])).toThrow(RangeError)
})

test('ignored pixels are out of the weighted loss and in the regulariser', () => {
  expect(uncertaintyWeightedLoss([5, 1], [3, 0], [255, 0])).toEqual({ weighted: 1, regulariser: 1.5 })
  expect(uncertaintyWeightedLoss([5], [2], [255])).toEqual({ weighted: 0, regulariser: 2 })
})

test('only samples within the timesteps count', () => {
  expect(meanAtTimesteps([1, 2, 100], [0, 400, 401], [0, 400])).toBeCloseTo(1.5, 9)
  expect(meanAtTimesteps([1], [999], [0, 400])).toBe(0)
})
