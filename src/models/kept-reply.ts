import type { Usage } from '../core/index.ts'
import type { Answered } from './calls/call.ts'
import { type ChatReply, failedChat } from './chat-model.ts'
import { isFailed, type Outcome } from './outcome.ts'

/** What a model answered, as it is kept. */
export type KeptReply = {
  readonly text: string
  readonly finish: 'stop' | 'length'
  readonly reasoning?: string
  /** Present where it declined to answer: in whose words. */
  readonly refusal?: string
}

export function chatReplyOf(outcome: Outcome<Answered<KeptReply>>): ChatReply {
  if (isFailed(outcome)) return failedChat(outcome.failure)
  const { answer, usage, cached } = outcome
  const { text, finish, reasoning, refusal } = answer
  const details: { usage: Usage; cached: boolean; reasoning?: string } = { usage, cached }
  if (reasoning !== undefined) details.reasoning = reasoning
  if (refusal === undefined) return { text, finish, ...details }
  return { ...failedChat({ code: 'refused', reason: `the model declined: ${refusal}` }), ...details }
}
