import type { LanguageModel, ModelMessage } from 'ai'
import { GuerdonError, isObject, type Json, messageOf } from '../core/index.ts'
import { CallError, type Sent } from './calls/call.ts'
import type { CallLayer } from './calls/call-layer.ts'
import { currentScope } from './calls/call-scope.ts'
import { type CallLimits, checkLimits } from './calls/limits.ts'
import { modelCalls } from './calls/model-calls.ts'
import type { Price } from './calls/price.ts'
import { statusError } from './calls/status-error.ts'
import { abortSignalOf, type StopSignal } from './calls/stop-signal.ts'
import type { ChatMessage, ChatModel } from './chat-model.ts'
import { samplingFields, seedNumber } from './endpoint/chat-requests.ts'
import { expectedInput } from './endpoint/expected-input.ts'
import { messagesIdentity } from './endpoint/openai-messages.ts'
import { encodedOnce } from './image-identity.ts'
import { chatReplyOf, type KeptReply } from './kept-reply.ts'
import { withoutReasoning } from './reasoning.ts'
import { withoutKeys } from './secrets.ts'

export interface AiSdkOptions {
  readonly limits?: CallLimits
  /** [US dollars per million tokens] @default not known */
  readonly price?: Price
  /** Settings of the provider, as `generateText` takes them. */
  readonly providerOptions?: Readonly<Record<string, Record<string, Json>>>
  /** Do not send a temperature, for models that take none. @default false */
  readonly withoutTemperature?: boolean
  /** @default those of the work that is running (`withCalls`) */
  readonly calls?: CallLayer
}

type GenerateText = typeof import('ai')['generateText']
type Generation = Pick<Awaited<ReturnType<GenerateText>>, 'text' | 'reasoningText' | 'finishReason' | 'usage'>

/**
 * A chat model of any provider of the AI SDK (package `ai`, which must be installed). Retries, limits, cache and budget
 * are those of the call layer, not of the SDK. Such a model tells no log-probabilities: it is a `ChatModel` alone.
 *
 * @example
 * const judge = aiSdkModel(anthropic('claude-sonnet-4-5'))
 */
export function aiSdkModel(model: LanguageModel, options: AiSdkOptions = {}): ChatModel {
  const { limits = {}, price, providerOptions = {}, withoutTemperature = false, calls } = options
  checkLimits(limits)
  const [provider, name] = typeof model === 'string' ? ['gateway', model] : [model.provider, model.modelId]
  const id = `${name}@${provider}`
  const called = { id, endpoint: provider, limits, ...(price === undefined ? {} : { price }) }
  const ask = modelCalls(called, 'chat', () => calls ?? currentScope().calls)
  return {
    id,
    async chat(conversations, settings = {}) {
      const outcomes = await ask(
        conversations,
        async (conversation, index) => ({
          identity: {
            messages: await messagesIdentity(conversation),
            fields: samplingFields(settings, index, { isOpenAIs: false }),
            providerOptions,
            withoutTemperature,
          },
          expected: { inputTokens: expectedInput(conversation), outputTokens: settings.maxTokens },
          send: async (signal) => {
            const { generateText, Output } = await sdk()
            const { maxTokens, temperature = 0, topP, stop, schema, seed } = settings
            const own = typeof seed === 'object' ? (seed[index] ?? 0) : seed
            return sentOf(async () => {
              const messages = await messagesOf(conversation)
              return generateText({
                model,
                messages,
                allowSystemInMessages: true,
                maxRetries: 0,
                abortSignal: abortSignalOf(signal),
                ...(withoutTemperature ? {} : { temperature }),
                ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
                ...(topP === undefined || topP === 1 ? {} : { topP }),
                ...(stop === undefined ? {} : { stopSequences: [...stop] }),
                ...(own === undefined ? {} : { seed: seedNumber(own) }),
                // asks for JSON and gives back the text as it came: reading it is the judge's business
                ...(schema === undefined
                  ? {}
                  : {
                      output: {
                        ...Output.text(),
                        responseFormat: Promise.resolve({ type: 'json', schema }),
                      } as never,
                    }),
                providerOptions: providerOptions as never,
              })
            }, signal)
          },
        }),
        settings.signal,
      )
      return outcomes.map(chatReplyOf)
    },
  }
}

async function sdk(): Promise<typeof import('ai')> {
  try {
    return await import('ai')
  } catch (error) {
    throw new GuerdonError('package-missing', 'models of the AI SDK need the package "ai".', {
      fix: 'Install it: npm install ai.',
      cause: error,
    })
  }
}

async function messagesOf(conversation: readonly ChatMessage[]): Promise<ModelMessage[]> {
  const turns: ModelMessage[] = []
  for (const { role, text, images = [], frames = [] } of conversation) {
    const files = await Promise.all([...images, ...frames].map(encodedOnce))
    if (role !== 'user' && files.length > 0)
      throw new GuerdonError('bad-conversation', `a message of the ${role} holds images.`, {
        fix: 'Put them into a message of the user.',
      })
    if (role !== 'user') turns.push({ role, content: text })
    else
      turns.push({
        role,
        content: [
          ...files.map(({ bytes, mediaType }) => ({ type: 'file' as const, data: bytes, mediaType })),
          ...(text === '' ? [] : [{ type: 'text' as const, text }]),
        ],
      })
  }
  return turns
}

/** Throws a `CallError`, or the signal's reason when it is aborted. */
async function sentOf(generate: () => Promise<Generation>, signal: StopSignal): Promise<Sent<KeptReply>> {
  let generated: Generation
  try {
    generated = await generate()
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw callErrorOf(error)
  }
  const { finishReason, usage } = generated
  const { text, reasoning = generated.reasoningText } = withoutReasoning(generated.text)
  if (finishReason === 'error')
    throw new CallError('outage', 'the model stopped because of an error', { retryable: true })
  const tokens = {
    ...(usage?.inputTokens === undefined ? {} : { inputTokens: usage.inputTokens }),
    ...(usage?.outputTokens === undefined ? {} : { outputTokens: usage.outputTokens }),
  }
  const declined = finishReason === 'content-filter'
  if (text === '' && !declined && finishReason !== 'length')
    throw new CallError('outage', 'the answer has no text', { retryable: true })
  return {
    answer: {
      text: declined ? '' : text,
      finish: finishReason === 'length' ? 'length' : 'stop',
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(declined ? { refusal: 'the answer was held back by a filter of the provider' } : {}),
    },
    ...tokens,
  }
}

function callErrorOf(error: unknown): unknown {
  if (error instanceof GuerdonError || error instanceof CallError) return error
  const { statusCode, responseHeaders, isRetryable, data } = (
    isObject(error) || error instanceof Error ? error : {}
  ) as Record<string, unknown>
  const message = withoutKeys(messageOf(error)).slice(0, 300)
  if (typeof statusCode === 'number' && !(statusCode >= 200 && statusCode < 300))
    return statusError({
      status: statusCode,
      headers: (responseHeaders ?? {}) as Record<string, string>,
      message: `the provider answered ${statusCode}: ${message}`,
      type: JSON.stringify(data ?? ''),
    })
  // a broken connection or an answer that is not what the protocol says
  return new CallError('outage', `the provider failed: ${message}`, {
    retryable: isRetryable !== false || statusCode !== undefined,
  })
}
