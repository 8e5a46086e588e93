import { GuerdonError } from '../../core/index.ts'
import type { ChatModel } from '../chat-model.ts'
import { choicesFromTop, type TopToken } from '../choices-from-top.ts'
import { chatReplyOf } from '../kept-reply.ts'
import { failed, isFailed } from '../outcome.ts'
import type { ChoiceModel } from '../token-model.ts'
import { samplingFields } from './chat-requests.ts'
import { Endpoint, type EndpointOptions } from './endpoint.ts'
import { expectedInput } from './expected-input.ts'
import { messagesIdentity, openaiMessages } from './openai-messages.ts'
import { firstChoice, replyOf, tokensUsed } from './openai-reply.ts'
import { bodyOfStream } from './openai-stream.ts'
import { topTokensOf } from './top-tokens.ts'

export interface OpenAIModelOptions extends EndpointOptions {
  /** How many of the likeliest tokens are asked for when choices are read. @default 20, the most that OpenAI tells */
  readonly topLogprobs?: number
}

/** A model that answers, and tells how likely its likeliest first tokens are. */
export interface OpenAIModel extends ChatModel, ChoiceModel {}

/**
 * A chat or vision-language model behind an endpoint that speaks OpenAI's protocol: OpenAI's own, vLLM, SGLang, Ollama,
 * llama.cpp, OpenRouter and many others. All calls go through the layer of the work that is running (`withCalls`).
 *
 * Choices are read from the likeliest first tokens, so that their probabilities come with bounds. An endpoint that tells
 * none fails each question (`not-applicable`).
 *
 * @param model the endpoint's name for it
 * @throws GuerdonError `bad-option` for an address or limit that is none
 * @example
 * const judge = openaiModel('Qwen/Qwen3-VL-8B-Instruct', { baseUrl: 'http://localhost:8000/v1' })
 * const [reply] = await judge.chat([ask('Is the sky blue? Answer yes or no.')], { maxTokens: 5 })
 */
export function openaiModel(model: string, options: OpenAIModelOptions = {}): OpenAIModel {
  const endpoint = new Endpoint(options)
  const { stream = false, topLogprobs = 20 } = options
  if (!(Number.isInteger(topLogprobs) && topLogprobs >= 1))
    throw new GuerdonError('bad-option', `topLogprobs is ${topLogprobs}; it is a whole number from 1.`)
  const askChat = endpoint.asking(model, 'chat')
  const askChoices = endpoint.asking(model, 'choices')
  return {
    id: endpoint.idOf(model),

    async chat(conversations, settings = {}) {
      const outcomes = await askChat(
        conversations,
        async (conversation, index) => {
          const fields = samplingFields(settings, index, endpoint)
          return {
            identity: { messages: await messagesIdentity(conversation), fields },
            expected: { inputTokens: expectedInput(conversation), outputTokens: settings.maxTokens },
            send: async (signal) => {
              const request = { model, messages: await openaiMessages(conversation), ...fields }
              const body = stream
                ? bodyOfStream(
                    (
                      await endpoint.send(
                        '/chat/completions',
                        { ...request, stream, stream_options: { include_usage: true } },
                        signal,
                      )
                    ).text,
                  )
                : await endpoint.post('/chat/completions', request, signal)
              return { answer: replyOf(body), ...tokensUsed(body) }
            },
          }
        },
        settings.signal,
      )
      return outcomes.map(chatReplyOf)
    },

    async choices(conversations, variants, { signal } = {}) {
      const outcomes = await askChoices(
        conversations,
        async (conversation) => ({
          identity: { messages: await messagesIdentity(conversation), topLogprobs },
          expected: { inputTokens: expectedInput(conversation), outputTokens: 1 },
          send: async (stop) => {
            const body = await endpoint.post(
              '/chat/completions',
              {
                model,
                messages: await openaiMessages(conversation),
                temperature: 1,
                [endpoint.isOpenAIs ? 'max_completion_tokens' : 'max_tokens']: 1,
                logprobs: true,
                top_logprobs: topLogprobs,
              },
              stop,
            )
            return { answer: topTokensOf(firstChoice(body)), ...tokensUsed(body) }
          },
        }),
        signal,
      )
      return outcomes.map((outcome) => {
        if (isFailed(outcome)) return outcome
        const { answer, usage } = outcome
        if (answer === null)
          return {
            ...failed('not-applicable', `${model} at ${endpoint.address} tells no log-probabilities`),
            usage,
          }
        const found = choicesFromTop(answer as readonly TopToken[], variants)
        return { ...found, usage }
      })
    },
  }
}
