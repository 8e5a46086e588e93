import { z } from 'zod'
import {
  defineReward,
  type Json,
  jsonOf,
  type Sample,
  type Score,
  textOf,
  unscored,
} from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { extractJson, type JsonOptions } from '../extract/extract.ts'

/** Where a reward looks for the JSON of an output, as an option. */
export const jsonPlace = z
  .enum(['whole', 'fence', 'fence-or-whole', 'embedded'])
  .default('fence-or-whole')
  .describe('whole text, code fence, fence if there is one, or the first balanced value that parses')

/** The JSON of an output (its JSON part, or read from its text), or the score of having none: 0, saying why. */
export function outputJson(
  output: Sample['output'],
  from: NonNullable<JsonOptions['from']>,
): { readonly json: Json } | { readonly score: Score } {
  const part = jsonOf(output)
  if (part !== undefined) return { json: part }
  const { value, error } = extractJson(textOf(output), { from })
  if (value !== undefined) return { json: value }
  if (error === 'too-deep') return { score: unscored('too-large', 'the JSON is nested more than 100 deep') }
  const place =
    from === 'whole' ? 'the text' : from === 'fence-or-whole' ? 'the fence or text' : `the ${from} place`
  return {
    score: {
      value: 0,
      rationale: error === 'unreadable' ? `${place} is no JSON` : `no JSON: ${place} is ${error}`,
    },
  }
}

const kindOf = (json: Json) => (json === null ? 'null' : Array.isArray(json) ? 'array' : typeof json)

const example = (output: string) => ({ id: 'json', prompt: 'Answer in JSON.', output, meta: {} })

export const json = defineRewardType({
  name: 'json',
  summary: 'Whether the output is JSON (strictly: no comments, trailing commas or NaN).',
  source: 'RFC 8259',
  options: z.strictObject({
    from: jsonPlace,
    kind: z.enum(['any', 'object', 'array']).default('any'),
  }),
  create: (options) =>
    defineReward({
      name: 'json',
      params: options,
      judge: ({ output }) => {
        const found = outputJson(output, options.from)
        if ('score' in found) return found.score
        const kind = kindOf(found.json)
        if (options.kind === 'any' || options.kind === kind) return 1
        return { value: 0, rationale: `the JSON is of kind ${kind}, not ${options.kind}` }
      },
    }),
  examples: [
    { sample: example('```json\n{"a": 1}\n```'), value: 1 },
    { sample: example('{"a": 1,}'), value: 0 },
    { sample: example('[1]'), options: { kind: 'object' }, value: 0 },
    { sample: example('It is {"a": 1}, I think.'), options: { from: 'embedded' }, value: 1 },
    { sample: example(''), value: 0 },
  ],
})
