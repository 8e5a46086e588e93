import { expect, test } from 'vitest'
import { type MultiplierState, multiplierOf, multiplierStep } from './lagrangian.ts'

const close = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index]!, 6)
  })
}

test('sigmoid multipliers, two steps with momentum: above the threshold falls, below rises', () => {
  const first = multiplierStep({ parameters: [0, 0] }, [0.06, -0.04], { squash: 'sigmoid' })
  close(first.parameters, [-0.0015, 0.001])
  const second = multiplierStep(first, [0.06, -0.04], { squash: 'sigmoid' })
  // The slope of the sigmoid has moved a little off 1/4 by then.
  close(second.parameters, [-0.00315, 0.0021])
  close(
    second.parameters.map((m) => multiplierOf(m, 'sigmoid')),
    [0.499213, 0.500525],
  )
})

test('tanh multipliers, clipped gradient, may be negative', () => {
  const { parameters } = multiplierStep({ parameters: [0, 0] }, [2, -1.5], { squash: 'tanh' })
  close(parameters, [-0.04, 0.03])
  close(
    parameters.map((m) => multiplierOf(m, 'tanh')),
    [-0.039979, 0.029991],
  )
})

test('unsquashed multipliers stay at 0 or above, and the momentum is kept', () => {
  const state: MultiplierState = { parameters: [0.01], momentum: [0] }
  const next = multiplierStep(state, [5], { squash: 'none' })
  expect(next.parameters).toEqual([0])
  expect(next.momentum).toEqual([0.5])
})
