import { z } from 'zod'
import {
  defineBatchReward,
  isDialogue,
  type Reward,
  type Sample,
  type Score,
  type Turns,
  textOf,
  textOfContent,
  type Unscored,
  unscored,
} from '../core/index.ts'
import type { ChatMessage } from '../models/chat-model.ts'
import { isFailed } from '../models/outcome.ts'
import type { GivenAnswer, LogProbabilityModel } from '../models/token-model.ts'
import type { Tokenizer } from '../models/tokenizer.ts'
import { likelihoodsOf, namedLikelihoodModel } from '../rewards/judge/named-likelihood.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { totalUsage } from '../rewards/usage.ts'
import { mean, standardDeviation } from '../stats/moments.ts'
import { type FollowUps, followUps } from './follow-up-likelihood-reward/follow-ups.ts'
import { defineMethod } from './method.ts'

/** How a model's dialogues are written, for follow-ups in the user's own turn. */
export interface DialogueTurns {
  readonly tokenizer: Tokenizer
  /** The token that ends an answer. */
  readonly end: number
  /** Tokens that open a turn of the user. */
  readonly user: readonly number[]
}

const texts = z.array(z.string().min(1)).min(1)

const options = z.strictObject({
  model: z
    .string()
    .min(1)
    .optional()
    .describe('Name of a model that tells log-probabilities of given text, such as "embedded:text-lm-sft".'),
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released, paper: the likelihoods of the paper (the released scorer averages raw logits of one position, which is no likelihood and is not copied); guarded: a closing question that begs for praise is cut off the answer first.',
    ),
  facets: z
    .union([
      z
        .array(z.enum(Object.keys(followUps) as [keyof typeof followUps, ...(keyof typeof followUps)[]]))
        .min(1),
      z.record(z.string(), z.strictObject({ positive: texts, negative: texts })),
    ])
    .default(Object.keys(followUps) as (keyof typeof followUps)[])
    .describe('Sides of helpfulness whose follow-ups count, or follow-ups of your own for each side.'),
  signs: z
    .enum(['difference', 'positive'])
    .default('difference')
    .describe('positive alone mostly measures how likely praise is at all'),
})

/** What a model is told when it plays the user. */
const opening = 'Ask me something, and then tell me what you think of my answer.'

/**
 * How likely a satisfied rather than a dissatisfied user's reply is right behind the answer: the mean over facets of (mean
 * over positive follow-ups - mean over negative ones) of the mean log-probability of a follow-up's tokens [nats per token].
 * Comparable between answers to one prompt. `parts` has every facet; `uncertainty` is the jackknife over follow-ups.
 *
 * A follow-up is the user's next turn. With `turns`, that is where it is scored; without, the roles are swapped (the model
 * plays the user, behind one opening turn), as its fine-tuned form does, which needs no template. Answers are cut from the
 * left by the model, if at all: the follow-up always stays.
 *
 * @source FLR, arXiv 2409.13948 (the formula is our reading of abstract and repository; the follow-ups are ours)
 */
function followUpLikelihoodReward(
  settings: z.input<typeof options> = {},
  given?: LogProbabilityModel,
  turns?: DialogueTurns,
): Reward {
  const { variant, facets, signs, model: name } = options.parse(settings)
  const model = given ?? (name === undefined ? undefined : namedLikelihoodModel(name))
  const sets: readonly (readonly [string, FollowUps])[] = Array.isArray(facets)
    ? facets.map((facet) => [facet, followUps[facet as keyof typeof followUps]])
    : Object.entries(facets)
  return defineBatchReward({
    name: 'follow-up-likelihood-reward',
    range: [-Infinity, Infinity],
    needs: ['logprobs'],
    params: {
      variant,
      signs,
      facets: Object.fromEntries(
        sets.map(([facet, { positive, negative }]) => [facet, { positive, negative }]),
      ),
      turns: turns === undefined ? 'swapped' : 'user',
      model: model?.id ?? null,
    },
    judgeAll: async (samples, { signal }) => {
      if (model === undefined) {
        const missing = unscored(
          'not-applicable',
          'it needs a model that tells log-probabilities of given text',
        )
        return samples.map(() => missing)
      }
      const prompts = samples.map((sample) => promptOf(sample, turns, variant === 'guarded'))
      const asked = prompts.flatMap((prompt) =>
        'code' in prompt
          ? []
          : sets.flatMap(([, { positive, negative }]) => [...positive, ...negative].map(prompt.scored)),
      )
      const outcomes = await likelihoodsOf(
        model,
        asked.map(({ pair }) => pair),
        signal ? { signal } : {},
      )
      let next = 0
      return prompts.map((prompt): Score => {
        if ('code' in prompt) return prompt
        const own = sets.map(([facet, { positive, negative }]) => {
          const take = (count: number) =>
            Array.from({ length: count }, () => {
              const outcome = outcomes[next]!
              const { tail } = asked[next++]!
              return isFailed(outcome)
                ? outcome
                : { usage: outcome.usage, mean: meanOfTail(outcome.logp, tail) }
            })
          return { facet, positive: take(positive.length), negative: take(negative.length) }
        })
        const all = own.flatMap(({ positive, negative }) => [...positive, ...negative])
        const usage = totalUsage(all.map((each) => each.usage))
        const failure = all.find(isFailed)?.failure
        if (failure !== undefined) return unscored(failure.code, failure.reason, { usage })
        const means = own.map(({ facet, positive, negative }) => ({
          facet,
          positive: positive.map((each) => (isFailed(each) ? Number.NaN : each.mean)),
          negative: negative.map((each) => (isFailed(each) ? Number.NaN : each.mean)),
        }))
        return { ...followUpScore(means, signs), usage }
      })
    },
  })
}

interface Prompted {
  /** A follow-up as given text, and how many of its last tokens count (all of them when undefined). */
  scored(followUp: string): { readonly pair: GivenAnswer; readonly tail: number | undefined }
}

function promptOf(
  { prompt, output }: Sample,
  turns: DialogueTurns | undefined,
  guarded: boolean,
): Prompted | Unscored {
  const said = textOf(output)
  const answer = guarded ? withoutBegging(said) : said
  if (answer.trim() === '') return unscored('not-applicable', 'the output is empty')
  const context = messagesOf(prompt)
  if (context === undefined) return unscored('bad-input', 'the prompt must end with a turn of the user')
  if (turns === undefined) {
    const swapped = [...context, { role: 'assistant' as const, text: answer }].map(
      ({ role, text }): ChatMessage => ({ role: role === 'user' ? 'assistant' : 'user', text }),
    )
    const heard: readonly ChatMessage[] = [{ role: 'user', text: opening }, ...swapped]
    return { scored: (answerText) => ({ pair: { prompt: heard, answer: answerText }, tail: undefined }) }
  }
  const { tokenizer, end, user } = turns
  const before = [...tokenizer.encode(answer), end, ...user]
  return {
    scored: (followUp) => {
      const tokens = tokenizer.encode(followUp)
      return { pair: { prompt: context, answer: [...before, ...tokens] }, tail: tokens.length }
    },
  }
}

function messagesOf(prompt: Turns): readonly ChatMessage[] | undefined {
  if (!isDialogue(prompt))
    return [{ role: 'user', text: typeof prompt === 'string' ? prompt : textOfContent(prompt) }]
  const messages = prompt.flatMap(({ role, content }): ChatMessage[] =>
    role === 'user' || role === 'assistant' ? [{ role, text: textOfContent(content) }] : [],
  )
  return messages.at(-1)?.role === 'user' ? messages : undefined
}

function meanOfTail(logp: Float32Array, tail = logp.length): number {
  return mean(Array.from(logp.subarray(logp.length - tail)))!
}

const begging =
  /(?:^|(?<=[.!?\n]))\s*[^.!?\n]*\b(?:perfect|helpful|good|great|right|satisf\w+|happy|like[ds]?|what you (?:wanted|needed)|clear|correct)\b[^.!?\n]*\?\s*$/i

/** An answer without its last sentence, where that is a question such as "Was that perfect?". */
export function withoutBegging(answer: string): string {
  return answer.replace(begging, '')
}

export interface FacetLikelihoods {
  readonly facet: string
  /** Mean log-probability of each follow-up's tokens [nats per token]. */
  readonly positive: readonly number[]
  readonly negative: readonly number[]
}

/** The score from likelihoods: the mean over facets of mean(positive) - mean(negative), or of mean(positive) alone. */
export function followUpScore(
  facets: readonly FacetLikelihoods[],
  signs: 'difference' | 'positive' = 'difference',
) {
  const of = ({ positive, negative }: Omit<FacetLikelihoods, 'facet'>) =>
    mean(positive)! - (signs === 'positive' ? 0 : mean(negative)!)
  const values = facets.map(of)
  const without = (list: readonly number[], index: number) => list.filter((_, other) => other !== index)
  const left = facets.flatMap(({ positive, negative }, at) => {
    const change = (value: number) => mean(values.map((each, index) => (index === at ? value : each)))!
    return [
      ...(positive.length < 2
        ? []
        : positive.map((_, i) => change(of({ positive: without(positive, i), negative })))),
      ...(signs === 'positive' || negative.length < 2
        ? []
        : negative.map((_, i) => change(of({ positive, negative: without(negative, i) })))),
    ]
  })
  const spread = standardDeviation(left, { ddof: 0 })
  return {
    value: mean(values)!,
    parts: Object.fromEntries(facets.map(({ facet }, index) => [facet, values[index]!])),
    ...(spread === null ? {} : { uncertainty: spread * Math.sqrt(left.length - 1) }),
  }
}

const sample = (output: string): Sample => ({
  id: 'follow-up-likelihood-reward',
  prompt: 'What is 3 + 4?',
  output,
  meta: {},
})

export const followUpLikelihood = defineRewardType({
  name: 'follow-up-likelihood-reward',
  summary: 'How much likelier a satisfied user’s next words are than a dissatisfied one’s.',
  source: 'FLR, arXiv 2409.13948',
  options,
  create: followUpLikelihoodReward,
  examples: [
    { sample: sample('7'), value: null },
    { sample: sample(''), options: { model: 'embedded:text-lm-sft' }, value: null },
  ],
})

export const followUpLikelihoodMethod = defineMethod({
  id: 'follow-up-likelihood-reward',
  rewards: [followUpLikelihood],
})
