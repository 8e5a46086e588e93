import { isObject, type Json } from '../../core/index.ts'
import { CallError } from '../calls/call.ts'
import type { StopSignal } from '../calls/stop-signal.ts'
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
 * found by having vLLM tokenize the conversation as it stands before an answer (`/tokenize`). Answers are texts, and the token that ends one is the template's business: `ended` is not available.
 *
 * @throws GuerdonError `bad-option` for an address or limit that is none
 */
export function vllmModel(model: string, options: OpenAIModelOptions = {}): VllmModel {
  const endpoint = new Endpoint(options)
  const ask = endpoint.asking(model, 'log-probabilities')
  const promptTokens = async (messages: readonly Json[], signal: StopSignal): Promise<readonly number[]> => {
    const fields = { model, messages, add_generation_prompt: true }
    const { tokens } = await endpoint.post('//tokenize', fields, signal)
    if (!Array.isArray(tokens) || !tokens.every(Number.isSafeInteger))
      throw malformed('the prompt has no tokens')
    return tokens as number[]
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
              const before = await promptTokens(await openaiMessages(prompt), stop)
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
              return {
                answer: scoresOf(body.prompt_logprobs, before, pair.answer as string),
                ...tokensUsed(body),
              }
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

/**
 * Of the tokens after those that the prompt has alone. A token at the border that is another one with the answer counts
 * as the answer's. Throws a `CallError` when those tokens are not the answer's text: the template then says the prompt in
 * another way when an answer follows.
 */
function scoresOf(listed: unknown, prompt: readonly number[], answer: string): KeptScores {
  if (listed === undefined || listed === null) return { logp: [], tokens: [], texts: [] }
  if (!Array.isArray(listed) || listed.length === 0) throw malformed('the log-probabilities are not readable')
  const entries = listed.map((place, index) => {
    const [entry] = isObject(place) ? Object.entries(place) : []
    if (index === 0 && entry === undefined) return undefined // nothing stands before the first token
    if (entry === undefined || !isObject(entry[1])) throw malformed('a token has no log-probability')
    return { token: Number(entry[0]), logprob: entry[1].logprob, text: String(entry[1].decoded_token ?? '') }
  })
  let border = 1
  while (border < prompt.length && entries[border]?.token === prompt[border]) border++
  const found = entries.slice(border) as readonly { token: number; logprob: unknown; text: string }[]
  const texts = found.map(({ text }) => text)
  const said = texts.join('')
  if (!said.includes('\ufffd') && said.trim() !== answer.trim())
    throw new CallError(
      'not-applicable',
      `the tokens after the prompt are ${JSON.stringify(said.slice(0, 80))}, not the answer: the chat template writes the prompt in another way when an answer follows`,
    )
  return {
    tokens: found.map(({ token }) => token),
    logp: found.map(({ logprob }) => checkedLogProbability(logprob)),
    texts,
  }
}
