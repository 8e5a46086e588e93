import { z } from 'zod'
import {
  type Comparator,
  isObject,
  type Json,
  type Pair,
  type Reward,
  type Sample,
  type ScoreContext,
  type Unscored,
  unscored,
} from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { opponents, rewardAgainst } from '../rewards/judge/against.ts'
import { byReply, type ReplyReader } from '../rewards/judge/asking.ts'
import { contextComparator, type WeightedContext } from '../rewards/judge/context-comparator.ts'
import { askAll, isRead, type JudgeOptions } from '../rewards/judge/judge.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pairJudge } from '../rewards/judge/pair-judge.ts'
import { preferenceReader } from '../rewards/judge/readers.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { parseObject } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'

const inContext: JudgePrompt = {
  version: '1',
  system:
    'You compare two answers for somebody whose wishes you are told. Only these wishes decide, even where you would prefer otherwise yourself.',
  user: `What is wished for: {context}
Request:
{prompt}
{first|answer A}
{second|answer B}
Which answer serves these wishes better? Think about it, then end with <answer>A</answer> or <answer>B</answer>.`,
}

const guessing: JudgePrompt = {
  version: '1',
  system: 'You guess what people want whose requests leave it open.',
  user: `{profile|about the person}
Request:
{prompt}
Name two to four different wishes or situations that this request could come from and that would make different answers the better one, with the probability of each. Reply as JSON: {"contexts": [{"context": "one sentence", "probability": 0.5}]}`,
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released, paper (no code was released): one drawn order, plain; guarded: both orders, coded fences.',
    ),
  contexts: z
    .enum(['given', 'inferred', 'none'])
    .default('given')
    .describe(
      'given: meta.contexts (texts, or {context, weight}) or meta.context; inferred: named by the model from the request and meta.profile; none: the baseline that is told nothing.',
    ),
  choose: z
    .enum(['expectation', 'likeliest'])
    .default('expectation')
    .describe('Over all contexts by their probability, or in the likeliest alone.'),
  against: z
    .enum(opponents)
    .default('reference')
    .describe(
      'what an answer is compared with: the one in its reference, or the others of its prompt, or three of those (anchors)',
    ),
})

/**
 * A preference in two steps: what is wished for (one or several contexts with probabilities), then which answer serves it
 * better: `sum p(z) p(a better | z)`. The same pair may turn round when the context changes.
 *
 * @source Context-aware preference modelling, arXiv 2407.14916 (there a trained reward model; the words are ours)
 */
export function contextAwareJudge(settings: z.input<typeof options> = {}, given?: ChatModel): Comparator {
  const { variant, contexts, choose, ...rest } = options.parse(settings)
  const model = judgeModel<ChatModel>('context-aware-preference', rest, given)
  const comparator = pairJudge({
    name: 'context-aware-preference',
    prompt: inContext,
    ask: byReply(model, preferenceReader({ labels: ['A', 'B'] }), replyOptions(rest)),
    order: variant === 'guarded' ? 'both' : 'random',
    ...showing(variant, rest),
  })
  if (contexts === 'none')
    return {
      ...comparator,
      compare: (pairs, context) => comparator.compare(pairs.map(withoutContext), context),
      params: { comparator: comparator.params, contexts },
    }
  const guess: JudgeOptions<readonly WeightedContext[]> = {
    name: 'context-aware-preference',
    prompt: guessing,
    ask: byReply(model, contextsReader),
    criterion: {},
    ...showing(variant, rest),
  }
  return contextComparator({
    name: 'context-aware-preference',
    comparator,
    choose,
    params: contexts === 'given' ? contexts : { inferred: guessing.version },
    contexts:
      contexts === 'given'
        ? async (pairs) => pairs.map(givenContexts)
        : (pairs, context) => inferred(pairs, guess, context),
  })
}

function withoutContext(pair: Pair): Pair {
  const blind = ({ meta: { context: _, ...meta }, ...sample }: Sample): Sample => ({ ...sample, meta })
  return { ...pair, a: blind(pair.a), b: blind(pair.b) }
}

function givenContexts({ a: { meta } }: Pair): readonly WeightedContext[] | Unscored {
  const [list, one] = ['contexts', 'context'].map((field) =>
    Object.hasOwn(meta, field) ? meta[field] : undefined,
  )
  const contexts = contextsFrom(Array.isArray(list) ? list : [one as Json])
  return (
    contexts ??
    unscored(
      'bad-input',
      'meta.context must be a text, or meta.contexts a list of texts or {context, weight}',
    )
  )
}

function contextsFrom(list: readonly Json[]): readonly WeightedContext[] | undefined {
  const contexts = list.map((item): WeightedContext | undefined => {
    const { context, weight = 1 } = isObject(item) ? item : { context: item, weight: undefined }
    const isSound =
      typeof context === 'string' &&
      context.trim() !== '' &&
      typeof weight === 'number' &&
      Number.isFinite(weight)
    return isSound ? { context, weight } : undefined
  })
  return contexts.length === 0 || contexts.includes(undefined) ? undefined : (contexts as WeightedContext[])
}

/** Contexts with their probabilities, as the model names them; undefined where it names none or a probability is none. */
const contextsReader: ReplyReader<readonly WeightedContext[]> = {
  params: 'contexts',
  read: (reply) => {
    const list = parseObject(reply)?.value.contexts
    if (!Array.isArray(list)) return undefined
    const contexts = contextsFrom(
      list.map((item) =>
        isObject(item) ? { context: item.context, weight: item.probability ?? 1 } : item,
      ) as Json[],
    )
    return contexts?.every(({ weight }) => weight >= 0) && contexts.some(({ weight }) => weight > 0)
      ? contexts
      : undefined
  },
}

async function inferred(
  pairs: readonly Pair[],
  guess: JudgeOptions<readonly WeightedContext[]>,
  context: ScoreContext,
): Promise<(readonly WeightedContext[] | Unscored)[]> {
  const readings = await askAll(
    pairs.map(({ id, a }) => {
      const profile = Object.hasOwn(a.meta, 'profile') ? a.meta.profile : undefined
      return { key: id, sample: a, material: { profile: typeof profile === 'string' ? profile : undefined } }
    }),
    guess,
    context,
  )
  return readings.map((reading) =>
    isRead(reading) ? reading.votes[0]! : { ...reading, reason: `contexts: ${reading.reason}` },
  )
}

const sample: Sample = {
  id: 'context-aware-preference',
  prompt: 'How do I get to the station?',
  output: 'Left, then straight on.',
  reference: 'Left at the bakery, which has been there since 1880, then straight on past the old church.',
  meta: { context: 'I am in a hurry.' },
}
const say = (answer: string) => ({ model: `constant:<answer>${answer}</answer>` })

export const contextAwarePreference = defineRewardType({
  name: 'context-aware-preference',
  summary:
    'Whether an answer beats another in the context at hand, or over all contexts by their probability.',
  source: 'Context-aware preference modelling, arXiv 2407.14916',
  options,
  create: (settings: z.output<typeof options>, given?: ChatModel): Reward =>
    rewardAgainst(contextAwareJudge(settings, given), { against: settings.against }),
  prompts: { 'in context': inContext, contexts: guessing },
  examples: [
    { sample, options: say('A'), value: 0.5 },
    { sample, options: say('maybe'), value: null },
    {
      sample: { ...sample, meta: { contexts: [{ context: 'hurry', weight: -1 }] } },
      options: say('A'),
      value: null,
    },
    { sample: { ...sample, meta: {} }, options: say('A'), value: null },
    { sample: { ...sample, meta: {} }, options: { ...say('A'), contexts: 'none' }, value: 0.5 },
  ],
})

export const contextAwarePreferenceMethod = defineMethod({
  id: 'context-aware-preference',
  rewards: [contextAwarePreference],
})
