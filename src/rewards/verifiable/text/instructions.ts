import { z } from 'zod'
import {
  defineReward,
  GuerdonError,
  isObject,
  type Json,
  type Sample,
  textOf,
  unscored,
} from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { type InstructionCheck, type InstructionTools, instructionCheck } from './instruction-checks.ts'
import { languageDetector } from './language-detection.ts'

/** Instructions as IFEval's data has them: ids, and for each its arguments. */
export interface Instructions {
  readonly ids: readonly string[]
  readonly kwargs: readonly Json[]
}

/**
 * Whether a response follows each instruction. `strict` judges the response as it is; `loose` lets an instruction pass
 * when any of eight readings does: with or without asterisks, without its first line, its last line, or both. A blank
 * reading follows nothing.
 *
 * @source IFEval, arXiv 2311.07911, section 2.2
 */
export function followedInstructions(
  response: string,
  checks: readonly InstructionCheck[],
  mode: 'strict' | 'loose',
  tools: InstructionTools,
): boolean[] {
  const readings = (mode === 'strict' ? [response] : looseReadings(response)).filter(
    (text) => text.trim() !== '',
  )
  return checks.map((check) => readings.some((reading) => check(reading, tools)))
}

function looseReadings(response: string): string[] {
  const lines = response.split('\n')
  const cuts = [response, lines.slice(1), lines.slice(0, -1), lines.slice(1, -1)].map((cut) =>
    typeof cut === 'string' ? cut : cut.join('\n').trim(),
  )
  return [...new Set([...cuts, ...cuts.map((cut) => cut.replaceAll('*', ''))])]
}

export interface InstructionAccuracy {
  /** Share of prompts of which every instruction is followed; null without prompts. */
  readonly promptLevel: number | null
  /** Share of instructions followed, over all prompts; null without instructions. */
  readonly instructionLevel: number | null
}

/** IFEval's two accuracies, from what `followedInstructions` says of each prompt's response. */
export function instructionAccuracy(followed: readonly (readonly boolean[])[]): InstructionAccuracy {
  const all = followed.flat()
  const share = (right: number, count: number) => (count === 0 ? null : right / count)
  return {
    promptLevel: share(followed.filter((prompt) => prompt.every(Boolean)).length, followed.length),
    instructionLevel: share(all.filter(Boolean).length, all.length),
  }
}

/** The instructions of a sample: its reference, or its meta, with `instruction_id_list` and `kwargs`. */
function instructionsOf({ reference, meta }: Sample): Instructions | undefined {
  const holder = isObject(reference) && 'instruction_id_list' in reference ? reference : meta
  const { instruction_id_list: ids, kwargs } = holder as Record<string, Json | undefined>
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every((id) => typeof id === 'string')) return undefined
  if (kwargs !== undefined && !(Array.isArray(kwargs) && kwargs.length === ids.length)) return undefined
  return { ids: ids as string[], kwargs: (kwargs as readonly Json[] | undefined) ?? ids.map(() => ({})) }
}

const example = (output: string, ids: readonly string[], kwargs: readonly Json[]) => ({
  id: 'instructions',
  prompt: 'Describe the sea without commas, in at least five words.',
  output,
  reference: { instruction_id_list: ids, kwargs },
  meta: {},
})
const noComma = 'punctuation:no_comma'
const numberWords = 'length_constraints:number_words'
const fiveWords = { relation: 'at least', num_words: 5 }

export const instructions = defineRewardType({
  name: 'instructions',
  summary: 'Whether the output follows verifiable instructions, of the 25 kinds of IFEval.',
  source: 'IFEval, arXiv 2311.07911',
  options: z.strictObject({
    mode: z.enum(['strict', 'loose']).default('strict'),
    credit: z
      .enum(['all', 'share'])
      .default('all')
      .describe('all: 1 when every instruction is followed; share: the share'),
  }),
  create: ({ mode, credit }) => {
    let detector: ReturnType<typeof languageDetector> | undefined
    return defineReward({
      name: 'instructions',
      params: { mode, credit },
      judge: async (sample) => {
        const wanted = instructionsOf(sample)
        if (wanted === undefined)
          return unscored(
            'bad-input',
            'neither reference nor meta has instruction_id_list (texts) and kwargs of the same length',
          )
        let checks: InstructionCheck[]
        try {
          checks = wanted.ids.map((id, index) => instructionCheck(id, wanted.kwargs[index]!))
        } catch (error) {
          if (error instanceof GuerdonError) return unscored('bad-input', error.message)
          throw error
        }
        const response = textOf(sample.output)
        if (response.length > 1_000_000)
          return unscored('too-large', 'the output is longer than 1,000,000 characters')
        detector ??= languageDetector()
        const followed = followedInstructions(response, checks, mode, { detectLanguage: await detector })
        const right = followed.filter(Boolean).length
        const broken = wanted.ids.filter((_, index) => !followed[index])
        const value = credit === 'share' ? right / followed.length : right === followed.length ? 1 : 0
        return {
          value,
          parts: { followed: right, instructions: followed.length },
          ...(broken.length > 0 && { rationale: `not followed: ${broken.join(', ')}` }),
        }
      },
    })
  },
  examples: [
    { sample: example('The sea is wide and blue.', [noComma, numberWords], [{}, fiveWords]), value: 1 },
    { sample: example('The sea, wide and blue.', [noComma, numberWords], [{}, fiveWords]), value: 0 },
    {
      sample: example('The sea, wide and blue.', [noComma, numberWords], [{}, fiveWords]),
      options: { credit: 'share' },
      value: 0.5,
    },
    {
      sample: example('Sure, here it is:\nThe sea is wide and blue.', [noComma], [{}]),
      options: { mode: 'loose' },
      value: 1,
    },
    { sample: example('', [noComma], [{}]), value: 0 },
    { sample: example('The sea.', ['no:such_kind'], [{}]), value: null },
  ],
})
