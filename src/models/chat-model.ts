import type { Raster } from './embedder.ts'

/** One turn that a model reads. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly text: string
  /** Before the text. */
  readonly images?: readonly Raster[]
}

export interface ChatOptions {
  /** New tokens at most. @default the model's */
  readonly maxTokens?: number
  /** 0 takes the likeliest token. @default 0 */
  readonly temperature?: number
  /** @default 1 */
  readonly topP?: number
  /** Each conversation draws from its own stream. @default 0 */
  readonly seed?: string | number
  readonly signal?: AbortSignal
}

export interface ChatReply {
  readonly text: string
  /** `length`: cut off at `maxTokens` or at the end of the context. */
  readonly finish: 'stop' | 'length'
}

/** Messages in, text out. */
export interface ChatModel {
  /** Names the model and its weights; part of the identity of every reward that uses it. */
  readonly id: string
  /** One reply for each conversation, in order. */
  chat(
    conversations: readonly (readonly ChatMessage[])[],
    options?: ChatOptions,
  ): Promise<readonly ChatReply[]>
}

/** A conversation of one question. */
export function ask(text: string, ...images: readonly Raster[]): readonly ChatMessage[] {
  return [images.length === 0 ? { role: 'user', text } : { role: 'user', text, images }]
}
