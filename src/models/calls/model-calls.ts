import { GuerdonError, identityOf, type Json } from '../../core/index.ts'
import { failed, type Outcome } from '../outcome.ts'
import type { Answered, CalledModel, ExpectedTokens, Sent } from './call.ts'
import type { CallLayer } from './call-layer.ts'
import { type StopSignal, shared } from './stop-signal.ts'

/** A question, before it is asked. */
export interface Question<Answer extends Json> {
  /** Everything besides the model that determines the answer. */
  readonly identity: Json
  readonly expected: ExpectedTokens
  send(signal: StopSignal): Promise<Sent<Answer>>
}

/** Asks about every item by itself; what `question` throws as a `GuerdonError` is that item's failure (`bad-input`). */
export type AskModel = <Item, Answer extends Json>(
  items: readonly Item[],
  question: (item: Item, index: number) => Question<Answer> | Promise<Question<Answer>>,
  signal: AbortSignal | undefined,
) => Promise<Outcome<Answered<Answer>>[]>

/**
 * The calls of one model.
 *
 * @param kind what is asked, such as `chat`; part of the key of every call
 * @param layerOf looked up for every call, since a model may be used in works with different layers
 */
export function modelCalls(model: CalledModel, kind: string, layerOf: () => CallLayer): AskModel {
  return (items, question, signal) => {
    const stop = signal && shared(signal)
    const askAbout = async (item: (typeof items)[number], index: number) => {
      try {
        const asked = question(item, index)
        const { identity, expected, send } = asked instanceof Promise ? await asked : asked
        const key = identityOf({ model: model.id, kind, identity })
        return await layerOf().run({ model, key, expected, send }, stop)
      } catch (error) {
        if (error instanceof GuerdonError) return failed('bad-input', error.message)
        throw error
      }
    }
    return Promise.all(items.map(askAbout))
  }
}
