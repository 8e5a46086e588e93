import { createRequire } from 'node:module'
import { Script } from 'node:vm'
import { z } from 'zod'
import { defineReward, GuerdonError, messageOf, type Reward, textOf, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { answerAt, whereOption } from './answer.ts'

type Matcher = (text: string) => boolean

/** A matcher that takes time linear in the text, whatever the pattern: no look-around and no back-references. */
function linearMatcher(pattern: string, ignoreCase: boolean, full: boolean): Matcher {
  // loaded when a pattern is: most runs have none
  const { RE2JS } = createRequire(import.meta.url)('re2js') as typeof import('re2js')
  try {
    const flags = RE2JS.DOTALL | RE2JS.MULTILINE | (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
    const compiled = RE2JS.compile(pattern, flags)
    return full ? (text) => compiled.matches(text) : (text) => compiled.matcher(text).find()
  } catch (error) {
    throw new GuerdonError(
      'bad-pattern',
      `the pattern ${JSON.stringify(pattern)} is not usable: ${messageOf(error)}`,
      {
        place: { field: 'pattern', reward: 'regex' },
        fix: 'Look-around and back-references need engine "javascript", which runs under a time limit.',
        cause: error,
      },
    )
  }
}

/** JavaScript's own patterns in a context that is stopped after a time: a match may backtrack for ever. */
function limitedMatcher(pattern: string, ignoreCase: boolean, full: boolean, timeLimitMs: number): Matcher {
  const source = full ? `^(?:${pattern})$` : pattern
  let compiled: RegExp
  try {
    compiled = new RegExp(source, full ? `su${ignoreCase ? 'i' : ''}` : `smu${ignoreCase ? 'i' : ''}`)
  } catch (error) {
    throw new GuerdonError(
      'bad-pattern',
      `the pattern ${JSON.stringify(pattern)} is not usable: ${messageOf(error)}`,
      {
        place: { field: 'pattern', reward: 'regex' },
        cause: error,
      },
    )
  }
  return (text) => {
    const script = new Script(`${compiled}.test(${JSON.stringify(text)})`)
    return script.runInNewContext({}, { timeout: timeLimitMs }) as boolean
  }
}

const options = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(2000)
    .describe('a regular expression; "." matches line breaks, "^" and "$" lines'),
  where: whereOption('whole'),
  full: z.boolean().default(false).describe('the whole answer must match, not a part of it'),
  ignoreCase: z.boolean().default(false),
  engine: z
    .enum(['linear', 'javascript'])
    .default('linear')
    .describe('linear: no look-around or back-references; javascript: all, stopped after timeLimitMs'),
  timeLimitMs: z.int().min(1).max(60_000).default(100).describe('of engine javascript; beyond it unscored'),
})

/**
 * The answer matches a pattern. Needs no reference. Throws a `GuerdonError` for a pattern that the engine cannot use.
 */
function regexReward(settings: z.input<typeof options>): Reward {
  const chosen = options.parse(settings)
  const { pattern, where, full, ignoreCase, engine, timeLimitMs } = chosen
  const matches =
    engine === 'linear'
      ? linearMatcher(pattern, ignoreCase, full)
      : limitedMatcher(pattern, ignoreCase, full, timeLimitMs)
  return defineReward({
    name: 'regex',
    params: chosen,
    judge: ({ output }) => {
      const { value: answer } = answerAt(textOf(output), where)
      if (answer === undefined) return { value: 0, parts: { found: 0 } }
      try {
        return { value: matches(answer) ? 1 : 0, parts: { found: 1 } }
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
        return unscored('timeout', `the pattern did not finish in ${timeLimitMs} ms`)
      }
    },
  })
}

const sample = (output: string) => ({ id: 'regex', prompt: 'Write a date.', output, meta: {} })

export const regex = defineRewardType({
  name: 'regex',
  summary: 'The answer matches a regular expression, in linear time.',
  options,
  create: regexReward,
  examples: [
    { sample: sample('On 2024-02-29.'), options: { pattern: '\\d{4}-\\d{2}-\\d{2}' }, value: 1 },
    { sample: sample('On 2024-02-29.'), options: { pattern: '\\d{4}-\\d{2}-\\d{2}', full: true }, value: 0 },
    { sample: sample('aa'), options: { pattern: '(a)\\1', engine: 'javascript' }, value: 1 },
    { sample: sample(`${'a'.repeat(40)}b`), options: { pattern: '(a+)+$' }, value: 0 },
  ],
})
