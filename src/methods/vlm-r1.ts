import { z } from 'zod'
import {
  defineReward,
  type Json,
  type Range,
  type Reward,
  type Sample,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { withoutThoughts } from '../rewards/verifiable/extract/asides.ts'
import { type FormatSpec, formatScore, strictFormat } from '../rewards/verifiable/extract/format.ts'
import { cosineLength, textLength } from '../rewards/verifiable/text/length.ts'
import { defineMethod } from './method.ts'
import { accuracyMethods, type Rules } from './vlm-r1/accuracy.ts'
import { repetitionPenalty } from './vlm-r1/repetition.ts'

type MethodName = keyof typeof accuracyMethods
const methodNames = Object.keys(accuracyMethods) as [MethodName, ...MethodName[]]

const rules: Readonly<Record<Variant, Rules>> = {
  released: { overlap: 'pixelIou', guarded: false },
  paper: { overlap: 'iou', guarded: false },
  guarded: { overlap: 'iou', guarded: true },
}

const generalFormat: FormatSpec = { blocks: [{ tag: 'think' }, { tag: 'answer' }] }
const referringFormat: FormatSpec = {
  blocks: [{ tag: 'think' }, { tag: 'answer', contains: ['{', /\[\d+,\s*\d+,\s*\d+,\s*\d+\]/, '}'] }],
  match: 'search',
}
const formats = {
  loose: { general: generalFormat, referring: referringFormat },
  strict: { general: strictFormat(generalFormat), referring: strictFormat(referringFormat) },
}

type TermName = 'accuracy' | 'format' | 'repetition' | 'length'
const termRanges: Readonly<Record<TermName, Range>> = {
  accuracy: [0, 1],
  format: [0, 1],
  repetition: [-1, 0],
  length: [-0.5, 1],
}
/** Answers from this accuracy on are right for the length term. */
const rightFrom = 0.7

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: pixel IoU (0 for normalised boxes), every answer right for the length term; paper: exact IoU, real correctness; guarded: also, detections enter average precision as one block, surplus boxes, unknown and wrong labels cost, yes and no must be words, nothing is paid for an empty answer or tag.',
    ),
  method: z
    .enum(methodNames)
    .default('default')
    .describe('The accuracy method of rows that name none in accu_reward_method.'),
  terms: z
    .array(z.enum(['accuracy', 'format', 'repetition', 'length']))
    .min(1)
    .default(['accuracy', 'format'])
    .describe('Summed with weight 1.'),
})

/**
 * Accuracy (by the row's own method) + format (+ repetition, + length). The reference is the gold answer, perhaps in
 * answer tags: text, a number, one box for `rec`, a list of {bbox_2d, label} for the detection methods. Boxes are
 * pixels of the image; `rec` rescales from the model's input where the row gives both sizes (`width`, `height`,
 * `input_width`, `input_height`). The length term counts the row's `output_tokens`, or words.
 *
 * @source VLM-R1, arXiv 2504.07615
 */
function vlmR1Reward(settings: z.input<typeof options> = {}): Reward {
  const { variant, method, terms } = options.parse(settings)
  const format = formats[variant === 'guarded' ? 'strict' : 'loose']
  const ranges = terms.map((term) => termRanges[term])
  return defineReward({
    name: 'vlm-r1',
    needs: ['reference'],
    range: [0, 1].map((end) => ranges.reduce((sum, range) => sum + range[end]!, 0)) as unknown as Range,
    params: { variant, method, terms },
    judge: (sample) => {
      const chosen = sample.meta.accu_reward_method ?? method
      if (!isMethod(chosen))
        return unscored('bad-input', `there is no accuracy method ${JSON.stringify(chosen)}`)
      const response = textOf(sample.output)
      const read = variant === 'guarded' ? withoutThoughts(response) : response
      const judged = accuracyMethods[chosen](read, sample, rules[variant])
      if (typeof judged === 'string') return unscored('bad-input', judged)
      if (judged.value === null)
        return unscored('too-large', 'the answers are beyond what can be compared exactly')
      const accuracy = judged.value
      const parts: Partial<Record<TermName, number>> = {}
      let value = 0
      for (const term of terms) {
        const part = termValue(term)
        parts[term] = part
        value += part
      }
      return judged.evidence ? { value, parts, evidence: judged.evidence } : { value, parts }

      function termValue(term: TermName): number {
        switch (term) {
          case 'accuracy':
            return accuracy
          case 'format':
            return formatScore(response, chosen === 'rec' ? format.referring : format.general)
          case 'repetition':
            return repetitionPenalty(response)
          case 'length':
            return lengthTerm(tokensOf(sample, response), accuracy >= rightFrom, variant)
        }
      }
    },
  })
}

/** Right answers fall from 1 to 0.5 at 1024 tokens, wrong ones rise from -0.5 to 0; released, all are right for ever. */
export function lengthTerm(tokens: number, right: boolean, variant: Variant): number {
  const released = variant === 'released'
  const ends = right || released ? { start: 1, end: 0.5 } : { start: -0.5, end: 0 }
  return cosineLength(tokens, { ...ends, limit: 1024, clamp: !released })
}

function isMethod(name: Json): name is MethodName {
  return typeof name === 'string' && Object.hasOwn(accuracyMethods, name)
}

function tokensOf({ meta }: Sample, response: string): number {
  return typeof meta.output_tokens === 'number' && meta.output_tokens >= 0
    ? meta.output_tokens
    : textLength(response, 'words')
}

const circle = { bbox_2d: [10, 10, 50, 50], label: 'red circle' }
const square = { bbox_2d: [60, 10, 100, 50], label: 'blue square' }
const answer = (content: string) => `<think>I look.</think>\n<answer>${content}</answer>`
const fence = (boxes: Json) => answer(`\`\`\`json\n${JSON.stringify(boxes)}\n\`\`\``)
const sample = (output: string, reference: Json, meta: Sample['meta'] = {}): Sample => ({
  id: 'vlm-r1',
  prompt: 'Detect the red circle and the blue square.',
  output,
  reference,
  meta,
})
const detect = { accu_reward_method: 'od_ap' }

export const vlmR1 = defineRewardType({
  name: 'vlm-r1',
  summary:
    "Boxes, choices, yes/no, numbers or text against the gold answer by the row's own method, plus format.",
  source: 'VLM-R1, arXiv 2504.07615',
  options,
  create: vlmR1Reward,
  examples: [
    { sample: sample(fence([circle, square]), [circle, square], detect), value: 2 },
    { sample: sample(fence([circle, square, circle, square]), [circle, square], detect), value: 1.5 },
    {
      sample: sample(fence([circle, square, circle, square]), [circle, square], detect),
      options: { variant: 'released' },
      value: 2,
    },
    {
      sample: sample(answer('{"bbox_2d": [7, 7, 28, 28]}'), [8, 8, 32, 32], {
        accu_reward_method: 'rec',
        ...{ width: 64, height: 64, input_width: 56, input_height: 56 },
      }),
      value: 2,
    },
    { sample: sample(answer('I know it is yes'), 'no'), options: { method: 'yes_no' }, value: 1 },
    { sample: sample(answer('red circle'), 'red square'), options: { terms: ['accuracy'] }, value: 0.6 },
    { sample: sample(answer('red'), 'red', { accu_reward_method: 'unheard of' }), value: null },
  ],
})

export const vlmR1Method = defineMethod({ id: 'vlm-r1', rewards: [vlmR1] })
