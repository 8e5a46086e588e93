export { createLog, type Log, type LogOptions } from './log.ts'
export { Metrics } from './metrics.ts'
export * from './protocol.ts'
export { protocols } from './protocols/registry.ts'
export { Overloaded, problemBody, RequestProblem } from './request-problem.ts'
export type { ComponentDrift, DriftHistogram, DriftPoint } from './scoring/drift.ts'
export { References } from './scoring/references.ts'
export * from './scoring/scoring-service.ts'
export { ServedRewards, type ServedRewardsOptions } from './scoring/served-rewards.ts'
export type { ShadowDifference, ShadowReport } from './scoring/shadow.ts'
export {
  createToken,
  defaultTokenPath,
  readTokens,
  type Scope,
  scopes,
  TokenBook,
  type TokenRecord,
  tokenRecord,
  writeTokens,
} from './security/tokens.ts'
export * from './serve-context.ts'
export { defaultLimits, type RunningServer, type ServerOptions, startServer } from './server.ts'
