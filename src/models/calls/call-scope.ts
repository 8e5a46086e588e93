import { AsyncLocalStorage } from 'node:async_hooks'
import type { OwnModel } from '../model-settings.ts'
import { CallLayer } from './call-layer.ts'

/** What models are used with: the layer that their calls go through, and models by names of one's own. */
export interface CallScope {
  readonly calls: CallLayer
  readonly models: Readonly<Record<string, OwnModel>>
}

const scopes = new AsyncLocalStorage<CallScope>()
let outside: CallScope | undefined

/**
 * Runs work whose model calls all go through one layer: its budget, cache and limits hold for everything that the work
 * does, rewards that look up a model by name included.
 */
export function withCalls<Result>(scope: Partial<CallScope>, work: () => Result): Result {
  return scopes.run({ calls: scope.calls ?? currentScope().calls, models: scope.models ?? {} }, work)
}

/** The scope of the work that is running; outside of any, one of the process without cache and budget. */
export function currentScope(): CallScope {
  const scope = scopes.getStore()
  if (scope !== undefined) return scope
  outside ??= { calls: new CallLayer(), models: {} }
  return outside
}

/** Names models for work outside of any scope: for a process that has none, such as one in which a reward is isolated. */
export function provideModels(models: CallScope['models']): void {
  outside = { calls: outside?.calls ?? new CallLayer(), models }
}
