import { z } from 'zod'
import { defineReward, textOf, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { codeOf, javascriptSyntax } from './javascript-source.ts'

const example = (output: string) => ({
  id: 'code',
  prompt: 'Write a function that doubles.',
  output,
  meta: {},
})

export const code = defineRewardType({
  name: 'code',
  summary: 'Whether the code of the output (its code fence, or all of it) parses; it is not run.',
  options: z.strictObject({
    language: z
      .enum(['javascript'])
      .default('javascript')
      .describe('javascript: ECMAScript 2025, read by acorn'),
    sourceType: z.enum(['script', 'module', 'either']).default('either'),
    which: z.enum(['first', 'last']).default('first').describe('which code fence'),
  }),
  create: (options) =>
    defineReward({
      name: 'code',
      params: options,
      judge: async ({ output }) => {
        const source = codeOf(textOf(output), options.which)
        if (source.length > 1_000_000)
          return unscored('too-large', 'the code is longer than 1,000,000 characters')
        const { statements, error, tooDeep } = await javascriptSyntax(source, options.sourceType)
        if (tooDeep) return unscored('too-large', 'the code is nested too deeply for the parser')
        if (error !== undefined) return { value: 0, rationale: error }
        return statements === 0 ? { value: 0, rationale: 'there is no code' } : 1
      },
    }),
  examples: [
    { sample: example('```js\nconst double = (x) => 2 * x\n```'), value: 1 },
    { sample: example('```js\nconst double = (x) => 2 *\n```'), value: 0 },
    { sample: example('import fs from "fs"\nexport const double = (x) => 2 * x'), value: 1 },
    { sample: example('// nothing yet'), value: 0 },
  ],
})
