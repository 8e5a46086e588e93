import { z } from 'zod'
import {
  defineBatchReward,
  type Judgement,
  type Reward,
  rewardIdentity,
  type Sample,
  type Score,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { judgeModel } from '../rewards/judge/settings.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { acceptedAnswers, answersEqual } from '../rewards/verifiable/answers/answer.ts'
import { type Grade, grade } from '../rewards/verifiable/answers/grade.ts'
import { extractBoxed, extractTag, withoutThoughts } from '../rewards/verifiable/extract/extract.ts'
import { type FormatSpec, formatScore, strictFormat } from '../rewards/verifiable/extract/format.ts'
import { ngramPenalty } from '../rewards/verifiable/text/repetition.ts'
import { defineMethod } from './method.ts'
import { factsJudge, factsOf, factsPrompt, visualReward, visualShare } from './perception-r1/visual-facts.ts'

const newline = { text: '\n' }
const format: FormatSpec = {
  blocks: [
    { tag: 'think', padding: newline },
    { tag: 'answer', before: newline, padding: newline, contains: ['\\boxed{', 1, '}'] },
  ],
}
const guardedFormat = strictFormat(format)

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: facts are divided by the tags that the judge wrote, a failed judge is 0, the last number of the whole response may be the answer; paper: divided by the reference facts, the answer is the box of the answer block; guarded: also, a failed judge is unscored, empty answers are never right, each block stands once.',
    ),
  visualWeight: z.number().min(0).max(10).default(0.7).describe('weight of the visual facts'),
  model: z
    .string()
    .min(1)
    .optional()
    .describe('Name of a model that judges the facts; without one its verdicts stand in meta.'),
})

/**
 * 0.9 accuracy + 0.1 format + 0.7 visual + repetition penalty. The reference is the gold answer; the visual facts of
 * the item are `meta.facts` (texts), and the judge's verdicts on them `meta.judge_reply` (its text with numbered info
 * tags) or `meta.fact_verdicts` (numbers in [0, 1]); or a model judges them, named by the option or given as `judge`; or a
 * reward `visual` in [0, 1] gives the term. An item without facts (`visual` not applicable) has no visual term: its part is
 * null and counts as 0.
 *
 * @source Perception-R1, arXiv 2506.07218
 */
function perceptionR1Reward(
  settings: z.input<typeof options> = {},
  given: { readonly visual?: Reward; readonly judge?: ChatModel } = {},
): Reward {
  const { variant, visualWeight, model } = options.parse(settings)
  const judging =
    given.judge ??
    (model === undefined ? undefined : judgeModel<ChatModel>('perception-r1', { model }, undefined))
  const visual = given.visual ?? (judging && factsJudge(judging, { variant }))
  if (visual && (visual.range[0] < 0 || visual.range[1] > 1))
    throw new RangeError(`the visual term must be in [0, 1]; ${visual.name} has the range [${visual.range}]`)
  const spec = variant === 'guarded' ? guardedFormat : format
  return defineBatchReward({
    name: 'perception-r1',
    needs: ['reference', ...(visual?.needs ?? []).filter((need) => need !== 'reference')],
    range: [-2, 1 + visualWeight],
    params: { variant, visualWeight, ...(visual && { visual: rewardIdentity(visual) }) },
    judgeAll: async (samples, context) => {
      const judged = await visual?.score(samples, context)
      return samples.map((sample, index) =>
        judge(sample, judged ? judged[index]! : recordedVisual(sample, variant)),
      )
    },
  })

  function judge(sample: Sample, visualScore: Score): Judgement {
    const gold = acceptedAnswers(sample.reference)
    if (gold?.length !== 1)
      return unscored('bad-input', 'the reference must be the gold answer: a text or a number')
    const response = textOf(sample.output)
    const accuracy = rightness(response, gold[0]!, variant)
    if (accuracy === null) return unscored('too-large', 'the answers are beyond what can be compared exactly')
    const hasFacts = visualScore.value !== null || visualScore.code !== 'not-applicable'
    if (hasFacts && visualScore.value === null && variant === 'guarded') return visualScore
    const parts = {
      accuracy: Number(accuracy),
      format: formatScore(response, spec),
      visual: hasFacts ? (visualScore.value ?? 0) : null,
      repetition: ngramPenalty(response, { size: 20, maxPenalty: -2 }),
    }
    const value =
      0.9 * parts.accuracy + 0.1 * parts.format + visualWeight * (parts.visual ?? 0) + parts.repetition
    return { value, parts }
  }
}

/** The visual term of a sample from its own fields. */
function recordedVisual(sample: Sample, variant: Variant): Score {
  const facts = factsOf(sample)
  if ('code' in facts) return facts
  const { judge_reply: reply, fact_verdicts: verdicts } = sample.meta
  const settings = { facts: facts.length, variant }
  if (typeof reply === 'string') return visualReward(reply, settings)
  if (Array.isArray(verdicts) && verdicts.length > 0) return visualShare(verdicts, settings)
  return unscored('bad-input', 'the item has facts but neither meta.judge_reply nor any meta.fact_verdicts')
}

function rightness(response: string, gold: string, variant: Variant): Grade {
  if (variant === 'released') return grade(releasedAnswer(response), gold)
  const shown = variant === 'guarded' ? withoutThoughts(response) : response
  const { value: block } = extractTag(shown, 'answer', { which: 'last' })
  const { value } = extractBoxed(block ?? shown)
  if (value === undefined) return false
  return variant === 'guarded' ? answersEqual(value, gold, { rules: 'grade' }) : grade(value, gold)
}

/** The answer block if it is on one line, else everything; of that the last box, else the last number, else all. */
function releasedAnswer(response: string): string {
  const text = extractTag(response, 'answer', { multiline: false }).value ?? response
  const boxed = extractBoxed(text).value
  if (boxed !== undefined) return boxed
  let last: string | undefined
  for (const [number] of text.matchAll(/-?\d+(?:\.\d+)?/g)) last = number
  return last ?? text
}

const wellFormed = '<think>\nTwo sides are 7.\n</think>\n<answer>\n\\boxed{14}\n</answer>'
const sample = (output: string, meta: Sample['meta']): Sample => ({
  id: 'perception-r1',
  prompt: 'What is the sum of the sides?',
  output,
  reference: '14',
  meta,
})
const facts = ['AB = 7', 'BC = 7']

export const perceptionR1 = defineRewardType({
  name: 'perception-r1',
  summary:
    'Answer, format, a repetition penalty, and the share of reference visual facts that the response states.',
  source: 'Perception-R1, arXiv 2506.07218',
  options,
  create: perceptionR1Reward,
  prompts: { facts: factsPrompt },
  examples: [
    { sample: sample(wellFormed, {}), value: 1 },
    { sample: sample(wellFormed, { facts, judge_reply: '<info1>1</info1><info2>0</info2>' }), value: 1.35 },
    { sample: sample(wellFormed, { facts, judge_reply: '<info1>1</info1>' }), value: 1.35 },
    {
      sample: sample(wellFormed, { facts, judge_reply: '<info1>1</info1>' }),
      options: { variant: 'released' },
      value: 1.6999993,
    },
    { sample: sample(wellFormed, { facts, fact_verdicts: [1, 1] }), value: 1.7 },
    {
      sample: sample(wellFormed, { facts }),
      options: { model: 'constant:<info1>1</info1><info2>0</info2>' },
      value: 1.35,
    },
    { sample: sample(wellFormed, { facts, judge_reply: 'I cannot say' }), value: null },
    { sample: sample('14', {}), value: 0 },
    { sample: sample('14', {}), options: { variant: 'released' }, value: 0.9 },
  ],
})

export const perceptionR1Method = defineMethod({ id: 'perception-r1', rewards: [perceptionR1] })
