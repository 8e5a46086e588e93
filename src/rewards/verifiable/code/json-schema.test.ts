import { describe, expect, test } from 'vitest'
import type { Json, Sample } from '../../../core/index.ts'
import { jsonSchema } from './json-schema.ts'
import { compileSchema } from './json-schema-validator.ts'

const sample = (output: Sample['output'], reference: Json): Sample => ({
  id: 'x',
  prompt: '',
  output,
  reference,
  meta: {},
})
const reward = jsonSchema.create({})
const scoreOf = async (output: Sample['output'], reference: Json) =>
  (await reward.score([sample(output, reference)]))[0]!

describe('what cannot be used as a schema is not held against the answer', () => {
  test.each<[Json, RegExp]>([
    [{ $ref: 'https://example.org/a.json' }, /not fetched/],
    [{ $ref: '#/$defs/missing' }, /missing/],
    [{ typ: 'object' }, /typ/],
    [{ type: 'objekt' }, /type/],
    [{ pattern: '(' }, /regular expression/i],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, /too old/],
    ['object', /object or a boolean/],
    [null, /object or a boolean/],
  ])('%j', async (schema, why) => {
    expect(await scoreOf('{}', schema)).toMatchObject({
      value: null,
      code: 'bad-input',
      reason: expect.stringMatching(why),
    })
  })
})

test('dialects: tuples are items in draft 7 and prefixItems since 2020-12', async () => {
  const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] }
  const draft6 = { $schema: 'http://json-schema.org/draft-06/schema#', items: [{ type: 'string' }] }
  const current = { prefixItems: [{ type: 'string' }] }
  const older = { $schema: 'https://json-schema.org/draft/2019-09/schema', items: [{ type: 'string' }] }
  for (const schema of [draft7, draft6, current, older]) {
    expect(await scoreOf('["a", 1]', schema)).toMatchObject({ value: 1 })
    expect(await scoreOf('[1]', schema)).toMatchObject({ value: 0, rationale: '/0 must be string' })
  }
})

test('formats are checked, and refs within the schema followed, recursively', async () => {
  const tree: Json = {
    $ref: '#/$defs/node',
    $defs: {
      node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, day: { format: 'date' } } },
    },
  }
  expect(await scoreOf('{"next": {"day": "2024-02-29"}}', tree)).toMatchObject({ value: 1 })
  expect(await scoreOf('{"next": {"day": "2023-02-29"}}', tree)).toMatchObject({ value: 0 })
})

test('properties that every object inherits are no properties of the answer', async () => {
  expect(await scoreOf('{}', { required: ['toString'] })).toMatchObject({ value: 0 })
  expect(await scoreOf('{"__proto__": 1}', { additionalProperties: false })).toMatchObject({ value: 0 })
})

test('a JSON part is read as it is', async () => {
  expect(await scoreOf([{ type: 'json', json: { a: 1 } }], { required: ['a'] })).toMatchObject({ value: 1 })
})

test('two schemas of one $id do not meet', async () => {
  const named = (type: string): Json => ({ $id: 'https://example.org/a', type })
  const [first, second] = await Promise.all([compileSchema(named('string')), compileSchema(named('number'))])
  expect([first(1).length, second(1).length]).toEqual([1, 0])
})
