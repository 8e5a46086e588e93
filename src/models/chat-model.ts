import type { Json, Usage } from '../core/index.ts'
import type { ChatImage } from './chat-image.ts'
import type { CallFailure } from './outcome.ts'

/** What a model reads. Messages of one role in a row are one turn, so that texts and images may alternate. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly text: string
  /** Before the text. */
  readonly images?: readonly ChatImage[]
  /** Frames of a video in order, after `images` and before the text; models without video see images. */
  readonly frames?: readonly ChatImage[]
}

export type ChatSeed = string | number

export interface ChatOptions {
  /** New tokens at most. @default the model's */
  readonly maxTokens?: number
  /** 0 takes the likeliest token. @default 0 */
  readonly temperature?: number
  /** @default 1 */
  readonly topP?: number
  /**
   * One seed, from which each conversation of an embedded model draws its own stream; or one for each conversation, so
   * that its neighbours in the batch do not matter. Another seed is another draw, also where an endpoint knows no
   * seeds. @default 0
   */
  readonly seed?: ChatSeed | readonly ChatSeed[]
  /** The answer ends before the first of these texts. */
  readonly stop?: readonly string[]
  /** JSON schema of the answer. Models that cannot be held to it (the embedded ones) answer freely. */
  readonly schema?: Json
  readonly signal?: AbortSignal
}

/** `text` is null exactly where `failure` says why. */
export type ChatReply = ChatAnswer | FailedChat

interface ReplyDetails {
  /** What the model thought before it answered; never part of `text`. */
  readonly reasoning?: string
  /** What the answer cost when it was given; the same when it comes from the cache now. */
  readonly usage?: Usage
  /** It came from the cache. */
  readonly cached?: boolean
}

export interface ChatAnswer extends ReplyDetails {
  readonly text: string
  /** `length`: cut off at `maxTokens` or at the end of the context. */
  readonly finish: 'stop' | 'length'
  readonly failure?: undefined
}

export interface FailedChat extends ReplyDetails {
  readonly text: null
  /** `refused`: the model, or a filter before it, declined to answer. */
  readonly finish: 'refused' | 'failed'
  readonly failure: CallFailure
}

/** Messages in, text out. */
export interface ChatModel {
  /** Names the model and its weights; part of the identity of every reward that uses it. */
  readonly id: string
  /** One reply for each conversation, in order. Rejects only for bad options, never for what one conversation holds. */
  chat(
    conversations: readonly (readonly ChatMessage[])[],
    options?: ChatOptions,
  ): Promise<readonly ChatReply[]>
}

export function failedChat({ code, reason }: CallFailure): FailedChat {
  return { text: null, finish: code === 'refused' ? 'refused' : 'failed', failure: { code, reason } }
}

/** A conversation of one question. */
export function ask(text: string, ...images: readonly ChatImage[]): readonly ChatMessage[] {
  return [images.length === 0 ? { role: 'user', text } : { role: 'user', text, images }]
}
