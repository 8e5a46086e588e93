import type { GuerdonConfig } from '../apply/config.ts'
import { GuerdonError } from '../core/index.ts'
import { CallLayer, SpendingStopped } from '../models/calls/call-layer.ts'
import { withCalls } from '../models/calls/call-scope.ts'
import type { CallLimits } from '../models/calls/limits.ts'
import type { Price } from '../models/calls/price.ts'
import { isModelSettings, type OwnModel } from '../models/model-settings.ts'
import { figure } from '../stats/figure.ts'
import type { Store } from '../store/index.ts'
import { counted } from './table.ts'
import type { Terminal } from './terminal.ts'

/** What the command line says about calls of models. */
export interface ModelCallOptions {
  readonly concurrency?: number
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly maxCost?: number
  readonly maxCalls?: number
  /** `MODEL=INPUT/OUTPUT`. */
  readonly price?: readonly string[]
  /** False with `--no-cache`. */
  readonly cache?: boolean
  readonly dryRun?: boolean
}

/**
 * Runs work whose model calls keep to the limits of the command line and are kept in the store. `signal` is aborted when
 * the budget is used up; what was spent is told at the end.
 */
export async function withModelCalls<Result>(
  { config, store }: { readonly config: GuerdonConfig; readonly store: Store },
  options: ModelCallOptions,
  terminal: Terminal,
  work: (calls: CallLayer) => Promise<Result>,
): Promise<Result> {
  const calls = new CallLayer({
    mode: options.dryRun ? 'estimate' : 'live',
    limits: limitsOf(options),
    ...(options.cache === false ? {} : { cache: store.calls }),
    ...(options.maxCost === undefined ? {} : { maxCost: options.maxCost }),
    ...(options.maxCalls === undefined ? {} : { maxCalls: options.maxCalls }),
  })
  const models = withPrices(config.models ?? {}, options.price ?? [])
  try {
    return await withCalls({ calls, models }, () => work(calls))
  } finally {
    for (const line of spentLines(calls)) terminal.note(line)
  }
}

function limitsOf({ concurrency, requestsPerMinute, tokensPerMinute }: ModelCallOptions): CallLimits {
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
  }
}

/** The models of the configuration with prices of the command line; a model that only has a price is known by its name. */
function withPrices(
  own: Readonly<Record<string, OwnModel>>,
  prices: readonly string[],
): Record<string, OwnModel> {
  const models = { ...own }
  for (const text of prices) {
    const found = /^(.+)=(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/.exec(text)
    if (found === null)
      throw new GuerdonError('bad-option', `--price ${text} is not MODEL=INPUT/OUTPUT.`, {
        fix: 'In US dollars per million tokens, such as openai:gpt-5-mini=0.25/2.',
      })
    const [, name, input, output] = found
    const price: Price = { input: Number(input), output: Number(output) }
    const known = Object.hasOwn(models, name!) ? models[name!]! : { model: name! }
    if (!isModelSettings(known))
      throw new GuerdonError('bad-option', `"${name}" is a model made in code, whose price is said there.`)
    models[name!] = { ...known, price }
  }
  return models
}

/** What was spent, or would be, in lines for people; none where no model was called. */
function spentLines(calls: CallLayer): string[] {
  if (calls.mode === 'estimate') {
    const { calls: asked, cached, inputTokens, outputTokens, costUsd, unpriced } = calls.estimate
    const cost = unpriced > 0 ? costWithout(costUsd, unpriced) : dollars(costUsd)
    return [
      `dry run: about ${counted(asked, 'call')} (${figure(cached)} answered already), ${figure(inputTokens)} tokens read, ${figure(outputTokens)} written, ${cost}`,
      'questions that depend on earlier answers are not counted; answers without a limit count as 256 tokens',
    ]
  }
  const { answers, cached, failures, retries, inputTokens, outputTokens, costUsd, unpriced } = calls.spent
  if (answers + cached + failures === 0) return []
  const cost = unpriced > 0 ? costWithout(costUsd, unpriced) : dollars(costUsd)
  const lines = [
    `model calls: ${counted(answers, 'answer')} and ${figure(cached)} from the cache, ${figure(failures)} failed, ${figure(retries)} repeated; ${figure(inputTokens)} tokens read, ${figure(outputTokens)} written, ${cost}`,
  ]
  if (calls.signal.reason instanceof SpendingStopped)
    lines.push(
      `stopped: ${calls.signal.reason.message}; everything is kept, the same command with more goes on`,
    )
  return lines
}

function costWithout(costUsd: number, unpriced: number): string {
  return costUsd === 0
    ? 'cost not known (--price MODEL=INPUT/OUTPUT)'
    : `${dollars(costUsd)} without ${counted(unpriced, 'call')} of unknown price`
}

function dollars(amount: number): string {
  return `$${amount < 0.1 ? amount.toPrecision(2) : amount.toFixed(2)}`
}
