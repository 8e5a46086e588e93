import { isObject, type Json } from '../../core/index.ts'
import type { ChatMessage } from '../chat-model.ts'
import { failed, isFailed } from '../outcome.ts'
import type { LogProbabilityModel, TokenScores } from '../token-model.ts'
import { Endpoint, malformed } from './endpoint.ts'
import { expectedInput } from './expected-input.ts'
import { givenText } from './given-text.ts'
import { messagesIdentity, openaiMessages } from './openai-messages.ts'
import { type OpenAIModel, type OpenAIModelOptions, openaiModel } from './openai-model.ts'
import { tokensUsed } from './openai-reply.ts'
import { checkedLogProbability } from './top-tokens.ts'

/** A model that answers, and tells how likely its first tokens and given answers are. */
export interface VllmModel extends OpenAIModel, LogProbabilityModel {}

/** How a given answer is scored, as it is kept. */
type KeptScores = {
  readonly logp: readonly number[]
  readonly tokens: readonly number[]
  readonly texts: readonly string[]
}

/**
 * A model behind vLLM, which also tells log-probabilities of given answers (`prompt_logprobs`). Where the prompt ends is
 * found by having vLLM tokenize the conversation as it stands before an answer (`/tokenize`), so that a template may say
 * what it likes. Answers are texts, and the token that ends one is the template's business: `ended` is not available.
 *
 * @throws GuerdonError `bad-option` for an address or limit that is none
 */
export function vllmModel(model: string, options: OpenAIModelOptions = {}): VllmModel {
  const endpoint = new Endpoint(options)
  const ask = endpoint.asking(model, 'log-probabilities')
  const promptLength = async (messages: readonly Json[], signal: AbortSignal): Promise<number> => {
    const fields = { model, messages, add_generation_prompt: true }
    const { count, tokens } = await endpoint.post('//tokenize', fields, signal)
    const length = Array.isArray(tokens) ? tokens.length : count
    if (!Number.isSafeInteger(length) || (length as number) < 1)
      throw malformed('the prompt has no count of tokens')
    return length as number
  }
  return {
    ...openaiModel(model, options),
    async logProbabilities(pairs, { ended = false, signal } = {}) {
      const outcomes = await ask(
        pairs,
        async (pair) => {
          const { prompt } = pair
          const given: readonly ChatMessage[] = [
            ...prompt,
            { role: 'assistant', text: givenText(pair, ended) },
          ]
          return {
            identity: { messages: await messagesIdentity(given) },
            expected: { inputTokens: expectedInput(given), outputTokens: 1 },
            send: async (stop) => {
              const border = await promptLength(await openaiMessages(prompt), stop)
              const body = await endpoint.post(
                '/chat/completions',
                {
                  model,
                  messages: await openaiMessages(given),
                  add_generation_prompt: false,
                  continue_final_message: true,
                  prompt_logprobs: 0,
                  max_tokens: 1,
                  temperature: 0,
                },
                stop,
                64 * 2 ** 20,
              )
              return { answer: scoresOf(body.prompt_logprobs, border), ...tokensUsed(body) }
            },
          }
        },
        signal,
      )
      return outcomes.map((outcome, index) => {
        if (isFailed(outcome)) return outcome
        const { logp, tokens, texts } = outcome.answer as KeptScores
        if (logp.length === 0 && pairs[index]!.answer !== '')
          return failed(
            'not-applicable',
            `${model} at ${endpoint.address} tells no log-probabilities of given text`,
          )
        const scores: TokenScores = { logp: Float32Array.from(logp), tokens, texts, usage: outcome.usage }
        return scores
      })
    },
  }
}

/** From the first token after `border`. */
function scoresOf(listed: unknown, border: number): KeptScores {
  if (listed === undefined || listed === null) return { logp: [], tokens: [], texts: [] }
  if (!Array.isArray(listed) || listed.length < border)
    throw malformed('the log-probabilities are not readable')
  const logp: number[] = []
  const tokens: number[] = []
  const texts: string[] = []
  for (const place of listed.slice(border)) {
    const [entry] = isObject(place) ? Object.entries(place) : []
    if (entry === undefined || !isObject(entry[1])) throw malformed('a token has no log-probability')
    tokens.push(Number(entry[0]))
    logp.push(checkedLogProbability(entry[1].logprob))
    texts.push(String(entry[1].decoded_token ?? ''))
  }
  return { logp, tokens, texts }
}
