import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import type { Json, Sample, Score } from '../core/index.ts'
import { type Box, pixelIou } from '../rewards/verifiable/boxes/boxes.ts'
import { groupAdvantages } from '../stats/group-advantage.ts'
import { cleaned } from './vlm-r1/accuracy.ts'
import { choiceInContext } from './vlm-r1/choice.ts'
import { repetitionPenalty } from './vlm-r1/repetition.ts'
import { lengthTerm, vlmR1 } from './vlm-r1.ts'

type Settings = Parameters<typeof vlmR1>[0]

async function judge(
  output: string,
  reference: Json,
  settings: Settings = {},
  meta: Sample['meta'] = {},
): Promise<Score> {
  const sample = { id: 's', prompt: 'p', output, reference, meta }
  return (await vlmR1(settings).score([sample]))[0]!
}
const accuracy =
  (method: NonNullable<Settings>['method'], variant: NonNullable<Settings>['variant'] = 'guarded') =>
  async (input: { output: string; gold: Json }) =>
    (await judge(input.output, input.gold, { method, variant })).parts?.accuracy

testVectors('vlm-r1', {
  'stats.group_advantage': (totals: number[]) => groupAdvantages(totals),
  'vlm_r1.od_ap': accuracy('od_ap', 'released'),
  'vlm_r1.od_ap50': accuracy('od_ap50', 'released'),
  'vlm_r1.od_length_reward': accuracy('odLength', 'released'),
  'vlm_r1.weighted_sum_reward': accuracy('weighted_sum', 'released'),
  'vlm_r1.yes_no': accuracy('yes_no', 'released'),
  'vlm_r1.mcq': accuracy('mcq', 'released'),
  'vlm_r1.default': accuracy('default', 'released'),
  'vlm_r1.iou': ([a, b]: [Box, Box]) => pixelIou(a, b),
  'vlm_r1.rec_reward': async ({ output, gold, image, modelInput }) => {
    const meta = {
      width: image[0],
      height: image[1],
      input_width: modelInput[0],
      input_height: modelInput[1],
    }
    const { parts } = await judge(output, gold, { method: 'rec', variant: 'released' }, meta)
    return { accuracy: parts!.accuracy, format: parts!.format }
  },
  'vlm_r1.repetition_reward': (text: string) => repetitionPenalty(text),
  'vlm_r1.length_reward': (tokens: number) => lengthTerm(tokens, false, 'released'),
})

const circle = { bbox_2d: [10, 10, 50, 50], label: 'red circle' }
const square = { bbox_2d: [60, 10, 100, 50], label: 'blue square' }
const far = { bbox_2d: [0, 70, 20, 90], label: 'red circle' }
const gold = [circle, square]
const answer = (content: string) => `<think>t</think><answer>${content}</answer>`
const fence = (boxes: Json) => answer(`\`\`\`json\n${JSON.stringify(boxes)}\n\`\`\``)
const both = async (output: string, reference: Json, method: NonNullable<Settings>['method']) => [
  await accuracy(method, 'released')({ output, gold: reference }),
  await accuracy(method)({ output, gold: reference }),
]

describe('what released code pays for, and the guard does not', () => {
  test('duplicate boxes', async () => {
    expect(await both(fence([circle, square, circle, square]), gold, 'od_ap')).toEqual([1, 0.5])
  })

  test('boxes last: where a false box stands decides, or its number does', async () => {
    const last = await both(fence([circle, far, square]), gold, 'od_ap')
    const first = await both(fence([far, circle, square]), gold, 'od_ap')
    expect([last[0], first[0]]).toEqual([1, 0.75])
    expect(last[1]).toBe(first[1])
    expect(last[1]).toBe(0.75)
  })

  test('boxes of a label that is not asked for', async () => {
    const dog = { ...far, label: 'dog' }
    expect(await both(fence([circle, square, dog, dog]), gold, 'od_ap')).toEqual([1, 0.5])
    expect(await accuracy('odLength', 'released')({ output: fence([circle, square, dog, dog]), gold })).toBe(
      0.5,
    )
  })

  test('boxes turned inside out, or larger than any size class', async () => {
    for (const bbox_2d of [
      [50, 10, 10, 50],
      [0, 0, 1e6, 1e6],
    ])
      expect(await both(fence([{ ...circle, bbox_2d }, circle]), [circle], 'od_ap')).toEqual([1, 0.5])
  })

  test('"know" contains no; an empty answer agrees with a gold without a verdict', async () => {
    expect(await both(answer('I know it is yes'), 'no', 'yes_no')).toEqual([1, 0])
    expect(await both(answer('nothing'), 'no', 'yes_no')).toEqual([1, 0])
    expect(await both(answer(''), 'maybe', 'yes_no')).toEqual([1, undefined]) // guarded, no reference
    expect(await both(answer('It is yes.'), 'yes', 'yes_no')).toEqual([1, 1])
    expect(await both(answer('yes or no'), 'yes', 'yes_no')).toEqual([1, 0])
  })

  test('any text where there is nothing to find', async () => {
    for (const method of ['od_ap', 'odLength'] as const) {
      expect(await both(answer('a dog'), 'None', method)).toEqual([1, 0])
      expect(await both(answer(''), 'None', method)).toEqual([1, 0])
      expect(await both(answer('None'), 'None', method)).toEqual([1, 1])
      expect(await both(fence([]), 'None', method)).toEqual([1, 1])
      expect(await both(fence([circle]), 'None', method)).toEqual([0, 0])
      expect(await both('None', 'None', method)).toEqual([0, 0])
    }
    expect(await both(answer('a dog'), [], 'weighted_sum')).toEqual([1, 0])
    expect(await both(answer('none.'), 'None', 'weighted_sum')).toEqual([1, 1])
  })

  test('an empty answer in the format, and against an empty gold', async () => {
    const format = async (variant: 'released' | 'guarded') =>
      (await judge(answer(''), 'x', { variant })).parts!.format
    expect([await format('released'), await format('guarded')]).toEqual([1, 0])
    expect(await accuracy('all_match', 'released')({ output: answer(''), gold: '' })).toBe(1)
    expect(await judge(answer(''), '', { method: 'all_match' })).toMatchObject({ code: 'bad-input' })
    expect(await both(answer(''), 'x', 'default')).toEqual([0, 0])
  })

  test('normalised coordinates score 0 where one pixel of overlap is none', async () => {
    const shares = [0.1, 0.1, 0.9, 0.9]
    const output = fence([{ bbox_2d: shares, label: 'cat' }])
    const [released, guarded] = await both(output, [{ bbox_2d: shares, label: 'cat' }], 'weighted_sum')
    expect([released, guarded]).toEqual([0, 1])
    expect(await both(answer('[0.1, 0.1, 0.9, 0.9]'), shares, 'rec')).toEqual([0, 1])
  })

  test('a wrong label still counts as found in the weighted sum', async () => {
    const green = { ...circle, label: 'green circle' }
    const [released, guarded] = await both(fence([green]), gold, 'weighted_sum')
    expect([released, guarded]).toEqual([0.3 * 0.75, 0])
  })

  test('length: every answer is right, and long ones recover', () => {
    expect(lengthTerm(2048, true, 'guarded')).toBe(0.5)
    expect(lengthTerm(0, false, 'guarded')).toBe(-0.5)
    expect(lengthTerm(1024, false, 'guarded')).toBe(0)
    expect(lengthTerm(4096, false, 'paper')).toBe(0)
  })

  test('"(B)" is a choice after all', async () => {
    expect(await both(answer('(B)'), 'B', 'mcq')).toEqual([0, 1])
    expect(await both(answer('A'), 'B', 'mcq')).toEqual([0, 0])
  })
})

describe('where the answer stands', () => {
  test('the first block for boxes of rec, the last for detections', async () => {
    const two = '<think>t</think><answer>[1, 1, 9, 9]</answer><answer>[20, 20, 40, 40]</answer>'
    expect(await accuracy('rec', 'released')({ output: two, gold: [20, 20, 40, 40] })).toBe(0)
    expect(await accuracy('rec', 'released')({ output: two, gold: [1, 1, 9, 9] })).toBe(1)
    const lists = `<answer>None</answer>${fence([circle])}`
    expect(await accuracy('od_ap', 'released')({ output: lists, gold: [circle] })).toBe(1)
  })

  test('the last fence for average precision, the first for the weighted sum', async () => {
    const inner = (boxes: Json) => `\`\`\`json\n${JSON.stringify(boxes)}\n\`\`\``
    const output = answer(`${inner([far])}\n${inner([circle])}`)
    expect(await accuracy('od_ap', 'released')({ output, gold: [circle] })).toBe(1)
    expect(await accuracy('weighted_sum', 'released')({ output, gold: [circle] })).toBe(0)
  })

  test('labels keep their case in average precision and lose it in the weighted sum', async () => {
    const shouted = fence([{ ...circle, label: 'RED circle' }])
    expect(await both(shouted, [circle], 'od_ap')).toEqual([0, 1])
    expect(await both(shouted, [circle], 'weighted_sum')).toEqual([1, 1])
  })

  test('gold as text, in tags and fence', async () => {
    const text = `<answer>\`\`\`json\n${JSON.stringify(gold)}\n\`\`\`</answer>`
    expect(await both(fence(gold), text, 'od_ap')).toEqual([1, 1])
    expect(await both(fence(gold), text, 'weighted_sum')).toEqual([1, 1])
  })
})

describe('format', () => {
  const format = async (
    output: string,
    variant: 'released' | 'guarded' = 'released',
    method: 'rec' | 'default' = 'default',
  ) => (await judge(output, method === 'rec' ? [0, 0, 9, 9] : 'x', { variant, method })).parts!.format

  test('the whole string, from its first character to its last', async () => {
    expect(await format('<think>t</think>\n <answer>x</answer>')).toBe(1)
    expect(await format('<think>a\nb</think><answer>x\ny</answer>')).toBe(1)
    for (const output of [
      ' <think>t</think><answer>x</answer>',
      '<think>t</think><answer>x</answer>\n',
      '<answer>x</answer>',
    ])
      expect(await format(output)).toBe(0)
  })

  test('further blocks inside pass unless guarded', async () => {
    const extra = '<think>t</think><answer>x</answer><answer>y</answer>'
    expect([await format(extra), await format(extra, 'guarded')]).toEqual([1, 0])
  })

  test('rec: a search, with braces around four unsigned integers', async () => {
    const inside = 'Well: <think>t</think> <answer>so {"bbox_2d": [1, 2,  3, 4]} .</answer> Done.'
    expect(await format(inside, 'released', 'rec')).toBe(1)
    expect(await format(inside.replace('3', '-3'), 'released', 'rec')).toBe(0)
  })
})

test('the method travels with the row, and beats the option', async () => {
  const meta = { accu_reward_method: 'yes_no' }
  expect((await judge(answer('yes'), 'yes indeed', { method: 'all_match' }, meta)).parts!.accuracy).toBe(1)
  expect((await judge(answer('yes'), 'yes indeed', { method: 'all_match' })).parts!.accuracy).toBe(0)
  expect(await judge(answer('yes'), 'yes', {}, { accu_reward_method: 'toString' })).toMatchObject({
    code: 'bad-input',
  })
})

test('all four terms are summed', async () => {
  const terms = ['accuracy', 'format', 'repetition', 'length'] as const
  const { value, parts } = await judge(answer('red'), 'red', { terms: [...terms] }, { output_tokens: 512 })
  expect(parts).toEqual({ accuracy: 1, format: 1, repetition: 0, length: 0.75 })
  expect(value).toBe(2.75)
  expect(vlmR1({ terms: [...terms] }).range).toEqual([-1.5, 3])
})

test('math and numbers', async () => {
  expect(await both(answer('0.5'), '1/2', 'math')).toEqual([1, 1])
  expect(await both(answer('14'), '15', 'default')).toEqual([0, 0])
  expect(await both(answer('15.0'), '15', 'default')).toEqual([1, 1])
  expect((await both(answer('about 15'), '15', 'default'))[0]).toBeCloseTo(0.4, 12)
})

test('hints around a letter choose among several', () => {
  expect(choiceInContext('A, no. The correct answer is C.')).toBe('A') // the hints stand within 20 characters of A
  expect(choiceInContext(`A? ${'x'.repeat(40)} the answer: D.`)).toBe('D')
  expect(choiceInContext('B is right')).toBeUndefined()
})

test('cleaning drops line breaks, final full stops and case', () => {
  expect(cleaned('<answer>first</answer><answer> Two\nWords \nHere.. </answer>')).toBe('two words here')
  expect(cleaned('No tags.')).toBe('no tags')
})

test('repeated boxes without a fence, and text with words only', () => {
  const list = JSON.stringify([circle, circle, square, square])
  expect(repetitionPenalty(`Here: ${list}`)).toBe(-0.5)
  expect(repetitionPenalty('two words')).toBe(0)
  expect(repetitionPenalty('[{'.repeat(50_000))).toBe(0)
})
