import { GuerdonError, isObject } from '../../core/index.ts'
import type { ChatMessage } from '../chat-model.ts'
import { choicesFromTop, type TopToken } from '../choices-from-top.ts'
import { failed, isFailed } from '../outcome.ts'
import type { ChoiceModel, LogProbabilityModel, TokenScores } from '../token-model.ts'
import { Endpoint, type EndpointOptions, malformed } from './endpoint.ts'
import { givenText } from './given-text.ts'
import { firstChoice, tokensUsed } from './openai-reply.ts'
import { checkedLogProbability, topTokensFrom } from './top-tokens.ts'

export interface CompletionsOptions extends EndpointOptions {
  /** The text that the model continues. @default the texts of all messages with an empty line between them */
  readonly template?: (conversation: readonly ChatMessage[]) => string
  /** How many of the likeliest tokens are asked for when choices are read. @default 5, the most that OpenAI tells */
  readonly topLogprobs?: number
}

/** How a text is scored, as it is kept. */
type KeptText = {
  readonly logp: readonly (number | null)[]
  readonly texts: readonly string[]
  /** Where each token begins [UTF-16 code units]. */
  readonly starts: readonly number[]
}

/**
 * A model that continues text (`/completions` with `echo`): base models, llama.cpp, older vLLM. It tells how likely a
 * given answer is, and its likeliest next tokens. A token that holds the end of the prompt and the beginning of the
 * answer counts as the answer's; a prompt that ends where a word ends is safe.
 *
 * @throws GuerdonError `bad-option` for an address or limit that is none
 */
export function completionsModel(
  model: string,
  options: CompletionsOptions = {},
): ChoiceModel & LogProbabilityModel {
  const endpoint = new Endpoint(options)
  const { template = plainTemplate, topLogprobs = 5 } = options
  const askText = endpoint.asking(model, 'echo')
  const askChoices = endpoint.asking(model, 'next token')
  const textOf = (conversation: readonly ChatMessage[]) => {
    if (conversation.some(({ images = [], frames = [] }) => images.length + frames.length > 0))
      throw new GuerdonError('no-images', 'a model that continues text sees no images.')
    return template(conversation)
  }
  const expected = (text: string, outputTokens: number) => ({
    inputTokens: Math.ceil(Buffer.byteLength(text) / 4),
    outputTokens,
  })
  return {
    id: endpoint.idOf(model),

    async logProbabilities(pairs, { ended = false, signal } = {}) {
      const prompts = pairs.map(({ prompt }) => prompt)
      const outcomes = await askText(
        pairs,
        (pair) => {
          const text = textOf(pair.prompt) + givenText(pair, ended)
          return {
            identity: { text },
            expected: expected(text, 1),
            send: async (stop) => {
              // a token is drawn and left out, since not all servers take 0
              const fields = { model, prompt: text, echo: true, logprobs: 1, max_tokens: 1, temperature: 0 }
              const body = await endpoint.post('/completions', fields, stop, 64 * 2 ** 20)
              return { answer: keptText(firstChoice(body).logprobs, text), ...tokensUsed(body) }
            },
          }
        },
        signal,
      )
      return outcomes.map((outcome, index) => {
        if (isFailed(outcome)) return outcome
        const { logp, texts, starts } = outcome.answer as KeptText
        if (logp.length === 0)
          return failed(
            'not-applicable',
            `${model} at ${endpoint.address} tells no log-probabilities of given text`,
          )
        const border = textOf(prompts[index]!).length
        const first = starts.findIndex((start, at) => start + texts[at]!.length > border)
        const answer = first < 0 ? [] : logp.slice(first)
        if (answer.includes(null))
          return failed(
            'not-applicable',
            'the answer stands at the very beginning, where no log-probability is told',
          )
        const scores: TokenScores = {
          logp: Float32Array.from(answer as readonly number[]),
          texts: first < 0 ? [] : texts.slice(first),
          usage: outcome.usage,
        }
        return scores
      })
    },

    async choices(conversations, variants, { signal } = {}) {
      const outcomes = await askChoices(
        conversations,
        (conversation) => {
          const text = textOf(conversation)
          return {
            identity: { text, topLogprobs },
            expected: expected(text, 1),
            send: async (stop) => {
              const fields = { model, prompt: text, logprobs: topLogprobs, max_tokens: 1, temperature: 1 }
              const body = await endpoint.post('/completions', fields, stop)
              const { logprobs } = firstChoice(body)
              const [top] =
                isObject(logprobs) && Array.isArray(logprobs.top_logprobs) ? logprobs.top_logprobs : []
              return { answer: isObject(top) ? topTokensFrom(top) : null, ...tokensUsed(body) }
            },
          }
        },
        signal,
      )
      return outcomes.map((outcome) => {
        if (isFailed(outcome)) return outcome
        if (outcome.answer === null)
          return failed('not-applicable', `${model} at ${endpoint.address} tells no log-probabilities`)
        return { ...choicesFromTop(outcome.answer as readonly TopToken[], variants), usage: outcome.usage }
      })
    },
  }
}

function plainTemplate(conversation: readonly ChatMessage[]): string {
  return conversation.map(({ text }) => text).join('\n\n')
}

/** The tokens of the text itself; what was drawn after it is left out. */
function keptText(logprobs: unknown, text: string): KeptText {
  if (!isObject(logprobs)) return { logp: [], texts: [], starts: [] }
  const { tokens, token_logprobs: values } = logprobs
  if (!Array.isArray(tokens) || !Array.isArray(values) || tokens.length !== values.length)
    throw malformed('the log-probabilities are not readable')
  const kept: { logp: (number | null)[]; texts: string[]; starts: number[] } = {
    logp: [],
    texts: [],
    starts: [],
  }
  let start = 0
  for (const [index, token] of tokens.entries()) {
    if (start >= text.length) break
    kept.texts.push(String(token))
    kept.starts.push(start)
    kept.logp.push(index === 0 && values[index] === null ? null : checkedLogProbability(values[index]))
    start += String(token).length
  }
  if (start !== text.length || kept.texts.join('') !== text)
    throw malformed('the tokens are not those of the text that was sent')
  return kept
}
