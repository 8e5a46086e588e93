import { GuerdonError, identityOf, type Json } from '../../core/index.ts'
import type { Answered, Call, CalledModel, ExpectedTokens, Sent } from '../calls/call.ts'
import { failed, type Outcome } from '../outcome.ts'
import type { Endpoint } from './endpoint.ts'

/** A question, before it is asked. */
export interface Question<Answer extends Json> {
  /** Everything besides model, endpoint and parameters that determines the answer. */
  readonly identity: Json
  readonly expected: ExpectedTokens
  send(signal: AbortSignal): Promise<Sent<Answer>>
}

/** Calls of one model of an endpoint. */
export interface EndpointCalls {
  /** Names the model, its endpoint and the parameters of every request. */
  readonly id: string
  /**
   * Asks about every item by itself. What `question` throws as a `GuerdonError` is that item's failure (`bad-input`).
   */
  ask<Item, Answer extends Json>(
    items: readonly Item[],
    question: (item: Item, index: number) => Question<Answer> | Promise<Question<Answer>>,
    signal: AbortSignal | undefined,
  ): Promise<Outcome<Answered<Answer>>[]>
}

/** @param kind what is asked, such as `chat`; part of the key of every call */
export function endpointCalls(endpoint: Endpoint, model: string, kind: string): EndpointCalls {
  const { address, limits, options } = endpoint
  const { parameters = {}, price } = options
  const plain = Object.keys(parameters).length === 0
  const id = `${model}@${address}${plain ? '' : `#${identityOf(parameters).slice(0, 8)}`}`
  const called: CalledModel = { id, endpoint: address, limits, ...(price === undefined ? {} : { price }) }
  const askOne = async <Answer extends Json>(
    question: () => Question<Answer> | Promise<Question<Answer>>,
    signal: AbortSignal | undefined,
  ): Promise<Outcome<Answered<Answer>>> => {
    let asked: Question<Answer>
    try {
      asked = await question()
    } catch (error) {
      if (error instanceof GuerdonError) return failed('bad-input', error.message)
      throw error
    }
    const { identity, expected } = asked
    const key = identityOf({ address, model, kind, parameters, identity })
    const call: Call<Answer> = { model: called, key, expected, send: (stop) => asked.send(stop) }
    return endpoint.calls.run(call, signal)
  }
  return {
    id,
    ask: (items, question, signal) =>
      Promise.all(items.map((item, index) => askOne(() => question(item, index), signal))),
  }
}
