import { z } from 'zod'
import { defineReward, GuerdonError, type Json, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { SchemaCache } from './json-schema-validator.ts'
import { jsonPlace, outputJson } from './json-validity.ts'

const example = (output: string, reference?: Json) => ({
  id: 'json-schema',
  prompt: 'Answer in JSON.',
  output,
  ...(reference === undefined ? {} : { reference }),
  meta: {},
})
const person = {
  type: 'object',
  properties: { name: { type: 'string' }, email: { type: 'string', format: 'email' } },
  required: ['name'],
  additionalProperties: false,
}

export const jsonSchema = defineRewardType({
  name: 'json-schema',
  summary: 'Whether the JSON of the output satisfies a JSON Schema: the option schema, else the reference.',
  source: 'JSON Schema 2020-12 (2019-09, draft 7 and draft 6 where $schema says so), checked by ajv',
  options: z.strictObject({
    schema: z
      .union([z.boolean(), z.record(z.string(), z.json())])
      .optional()
      .describe('default: the reference'),
    from: jsonPlace,
    unknownKeywords: z.enum(['refuse', 'ignore']).default('refuse'),
  }),
  create: ({ schema, from, unknownKeywords }) => {
    const validators = new SchemaCache({ unknownKeywords })
    let own: ReturnType<SchemaCache['get']> | undefined
    const validatorOf = (reference: Json | undefined) => {
      if (schema === undefined) return validators.get(reference!)
      own ??= validators.get(schema as Json)
      return own
    }
    return defineReward({
      name: 'json-schema',
      needs: schema === undefined ? ['reference'] : [],
      params: { from, unknownKeywords, ...(schema === undefined ? {} : { schema: schema as Json }) },
      judge: async ({ output, reference }) => {
        let validate: Awaited<ReturnType<SchemaCache['get']>>
        try {
          validate = await validatorOf(reference)
        } catch (error) {
          if (error instanceof GuerdonError)
            return unscored('bad-input', `the schema cannot be used: ${error.message}`)
          throw error
        }
        const found = outputJson(output, from)
        if ('score' in found) return found.score
        const violations = validate(found.json)
        if (violations.length === 0) return 1
        const { at, message } = violations[0]!
        return { value: 0, rationale: `${at === '' ? 'the value' : at} ${message}` }
      },
    })
  },
  examples: [
    { sample: example('{"name": "Ada", "email": "ada@example.org"}', person), value: 1 },
    { sample: example('{"name": "Ada", "email": "no address"}', person), value: 0 },
    { sample: example('```json\n{"age": 3}\n```', person), value: 0 },
    {
      sample: example('[1, 2]'),
      options: { schema: { type: 'array', items: { type: 'integer' } } },
      value: 1,
    },
    { sample: example('{}', { $ref: 'https://example.org/schema.json' }), value: null },
  ],
})
