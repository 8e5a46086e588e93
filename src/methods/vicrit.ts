import { z } from 'zod'
import { defineReward, isObject, type Reward, type Sample, textOf, unscored } from '../core/index.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { type FormatSpec, formatScore } from '../rewards/verifiable/extract/format.ts'
import { changedSegment, namesSegment } from '../rewards/verifiable/text/changed-segment.ts'
import { defineMethod } from './method.ts'

const boxed = { open: '\\boxed{', close: '}', before: 'anything' } as const
const format: FormatSpec = { match: 'prefix', blocks: [{ tag: 'think' }, boxed] }
const guardedFormat: FormatSpec = {
  match: 'prefix',
  blocks: [
    { tag: 'think', before: 'white-space', once: true, nonEmpty: true },
    { ...boxed, once: true, nonEmpty: true },
  ],
}

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: the first changed word is a substring of the first box, or of the last line; paper: the whole changed span stands in it, and what surrounds it is copied from the caption (meta.changed_caption, where given); guarded: the span in whole words, in a box after the thoughts, as the only item, with at most extraWords more, copied from the caption where it is given.',
    ),
  extraWords: z
    .int()
    .min(0)
    .default(6)
    .describe('guarded: words beside the changed ones; more is echoing the caption'),
})

/**
 * Finding the one wrong span that was written into a true caption: 0.9 answer + 0.1 format (weights from a secondary
 * source). The reference is `{"original": phrase, "changed": phrase}`; without one, the row's
 * `original_noun_phrases` and `changed_noun_phrases` are read from meta.
 *
 * An edit that only deletes words leaves no span to name: 0 as published, unscored when guarded.
 *
 * @source ViCrit, arXiv 2506.10128
 */
function vicritReward(settings: z.input<typeof options> = {}): Reward {
  const { variant, extraWords } = options.parse(settings)
  return defineReward({
    name: 'vicrit',
    params: { variant, extraWords },
    judge: (sample) => {
      const edit = editOf(sample)
      if (!edit) return unscored('bad-input', 'the reference must be {"original": phrase, "changed": phrase}')
      const response = textOf(sample.output)
      const segment = changedSegment(edit.original, edit.changed)
      const deletes = segment.length === 0
      if (deletes && variant === 'guarded')
        return unscored('bad-input', 'the edit only deletes words, so that no span of the caption is wrong')
      const caption = sample.meta.changed_caption
      const answer = namesSegment(response, segment, {
        variant,
        extraWords,
        ...(typeof caption === 'string' && { caption }),
      })
      const parts = {
        answer: Number(answer),
        format: formatScore(response, variant === 'guarded' ? guardedFormat : format),
      }
      const value = 0.9 * parts.answer + 0.1 * parts.format
      return deletes
        ? { value, parts, rationale: 'the edit only deletes words: nothing can be found' }
        : { value, parts }
    },
  })
}

function editOf({ reference, meta }: Sample): { original: string; changed: string } | undefined {
  const { original, changed } = isObject(reference)
    ? reference
    : reference === undefined
      ? { original: meta.original_noun_phrases, changed: meta.changed_noun_phrases }
      : {}
  return typeof original === 'string' &&
    typeof changed === 'string' &&
    changed.trim() !== '' &&
    original !== changed
    ? { original, changed }
    : undefined
}

const sample = (output: string, original: string, changed: string, meta: Sample['meta'] = {}): Sample => ({
  id: 'vicrit',
  prompt: 'One phrase of the description is wrong. Which?',
  output,
  reference: { original, changed },
  meta,
})
const thought = '<think>The picture shows a red one.</think>\n'
const backpack = ['a large red backpack', 'a large green backpack'] as const

export const vicrit = defineRewardType({
  name: 'vicrit',
  summary: 'Finding the one wrong span that was written into a true caption.',
  source: 'ViCrit, arXiv 2506.10128',
  options,
  create: vicritReward,
  examples: [
    { sample: sample(`${thought}\\boxed{["a large green backpack"]}`, ...backpack), value: 1 },
    { sample: sample(`${thought}\\boxed{red backpack}`, ...backpack), value: 0.1 },
    { sample: sample('\\boxed{green}', ...backpack), value: 0.9 },
    { sample: sample('\\boxed{greenish}', ...backpack), options: { variant: 'released' }, value: 0.9 },
    { sample: sample('\\boxed{greenish}', ...backpack), value: 0 },
    { sample: sample('\\boxed{a blue car}', 'a small blue car', 'a blue car'), value: null },
  ],
})

export const vicritMethod = defineMethod({
  id: 'vicrit',
  rewards: [vicrit],
  benchmarks: ['vicrit-bench', 'scenes-vicrit'],
})
