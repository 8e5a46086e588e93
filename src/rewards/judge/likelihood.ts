import { z } from 'zod'
import {
  defineBatchReward,
  type Reward,
  type Sample,
  type Score,
  textOf,
  unscored,
} from '../../core/index.ts'
import type { ChatMessage } from '../../models/chat-model.ts'
import { isFailed, type Outcome } from '../../models/outcome.ts'
import type { LogProbabilityModel, TokenScores } from '../../models/token-model.ts'
import { defineRewardType } from '../reward-type.ts'
import { totalUsage } from '../usage.ts'
import { conversationsOf, isConversation } from './conversations.ts'
import { renderQuery } from './judge-prompt.ts'
import { likelihoodsOf, namedLikelihoodModel } from './named-likelihood.ts'

const options = z.strictObject({
  model: z
    .string()
    .min(1)
    .optional()
    .describe('Name of a model that tells log-probabilities of given text, such as "embedded:scenes-vlm".'),
  baseDirectory: z.string().optional().describe('Folder that paths of images start from.'),
  per: z
    .enum(['token', 'output'])
    .default('token')
    .describe('token: the mean, so that long outputs do not lose by being long; output: the sum.'),
  ended: z
    .boolean()
    .default(false)
    .describe('Whether the token that ends an answer counts; endpoints cannot tell it.'),
  contrast: z
    .enum(['none', 'no-images'])
    .default('none')
    .describe(
      'no-images: less what the model finds without the images of the prompt, so that what is likely anyway gains nothing.',
    ),
})

/**
 * How likely a model finds the output as its own answer to the prompt [nats, a mean over tokens or their sum]: the
 * plainest thing that a model can say about an answer, and a baseline for every judge on the same model. Likely is not
 * right: fluent and usual answers gain. `parts.tokens` is the number of tokens.
 */
function likelihoodReward(settings: z.output<typeof options>, given?: LogProbabilityModel): Reward {
  const { model: name, baseDirectory, per, ended, contrast } = settings
  const model = given ?? (name === undefined ? undefined : namedLikelihoodModel(name))
  return defineBatchReward({
    name: 'likelihood',
    range: [-Infinity, contrast === 'none' ? 0 : Infinity],
    needs: ['logprobs'],
    params: { per, ended, contrast, model: model?.id ?? null },
    judgeAll: async (samples, { signal }) => {
      if (model === undefined)
        return samples.map(() =>
          unscored('not-applicable', 'it needs a model that tells log-probabilities of given text'),
        )
      const conversations = await conversationsOf(
        samples.map(({ prompt }) =>
          renderQuery({ version: '1', user: '{prompt}' }, { material: { prompt }, fence: 'plain' }),
        ),
        baseDirectory === undefined ? {} : { baseDirectory },
      )
      const outputs = samples.map(({ output }) => textOf(output))
      const asked = samples.flatMap((_, index) => {
        const conversation = conversations[index]!
        if (!isConversation(conversation) || outputs[index] === '') return []
        const prompts = contrast === 'none' ? [conversation] : [conversation, withoutImages(conversation)]
        return prompts.map((prompt) => ({ prompt, answer: outputs[index]! }))
      })
      const found = [...(await likelihoodsOf(model, asked, { ended, ...(signal ? { signal } : {}) }))]
      return samples.map((_, index): Score => {
        const conversation = conversations[index]!
        if (!isConversation(conversation)) return conversation
        if (outputs[index] === '') return unscored('not-applicable', 'the output has no text')
        return scoreOf(found.splice(0, contrast === 'none' ? 1 : 2), per)
      })
    },
  })
}

function scoreOf(found: readonly Outcome<TokenScores>[], per: 'token' | 'output'): Score {
  const usage = totalUsage(found.map((outcome) => outcome.usage))
  const failed = found.find(isFailed)
  if (failed !== undefined) return unscored(failed.failure.code, failed.failure.reason, { usage })
  if ((found as readonly TokenScores[]).some(({ logp }) => logp.length === 0))
    return unscored('not-applicable', 'the output has no tokens', { usage })
  const [seen, blind] = (found as readonly TokenScores[]).map(({ logp }) => {
    const sum = logp.reduce((total, value) => total + value, 0)
    return { value: per === 'token' ? sum / logp.length : sum, tokens: logp.length }
  })
  return {
    value: seen!.value - (blind?.value ?? 0),
    parts: {
      tokens: seen!.tokens,
      ...(blind === undefined ? {} : { withImages: seen!.value, withoutImages: blind.value }),
    },
    usage,
  }
}

function withoutImages(conversation: readonly ChatMessage[]): readonly ChatMessage[] {
  const texts = conversation.map(({ role, text }) => ({ role, text })).filter(({ text }) => text !== '')
  return texts.length === 0 ? [{ role: 'user', text: '' }] : texts
}

const sample: Sample = { id: 'likelihood', prompt: 'What is 3 + 4?', output: '7', meta: {} }

export const likelihood = defineRewardType({
  name: 'likelihood',
  summary: 'How likely a model finds the output as its own answer to the prompt: the baseline of its judges.',
  options,
  create: likelihoodReward,
  examples: [
    { sample, value: null },
    { sample, options: { contrast: 'no-images', per: 'output' }, value: null },
  ],
})
