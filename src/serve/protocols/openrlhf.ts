import { z } from 'zod'
import { isObject, type Json, type Reward, type Sample } from '../../core/index.ts'
import { decoded } from '../json-body.ts'
import { defineProtocol } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'
import { judge, numbersOf, unnamedSample } from '../scoring/judging.ts'
import { splitTemplated } from './chat-template.ts'
import { steadyParts } from './steady-parts.ts'

const request = z.looseObject({
  query: z.array(z.string()).describe('Prompt and response of each sample, special tokens included'),
  prompts: z.array(z.string()).nullish().describe('The templated prompts'),
  labels: z.array(z.unknown()).nullish().describe('References; "" where there is none'),
})

const response = z.object({
  rewards: z.array(z.number()),
  scores: z
    .array(z.number())
    .optional()
    .describe('Rewards on a scale from 0 to 1; left out for an unbounded reward'),
  extra_logs: z.record(z.string(), z.array(z.number())),
})

/** Names that OpenRLHF itself logs under. */
const reserved = new Set([
  'reward',
  'score',
  'response_clip_ratio',
  'kl',
  'logprobs_diff',
  'group_reward_std',
])

/**
 * OpenRLHF's remote reward model: `--reward.remote_url` (formerly `--remote_rm_url`). The trainer sends one sample a
 * request and asks again on any error, five times; a sample without a number then breaks the batch, which is why
 * `unscoredAs` is worth setting here.
 */
export const openrlhf = defineProtocol({
  id: 'openrlhf',
  title: 'OpenRLHF remote reward model',
  endpoints: (context, name) => {
    const { name: reward, reward: head } = context.scoring.rewardNamed(name)
    const parts = steadyParts(context, { protocol: 'openrlhf', reward }, (part) =>
      reserved.has(part) ? `part_${part}` : part,
    )
    return [
      {
        method: 'POST',
        path: '/get_reward',
        summary: 'Rewards of finished rollouts (OpenRLHF)',
        request,
        response,
        answer: async (asked) => {
          const samples = samplesFrom(isPlain(asked.body) ? asked.body : decoded(request, asked.body))
          const scores = await judge(context, reward, samples, asked)
          const rewards = numbersOf(context, { protocol: 'openrlhf', reward }, scores)
          return { body: { rewards, ...unitScores(head, rewards), extra_logs: parts(scores) } }
        },
      },
    ]
  },
  problemBody: ({ message, fix }) => ({ detail: fix === undefined ? message : `${message} ${fix}` }),
  setup: ({ withSecret }) => [`--reward.remote_url ${withSecret}/get_reward`],
})

/** What every trainer sends; whatever else comes is read by the schema, which says what is wrong with it. */
function isPlain(body: unknown): body is z.output<typeof request> {
  return isObject(body) && [body.query, body.prompts].every(isTexts) && Array.isArray(body.labels)
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

function samplesFrom({ query, prompts, labels }: z.output<typeof request>): Sample[] {
  for (const [field, list] of Object.entries({ prompts, labels }))
    if (list && list.length !== query.length)
      throw new RequestProblem(
        400,
        'bad-body',
        `"${field}" has ${list.length} items for ${query.length} queries.`,
        {
          field,
        },
      )
  return query.map((text, index) => {
    const label = labels?.[index]
    return unnamedSample({
      ...splitTemplated(text, prompts?.[index]),
      ...(label === undefined || label === null || label === '' ? {} : { reference: label as Json }),
      meta: { raw: text },
    })
  })
}

/** Rewards on the scale from 0 to 1 by which OpenRLHF filters; none for a reward without bounds. */
function unitScores({ range: [low, high] }: Reward, rewards: readonly number[]): { scores?: number[] } {
  if (!Number.isFinite(high - low) || high === low) return {}
  return { scores: rewards.map((value) => Math.min(1, Math.max(0, (value - low) / (high - low)))) }
}
