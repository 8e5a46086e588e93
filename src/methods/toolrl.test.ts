import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testOnData } from '../../tests/shared-data.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Json, Sample, Score } from '../core/index.ts'
import { multisetJaccard } from '../rewards/verifiable/text/jaccard.ts'
import { thoughtShare, toolrl } from './toolrl.ts'

const sample = (output: string, reference: Json): Sample => ({
  id: 's',
  prompt: 'p',
  output,
  reference,
  meta: {},
})
async function judge(
  output: string,
  gold: Json,
  settings: Parameters<typeof toolrl>[0] = {},
  step?: number,
): Promise<Score> {
  const [score] = await toolrl(settings).score([sample(output, gold)], step === undefined ? {} : { step })
  return score!
}
const call = (name: string, parameters: Json) => JSON.stringify({ name, parameters })
const output = (...lines: string[]) => `<think>t</think>\n<tool_call>\n${lines.join('\n')}\n</tool_call>`

interface ScoreInput {
  output: string
  gold: string
  granularity?: 'coarse' | 'intermediate' | 'refined' | 'fine'
  scale?: 'default' | 'equal' | 'two-stage' | 'smooth'
  step?: number
}
const scored = ({ output, gold, step, ...settings }: ScoreInput, variant: string | undefined) =>
  judge(output, gold, { ...settings, variant: variant as 'released' }, step)

testVectors('toolrl', {
  'tool_rl.score': async (input: ScoreInput, { variant }) => {
    const { value, parts } = await scored(input, variant)
    return { total: value, format: parts?.format, correctness: parts?.correctness }
  },
  'tool_rl.total': async (input: ScoreInput, { variant }) => (await scored(input, variant)).value,
  'tool_rl.correctness': async (input: ScoreInput, { variant }) =>
    (await scored(input, variant)).parts?.correctness,
  'tool_rl.match_score': ([a, b]: [string[], string[]]) => multisetJaccard(a, b),
})

describe('what is easily got wrong', () => {
  const gold = output(call('f', { a: 3, b: true }))

  test('a blank line or JSON over several lines spoils all calls', async () => {
    const two = output(call('f', { a: 3, b: true }), '', call('g', {}))
    const pretty = output(JSON.stringify({ name: 'f', parameters: { a: 3, b: true } }, null, 2))
    for (const text of [two, pretty]) expect((await judge(text, gold)).parts?.correctness).toBe(-3)
  })
  test('3 equals 3.0 always; true equals 1 only as released; text never equals a number', async () => {
    const correctness = async (a: string, b: string, variant: 'released' | 'paper' | 'guarded') =>
      (await judge(output(`{"name": "f", "parameters": {"a": ${a}, "b": ${b}}}`), gold, { variant })).parts
        ?.correctness
    for (const variant of ['released', 'paper', 'guarded'] as const) {
      expect(await correctness('3.0', 'true', variant)).toBe(3)
      expect(await correctness('"3"', 'true', variant)).toBe(1.5)
    }
    expect(await correctness('3', '1', 'released')).toBe(3)
    expect(await correctness('3', '1', 'paper')).toBe(1.5)
    expect(await correctness('3', '1', 'guarded')).toBe(1.5)
  })
  test('a call with the right name and nothing else is not used up', async () => {
    const twice = output(call('f', { a: 1 }), call('f', { b: 2 }))
    // The first wanted call finds no key in common with the first given one, and the second still finds its own.
    expect(
      (await judge(output(call('f', { b: 2 })), twice, { variant: 'released' })).parts?.correctness,
    ).toBeCloseTo((6 * (0.5 + 2)) / 5 - 3)
  })
  test('under the smooth schedule a malformed response is worth -2 at first and -1 from step 75', async () => {
    for (const [step, format] of [
      [0, -2],
      [30, -1.6],
      [75, -1],
      [150, -1],
    ] as const)
      expect((await judge('x', gold, { scale: 'smooth' }, step)).parts?.format).toBeCloseTo(format)
  })
  test('a schedule without a step is unscored', async () => {
    for (const settings of [{ scale: 'smooth' }, { scale: 'two-stage' }, { length: 'dynamic' }] as const)
      expect(await judge(gold, gold, settings)).toMatchObject({ value: null, code: 'bad-input' })
  })
  test('chat markers are cut: the last assistant turn counts', async () => {
    const chat = `<|im_start|>user\n${output(call('g', {}))}<|im_end|>\n<|im_start|>assistant\n${gold}<|im_end|>`
    const { value, evidence } = await judge(chat.replace('3,', '4,').replace('"a":3', '"a":4'), gold, {
      variant: 'released',
    })
    expect(value).toBe(2.5)
    const span = evidence![0] as { start: number; end: number }
    expect(chat.replace('"a":3', '"a":4').slice(span.start, span.end)).toBe(call('f', { a: 4, b: true }))
  })
  test('words of the last thought, rounded half to even', () => {
    const words = (count: number) => `<think>first</think><think>${'w '.repeat(count)}</think>`
    expect([64, 192, 320, 448, 51, 600].map((count) => thoughtShare(words(count), 512))).toEqual([
      0.12, 0.38, 0.62, 0.88, 0.1, 1,
    ])
    expect(thoughtShare('no thought', 512)).toBe(0)
  })
  test('the length term and its growing target', async () => {
    const long = gold.replace('t</think>', `${'w '.repeat(511)}w</think>`)
    expect((await judge(long, gold, { length: 'fixed' })).value).toBe(5)
    expect((await judge(long, gold, { length: 'dynamic' }, 105)).parts?.length).toBe(0.8)
    expect((await judge(long, gold, { length: 'dynamic' }, 210)).parts?.length).toBe(0.8)
    expect((await judge(long, gold, { length: 'dynamic', variant: 'released' }, 210)).parts?.length).toBe(
      0.57,
    )
  })
  test('a gold of calls and a response wants both blocks', async () => {
    const both = `${gold}\n<response>done</response>`
    expect((await judge(both, both)).value).toBe(4)
    expect((await judge(gold, both)).parts?.format).toBe(0)
    expect((await judge(`${both}\n<response>again</response>`, both)).parts?.format).toBe(0)
  })
})

describe('guarded', () => {
  const gold = output(call('f', { a: 1 }))
  test('does not pay for spam: every further call costs as much as a missing one', async () => {
    const spam = output(call('f', { a: 1 }), ...Array(9).fill(call('f', { a: 2 })))
    expect((await judge(spam, gold, { variant: 'released' })).parts?.correctness).toBeGreaterThan(1)
    expect((await judge(spam, gold)).parts?.correctness).toBeLessThan(-2)
  })
  test('reads no calls from the thoughts', async () => {
    const thinking = `<think>\n<tool_call>\n${call('f', { a: 1 })}\n</tool_call>\n</think>\n<response>no</response>`
    expect((await judge(thinking, gold, { variant: 'released' })).parts?.correctness).toBe(3)
    expect((await judge(thinking, gold)).parts?.correctness).toBe(-3)
  })
  test('calling where nothing should be called is wrong', async () => {
    expect((await judge(gold, '<think>t</think>\n<response>r</response>')).parts?.correctness).toBe(-3)
    expect((await judge('<think></think>', 'no tags', { variant: 'released' })).value).toBe(1)
    expect((await judge('<think></think>', 'no tags')).value).toBe(0)
  })
  test('is never above released, and stays in range', async () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.boolean(), fc.constant('1'))
    const calls = fc.array(
      fc
        .tuple(fc.constantFrom('f', 'g'), fc.dictionary(fc.constantFrom('a', 'b'), value))
        .map(([name, parameters]) => call(name, parameters)),
      { minLength: 1, maxLength: 4 },
    )
    await fc.assert(
      fc.asyncProperty(
        calls,
        calls,
        fc.constantFrom('coarse', 'intermediate', 'refined', 'fine'),
        async (a, b, granularity) => {
          const settings = { granularity: granularity as 'fine' }
          const guarded = (await judge(output(...a), output(...b), settings)).value!
          const released = (await judge(output(...a), output(...b), { ...settings, variant: 'released' }))
            .value!
          expect(guarded).toBeLessThanOrEqual(released + 1e-9)
          expect((await judge(output(...a), output(...[...a].reverse()))).value).toBe(4)
        },
      ),
    )
  })
})

test('a list of calls is a reference too; a gold that cannot be read is bad input', async () => {
  expect((await judge(output(call('f', { a: 1 })), [{ name: 'f', arguments: { a: 1 } }])).value).toBe(4)
  for (const reference of [output('{'), 3, {}, [3]] as Json[])
    expect(await judge(output(call('f', {})), reference)).toMatchObject({ value: null, code: 'bad-input' })
})

testOnData(
  'toolrl',
  'the released training answers: the format holds, and calls equal themselves',
  async (folder) => {
    const rows: { output: string }[] = gunzipSync(readFileSync(join(folder, 'sft.jsonl.gz')))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows).toHaveLength(200)
    const tally = async (variant: 'released' | 'guarded') => {
      const counts = { full: 0, unreadable: 0, formatOnly: 0 }
      for (const { output: text } of rows) {
        const { value } = await judge(text, text, { variant })
        const most = text.includes('<tool_call>') ? 4 : 1
        if (value === null) counts.unreadable++
        else if (value === most) counts.full++
        else if (value === most - 1) counts.formatOnly++
      }
      return counts
    }
    // Ten thoughts name the tag, which the released code takes for the block itself.
    expect(await tally('released')).toEqual({ full: 190, unreadable: 10, formatOnly: 0 })
    expect(await tally('guarded')).toEqual({ full: 190, unreadable: 0, formatOnly: 10 })
  },
)
