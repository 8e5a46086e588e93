import type { Call } from './call.ts'
import { costOf } from './price.ts'

/** What questions would cost that were not asked. */
export interface Estimate {
  /** Different questions that would be asked. */
  readonly calls: number
  /** Questions answered already. */
  readonly cached: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** [US dollars] Of the calls whose price is known. */
  readonly costUsd: number
  /** Calls whose price is not known. */
  readonly unpriced: number
}

/** Adds up a dry run. */
export class EstimateCounter {
  readonly #asked = new Set<string>()
  readonly #total = { calls: 0, cached: 0, inputTokens: 0, outputTokens: 0, costUsd: 0, unpriced: 0 }

  get estimate(): Estimate {
    return { ...this.#total }
  }

  add(call: Call, tokens: { readonly inputTokens: number; readonly outputTokens: number }): void {
    if (this.#asked.has(call.key)) return
    this.#asked.add(call.key)
    const cost = costOf(tokens, call.model.price)
    this.#total.calls++
    this.#total.inputTokens += tokens.inputTokens
    this.#total.outputTokens += tokens.outputTokens
    if (cost === undefined) this.#total.unpriced++
    else this.#total.costUsd += cost
  }

  addCached(): void {
    this.#total.cached++
  }
}
