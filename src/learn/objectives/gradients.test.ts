import { describe, expect, test } from 'vitest'
import {
  logp,
  mask,
  normals,
  numbersOf,
  objectiveCases,
  objectiveDifferences,
  policy,
  tensorsOf,
} from '../../../tests/objective-cases.ts'
import { compile } from '../../tensor/compile.ts'
import { evaluated } from '../../tensor/evaluated.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import * as learn from '../index.ts'

describe('derivatives agree with finite differences in float64, graphs with both', () => {
  test.each(Object.entries(objectiveCases))('%s', async (_, objective) => {
    const { largest, value, gradient, slope } = await objectiveDifferences(objective)
    expect(largest).toBeGreaterThan(0)
    expect(value).toBeLessThanOrEqual(1e-4)
    expect(gradient).toBeLessThanOrEqual(1e-4)
    expect(slope).toBeLessThanOrEqual(1e-7)
  })
})

test('what is no scalar loss is the same in a graph', async () => {
  const inputs = {
    gae: {
      rewards: normals(3, 5),
      values: normals(3, 5),
      done: [
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0],
      ],
      bootstrap: [0.3, 0.2, 0.1],
      mask,
    },
    kl: { scores: normals(3), logp, logpRef: policy.fixed.logpRef, mask },
    pairs: {
      logpChosen: normals(3),
      logpRejected: normals(3),
      logpRefChosen: normals(3),
      logpRefRejected: normals(3),
    },
  }
  const fn = (x: any) => ({
    gae: learn.generalisedAdvantages(x.gae),
    kl: learn.klRewards(x.kl),
    pairs: learn.preferenceMetrics(x.pairs),
  })
  const wanted = numbersOf(evaluated<any, any>(fn, inputs))
  const tensors = Object.fromEntries(Object.entries(inputs).map(([key, fields]) => [key, tensorsOf(fields)]))
  const graph = await compile<any, Tree<Tensor>>(fn as never, [tensors], { threads: 1 })
  const result = await graph.run(tensors)
  const given = numbersOfTensors(result)
  expect(given).toHaveLength(wanted.length)
  given.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 5)
  })
  await graph.dispose()
})

function numbersOfTensors(tree: any): number[] {
  return 'data' in tree ? [...tree.data] : Object.values(tree).flatMap(numbersOfTensors)
}
