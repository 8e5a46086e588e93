import type { Call } from './call.ts'
import { costOf } from './price.ts'

/** How much may be spent. */
export interface BudgetLimits {
  /** [US dollars] Answers in flight count as they are expected to be. @default no limit */
  readonly maxCost?: number
  /** Requests sent, repeated ones included. @default no limit */
  readonly maxCalls?: number
}

/** What was asked and what it cost. */
export interface Spent {
  /** Sent, repeated ones included. */
  readonly requests: number
  readonly answers: number
  /** Answers that were there already: from the cache, or from an equal question in flight. */
  readonly cached: number
  /** Questions without an answer in the end. */
  readonly failures: number
  readonly retries: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** [US dollars] Of the answers whose price is known. */
  readonly costUsd: number
  /** Answers whose price or tokens are not known. */
  readonly unpriced: number
}

/** Output tokens that an unbounded answer is expected to have, before any was seen. */
const usualOutput = 256

/** Counts what is spent, and says no when the next call could exceed the limits. */
export class Budget {
  readonly limits: BudgetLimits
  readonly #spent = {
    requests: 0,
    answers: 0,
    cached: 0,
    failures: 0,
    retries: 0,
    inputTokens: 0,
    outputTokens: 0,
    costUsd: 0,
    unpriced: 0,
  }
  #reserved = 0

  constructor(limits: BudgetLimits = {}) {
    this.limits = limits
  }

  get spent(): Spent {
    return { ...this.#spent }
  }

  /** The expected tokens of a call, an unbounded answer as long as answers have been so far. */
  expectedTokens({ expected }: Call): { readonly inputTokens: number; readonly outputTokens: number } {
    const { answers, outputTokens } = this.#spent
    return {
      inputTokens: expected.inputTokens,
      outputTokens:
        expected.outputTokens ?? (answers === 0 ? usualOutput : Math.ceil(outputTokens / answers)),
    }
  }

  /** Sets aside what a request may cost, or says why it must not be sent. */
  reserve(call: Call): { readonly costUsd: number } | { readonly refusal: string } {
    const { maxCost, maxCalls } = this.limits
    if (maxCalls !== undefined && this.#spent.requests >= maxCalls)
      return { refusal: `the limit of ${maxCalls} calls is reached` }
    const costUsd = costOf(this.expectedTokens(call), call.model.price)
    if (maxCost !== undefined) {
      if (costUsd === undefined)
        return { refusal: `a limit of cost is set and the price of ${call.model.id} is not known` }
      if (this.#spent.costUsd + this.#reserved + costUsd > maxCost)
        return { refusal: `the limit of ${maxCost} US dollars is reached` }
    }
    this.#reserved += costUsd ?? 0
    this.#spent.requests++
    return { costUsd: costUsd ?? 0 }
  }

  free({ costUsd }: { readonly costUsd: number }): void {
    this.#reserved -= costUsd
  }

  answered(usage: { inputTokens?: number; outputTokens?: number; costUsd?: number }): void {
    this.#spent.answers++
    this.#spent.inputTokens += usage.inputTokens ?? 0
    this.#spent.outputTokens += usage.outputTokens ?? 0
    if (usage.costUsd === undefined) this.#spent.unpriced++
    else this.#spent.costUsd += usage.costUsd
  }

  count(what: 'cached' | 'failures' | 'retries'): void {
    this.#spent[what]++
  }
}
