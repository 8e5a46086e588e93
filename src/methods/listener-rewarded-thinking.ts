import { z } from 'zod'
import {
  defineBatchReward,
  imagesOf,
  type Part,
  promptText,
  type Reward,
  type Sample,
  type Score,
  textOf,
  type Unscored,
  unscored,
  type Variant,
} from '../core/index.ts'
import type { ChoiceModel } from '../models/token-model.ts'
import { byProbability } from '../rewards/judge/asking.ts'
import { askAll, isRead, type JudgeOptions, judgeParams } from '../rewards/judge/judge.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { judgeModel, probabilitySettings, showing } from '../rewards/judge/settings.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { totalUsage } from '../rewards/usage.ts'
import { extractTag, isBlank, withoutThoughts } from '../rewards/verifiable/extract/extract.ts'
import { type FormatSpec, formatScore, strictFormat } from '../rewards/verifiable/extract/format.ts'
import { defineMethod } from './method.ts'

const listenerPrompt: JudgePrompt = {
  version: '1',
  system:
    'You see two images for a prompt, and what somebody thought about them. You decide which one is better.',
  user: `Prompt:
{prompt}
{images}
{trace|thoughts}
Which image fits the prompt better and is the better image? Answer with one letter: A or B.`,
}

const format: FormatSpec = { blocks: [{ tag: 'think' }, { tag: 'answer', before: 'white-space' }] }
const guardedFormat = strictFormat(format)

const options = z.strictObject({
  ...probabilitySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'paper (no code was released): the answer and the verdicts at the end of the trace are hidden from the listener, which sees the images once; guarded: every sentence that states a verdict is hidden, both orders of the images, coded fences.',
    ),
  accuracyWeight: z.number().min(0).default(0.5).describe('Weight of the right answer.'),
  listenerWeight: z
    .number()
    .min(0)
    .default(0.5)
    .describe('Weight of the listener’s probability of the right answer.'),
})

/**
 * Trains a judge of image pairs that thinks aloud: format + 0.5 right + 0.5 p, where p is how likely a frozen listener,
 * who sees prompt, images and the thoughts without the verdict, is to give the *gold* answer. The reward of a bad format
 * loses only the format's term; no answer is not right, and no thoughts convince nobody (p is 0: our choice). The prompt
 * holds image A and image B, the output the thoughts and the answer, the reference A or B. `parts.contradiction` is 1 where
 * the listener would decide otherwise than the judge did.
 *
 * The listener must be frozen and is best not the model that is trained; look at the contradictions with a second one.
 *
 * @source Listener-Rewarded Thinking, arXiv 2506.22832; scale of the format and the weights are from secondary sources
 */
function listenerReward(settings: z.input<typeof options> = {}, given?: ChoiceModel): Reward {
  const all = options.parse(settings)
  const { variant, accuracyWeight, listenerWeight } = all
  const orders = variant === 'guarded' ? [false, true] : [false]
  const judge: JudgeOptions<number> = {
    name: 'listener-rewarded-thinking',
    prompt: listenerPrompt,
    ask: byProbability(judgeModel('listener-rewarded-thinking', all, given), {
      yes: ['A', ' A'],
      no: ['B', ' B'],
      normalise: all.normalise ?? 'two-way',
    }),
    criterion: {},
    ...showing(variant, all),
  }
  return defineBatchReward({
    name: judge.name,
    range: [0, 1 + accuracyWeight + listenerWeight],
    needs: ['reference', 'images', 'logprobs'],
    params: judgeParams(judge, { variant, accuracyWeight, listenerWeight }),
    judgeAll: async (samples, context) => {
      const read = samples.map((sample) => readRollout(sample, variant))
      const asked = samples.flatMap((sample, index) => {
        const rollout = read[index]!
        if ('code' in rollout || rollout.trace === undefined) return []
        return orders.map((swapped) => ({
          key: `${sample.id}/${swapped ? 'swapped' : 'given'}`,
          sample,
          material: materialOf(sample, rollout.trace!, swapped),
        }))
      })
      const readings = await askAll(asked, judge, context)
      let next = 0
      return read.map((rollout): Score => {
        if ('code' in rollout) return rollout
        const own = rollout.trace === undefined ? [] : orders.map(() => readings[next++]!)
        const usage = totalUsage(own.map((reading) => reading.usage))
        const failure = own.find((reading): reading is Unscored => !isRead(reading))
        if (failure !== undefined) return { ...failure, usage }
        const votes = own.flatMap((reading) => (isRead(reading) ? [reading.votes[0]!] : []))
        const isA = votes.length === 0 ? null : votes.reduce((sum, vote) => sum + vote, 0) / votes.length
        return scored(rollout, isA, usage)
      })
    },
  })

  function scored({ gold, answer, format }: Rollout, isA: number | null, usage: object): Score {
    const listener = isA === null ? 0 : gold === 'A' ? isA : 1 - isA
    const accuracy = Number(answer === gold)
    const parts = {
      format,
      accuracy,
      listener,
      contradiction: isA === null || answer === undefined ? null : Number(contradicts(isA, answer)),
    }
    return { value: format + accuracyWeight * accuracy + listenerWeight * listener, parts, usage }
  }
}

interface Rollout {
  readonly gold: 'A' | 'B'
  readonly format: 0 | 1
  readonly answer: 'A' | 'B' | undefined
  /** What the listener may see; undefined where there is nothing. */
  readonly trace: string | undefined
}

function readRollout({ prompt, output, reference }: Sample, variant: Variant): Rollout | Unscored {
  if (reference !== 'A' && reference !== 'B') return unscored('bad-input', 'the reference must be A or B')
  if (imagesOf(prompt).length !== 2) return unscored('bad-input', 'the prompt must hold image A and image B')
  const response = textOf(output)
  const said = extractTag(withoutThoughts(response), 'answer', { which: 'last' }).value
  const answer = /^\(?(?:image )?([AB])\)?\.?$/i.exec(said ?? '')?.[1]?.toUpperCase() as 'A' | 'B' | undefined
  const thought = extractTag(response, 'think', { allowMissingClose: variant !== 'guarded' }).value
  const trace = thought === undefined ? undefined : withoutVerdict(thought, variant)
  return {
    gold: reference,
    format: formatScore(response, variant === 'guarded' ? guardedFormat : format),
    answer,
    trace: trace === undefined || isBlank(trace) ? undefined : trace,
  }
}

function materialOf({ prompt }: Sample, trace: string, swapped: boolean) {
  const [a, b] = imagesOf(prompt)
  const shown = [
    { name: 'image A', turns: [{ type: 'image', image: a! }] satisfies Part[] },
    { name: 'image B', turns: [{ type: 'image', image: b! }] satisfies Part[] },
  ]
  return {
    prompt: promptText(prompt),
    images: { list: swapped ? shown.toReversed() : shown },
    trace,
  }
}

/**
 * A trace without what it decides: answer blocks and boxes, then the sentences that name a choice, from the end back to the
 * first that does not; all of them wherever they stand when guarded.
 */
export function withoutVerdict(trace: string, variant: Variant = 'guarded'): string {
  const cut = trace.replace(/<answer>[\s\S]*?(?:<\/answer>|$)/gi, ' ').replace(/\\boxed\{[^{}]*\}/g, ' ')
  const sentences = cut.match(/[^.!?;\n]*(?:[.!?;\n]+|$)/g)?.filter((sentence) => sentence !== '') ?? []
  if (variant === 'guarded')
    return sentences
      .filter((sentence) => !statesVerdict(sentence))
      .join('')
      .trim()
  let end = sentences.length
  while (end > 0 && (isBlank(sentences[end - 1]!) || statesVerdict(sentences[end - 1]!))) end--
  return sentences.slice(0, end).join('').trim()
}

const choice =
  /\b(?:(?:image|option|picture|candidate|answer|choice)\s+)?["'([]?\b[AB]\b["')\]]?|\b(?:first|second|left|right|former|latter)\b/
const verdict =
  /\b(?:better|best|wins?|winner|winning|beats|prefer(?:s|red|able)?|choose|chosen|choice|pick(?:s|ed)?|selects?(?:ed)?|answer|verdict|superior|decision|decide|go with|final)\b/i

function statesVerdict(sentence: string): boolean {
  return choice.test(sentence) && verdict.test(sentence)
}

/** Whether a listener that gives A the probability `isA` decides otherwise than a judge; 0.5 agrees with everybody. */
export function contradicts(isA: number, answer: 'A' | 'B'): boolean {
  return isA !== 0.5 && isA > 0.5 !== (answer === 'A')
}

const image = { type: 'image', image: { path: 'a-missing-file.png' } } as const
const sample = (output: string, reference = 'A'): Sample => ({
  id: 'listener-rewarded-thinking',
  prompt: [image, image, { type: 'text', text: 'a red circle' }],
  output,
  reference,
  meta: {},
})

export const listenerRewardedThinking = defineRewardType({
  name: 'listener-rewarded-thinking',
  summary: 'A judge’s right answer, and thoughts that lead an independent model to the same one.',
  source: 'Listener-Rewarded Thinking, arXiv 2506.22832',
  options,
  create: listenerReward,
  prompts: { listener: listenerPrompt },
  examples: [
    { sample: sample('<answer>A</answer>'), options: { model: 'constant:A' }, value: 0.5 },
    {
      sample: sample('<think>I think that A is better.</think><answer>A</answer>'),
      options: { model: 'constant:A' },
      value: 1.5,
    },
    {
      sample: sample('<think>The circle of A is red.</think><answer>A</answer>'),
      options: { model: 'constant:A' },
      value: null,
    },
    { sample: sample('<answer>A</answer>', 'C'), options: { model: 'constant:A' }, value: null },
  ],
})

export const listenerRewardedThinkingMethod = defineMethod({
  id: 'listener-rewarded-thinking',
  rewards: [listenerRewardedThinking],
})
