import { expect, test } from 'vitest'
import type { ScoredSample } from '../core/index.ts'
import { type Measure, measureReader } from './measure.ts'

const scored: ScoredSample = {
  sample: {
    id: '1',
    prompt: 'p',
    output: 'o',
    reference: '4.5',
    meta: {
      stars: 3,
      good: true,
      text: 'fine',
      nested: { deep: 2 },
      'dotted.key': 7,
      empty: ' ',
      none: null,
    },
  },
  scores: {
    'toolrl.v2': { value: 0.5, parts: { format: 1, 'call.name': 0.25, absent: null } },
    toolrl: { value: 0.1 },
    failed: { value: null, code: 'timeout', reason: 'slow' },
  },
}
const read = (measure: Measure) => measureReader(measure).read(scored)

test.each([
  ['toolrl', 0.1],
  ['toolrl.v2', 0.5],
  ['toolrl.v2.format', 1],
  ['toolrl.v2.call.name', 0.25],
  ['toolrl.v2.absent', null],
  ['failed', null],
  ['reference', 4.5],
  ['meta.stars', 3],
  ['meta.good', 1],
  ['meta.text', null],
  ['meta.empty', null],
  ['meta.none', null],
  ['meta.nested.deep', 2],
  ['meta.dotted.key', 7],
  ['meta.constructor', null],
  ['constructor', null],
  ['toolrl.v2.constructor', null],
])('%s', (name, value) => {
  expect(read(name)).toBe(value)
})

test('only a name that no sample has is an error, and none without samples', () => {
  const misspelt = measureReader('toolr')
  misspelt.finish()
  misspelt.read(scored)
  expect(() => misspelt.finish()).toThrow(/Did you mean "toolrl"/)
  const failed = measureReader('failed')
  failed.read(scored)
  failed.finish()
  const named = measureReader({ name: 'output length', read: ({ sample }) => String(sample.output).length })
  expect(named.read(scored)).toBe(1)
  named.finish()
})
