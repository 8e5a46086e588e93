import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { decoded } from '../json-body.ts'
import { defineProtocol } from '../protocol.ts'
import { judge, numbersOf, unnamedSample } from '../scoring/judging.ts'
import { splitTemplated } from './chat-template.ts'

const request = z.looseObject({
  model: z.string().nullish(),
  messages: z
    .array(z.string())
    .describe('Prompt and response of each sample as one text, special tokens included'),
})

const response = z.object({
  id: z.string(),
  object: z.literal('score.evaluation'),
  model: z.string(),
  scores: z.array(z.number()),
})

/**
 * LLaMA-Factory's `reward_model_type: api`. Neither labels nor images are sent, so that a reward with a reference needs
 * `--references`. The trainer looks at no status and never asks again: an error ends the training.
 */
export const llamaFactory = defineProtocol({
  id: 'llama-factory',
  title: 'LLaMA-Factory API reward',
  endpoints: (context, name) => {
    const { name: reward } = context.scoring.rewardNamed(name)
    return [
      {
        method: 'POST',
        path: '/v1/score/evaluation',
        summary: 'Scores of templated texts (LLaMA-Factory)',
        request,
        response,
        answer: async (asked) => {
          const { model, messages } = decoded(request, asked.body)
          const samples = messages.map((text) =>
            unnamedSample({ ...splitTemplated(text), meta: { raw: text } }),
          )
          const scores = numbersOf(
            context,
            { protocol: 'llama-factory', reward },
            await judge(context, reward, samples, asked),
          )
          return {
            body: {
              id: `scoreval-${randomUUID()}`,
              object: 'score.evaluation',
              model: model ?? reward,
              scores,
            },
          }
        },
      },
    ]
  },
  problemBody: ({ message, fix }) => ({ detail: fix === undefined ? message : `${message} ${fix}` }),
  setup: ({ withSecret }) => [
    'stage: ppo',
    'reward_model_type: api',
    `reward_model: ${withSecret}/v1/score/evaluation`,
  ],
})
