import { isObject } from '../../core/index.ts'
import type { KeptReply } from '../kept-reply.ts'
import { withoutReasoning } from '../reasoning.ts'
import { malformed } from './endpoint.ts'

/** The first choice of an answer of `/chat/completions`. Throws a `CallError` (to be tried again) where there is none. */
export function replyOf(body: Readonly<Record<string, unknown>>): KeptReply {
  const { message, finish_reason: finish } = firstChoice(body)
  if (!isObject(message)) throw malformed('the answer has no message')
  const given = contentText(message.content)
  const thought = message.reasoning_content ?? message.reasoning
  const apart = typeof thought === 'string' && thought !== '' ? thought : undefined
  if (typeof message.refusal === 'string' && message.refusal !== '')
    return { text: '', finish: 'stop', refusal: message.refusal }
  if (finish === 'content_filter')
    return { text: '', finish: 'stop', refusal: 'the answer was held back by a filter of the endpoint' }
  if (given === undefined && !(apart !== undefined && finish === 'length'))
    throw malformed('the answer has no text')
  const { text, reasoning = apart } = withoutReasoning(given ?? '')
  return {
    text,
    finish: finish === 'length' ? 'length' : 'stop',
    ...(reasoning === undefined ? {} : { reasoning }),
  }
}

/** Throws a `CallError` (to be tried again) where there is none. */
export function firstChoice(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const choice = Array.isArray(body.choices) ? body.choices[0] : undefined
  if (!isObject(choice)) throw malformed('the answer has no choices')
  return choice
}

/** Tokens that an answer says it used; what is no count is left out. */
export function tokensUsed(body: Readonly<Record<string, unknown>>): {
  inputTokens?: number
  outputTokens?: number
} {
  const usage = isObject(body.usage) ? body.usage : {}
  const count = (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= 0 ? value : undefined
  const inputTokens = count(usage.prompt_tokens ?? usage.input_tokens) as number | undefined
  const outputTokens = count(usage.completion_tokens ?? usage.output_tokens) as number | undefined
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  }
}

/** Text, or parts of text; undefined where there is none. */
function contentText(content: unknown): string | undefined {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return undefined
  const texts = content.flatMap((part) =>
    isObject(part) && typeof part.text === 'string' ? [part.text] : [],
  )
  return texts.length === 0 ? undefined : texts.join('')
}
