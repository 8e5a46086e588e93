import { z } from 'zod'
import {
  defineBatchReward,
  type Json,
  type Judgement,
  type Reward,
  rewardIdentity,
  type Sample,
  type Score,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { acceptedAnswers, answersEqual } from '../rewards/verifiable/answers/answer.ts'
import { type Grade, grade } from '../rewards/verifiable/answers/grade.ts'
import {
  extractBoxed,
  extractNumberedTags,
  extractTag,
  withoutThoughts,
} from '../rewards/verifiable/extract/extract.ts'
import { type FormatSpec, formatScore, strictFormat } from '../rewards/verifiable/extract/format.ts'
import { ngramPenalty } from '../rewards/verifiable/text/repetition.ts'
import { defineMethod } from './method.ts'

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
})

/**
 * 0.9 accuracy + 0.1 format + 0.7 visual + repetition penalty. The reference is the gold answer; the visual facts of
 * the item are `meta.facts` (texts), and the judge's verdicts on them `meta.judge_reply` (its text with numbered info
 * tags) or `meta.fact_verdicts` (numbers in [0, 1]), unless a reward `visual` in [0, 1] gives the visual term. An item
 * without facts has no visual term (part null, counted as 0).
 *
 * @source Perception-R1, arXiv 2506.07218
 */
function perceptionR1Reward(
  settings: z.input<typeof options> = {},
  { visual }: { readonly visual?: Reward } = {},
): Reward {
  const { variant, visualWeight } = options.parse(settings)
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
        judge(sample, judged ? judged[index]! : visualTerm(sample, variant)),
      )
    },
  })

  function judge(sample: Sample, visualScore: Score | undefined): Judgement {
    const gold = acceptedAnswers(sample.reference)
    if (gold?.length !== 1)
      return unscored('bad-input', 'the reference must be the gold answer: a text or a number')
    const response = textOf(sample.output)
    const accuracy = rightness(response, gold[0]!, variant)
    if (accuracy === null) return unscored('too-large', 'the answers are beyond what can be compared exactly')
    if (visualScore?.value === null && variant === 'guarded') return visualScore
    const parts = {
      accuracy: Number(accuracy),
      format: formatScore(response, spec),
      visual: visualScore ? (visualScore.value ?? 0) : null,
      repetition: ngramPenalty(response, { size: 20, maxPenalty: -2 }),
    }
    const value =
      0.9 * parts.accuracy + 0.1 * parts.format + visualWeight * (parts.visual ?? 0) + parts.repetition
    return { value, parts }
  }
}

/** The visual term of a sample from its own fields; undefined when the item has no facts. */
function visualTerm({ meta }: Sample, variant: Variant): Score | undefined {
  const { facts, judge_reply: reply, fact_verdicts: verdicts } = meta
  if (facts === undefined || facts === null || (Array.isArray(facts) && facts.length === 0)) return undefined
  if (!Array.isArray(facts) || !facts.every((fact) => typeof fact === 'string'))
    return unscored('bad-input', 'meta.facts must be a list of texts')
  const settings = { facts: facts.length, variant }
  if (typeof reply === 'string') return visualReward(reply, settings)
  if (Array.isArray(verdicts) && verdicts.length > 0) return visualShare(verdicts, settings)
  return unscored('bad-input', 'the item has facts but neither meta.judge_reply nor any meta.fact_verdicts')
}

export interface VisualRewardOptions {
  /** How many reference facts there are; released divides by the judge's tags instead. */
  readonly facts: number
  /** @default 'guarded' */
  readonly variant?: Variant
}

/**
 * Share of the visual facts that a judge saw in a response, from its numbered info tags: the last of each number, up
 * to the first gap; what is not a number counts 0. A reply without tags is a failed judge: unscored when guarded.
 */
export function visualReward(reply: string, settings: VisualRewardOptions): Score {
  const verdicts = extractNumberedTags(reply, 'info').map(({ value }) => value)
  if (verdicts.length === 0 && (settings.variant ?? 'guarded') === 'guarded')
    return unscored('unparsable', 'the judge wrote no numbered info tag')
  return visualShare(verdicts, settings)
}

function visualShare(verdicts: readonly Json[], { facts, variant = 'guarded' }: VisualRewardOptions): Score {
  const counted = variant === 'released' ? verdicts : verdicts.slice(0, facts)
  const sum = counted.reduce<number>((total, verdict) => total + verdictOf(verdict), 0)
  return { value: variant === 'released' ? sum / (verdicts.length + 1e-6) : facts === 0 ? 0 : sum / facts }
}

function verdictOf(verdict: Json): number {
  const text =
    typeof verdict === 'number' ? String(verdict) : typeof verdict === 'string' ? verdict.trim() : ''
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Math.min(1, Math.max(0, Number(text))) : 0
}

/** A response without info tags, so that a judge who is shown it cannot copy the policy's own verdicts. */
export function withoutInfoTags(response: string): string {
  return response.replace(/<\/?info\d+>/g, ' ') // a space, lest what is left make a new tag
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
    { sample: sample(wellFormed, { facts, judge_reply: 'I cannot say' }), value: null },
    { sample: sample('14', {}), value: 0 },
    { sample: sample('14', {}), options: { variant: 'released' }, value: 0.9 },
  ],
})

export const perceptionR1Method = defineMethod({
  id: 'perception-r1',
  number: 44,
  title: 'Advancing Multimodal Reasoning Capabilities of MLLMs via Visual Perception Reward',
  paper: 'arXiv 2506.07218',
  verbs: ['define', 'learn'],
  tags: ['verifiable', 'judge', 'perception', 'maths', 'repetition'],
  rewards: [perceptionR1],
})
