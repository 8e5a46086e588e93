export * from './anchored-pairs.ts'
export {
  type Audit,
  type AuditOptions,
  audit,
  type BenchmarkAudit,
  type LengthFindings,
  type TargetFindings,
} from './audit.ts'
export { type AuditReportOptions, auditReport } from './audit-report.ts'
export {
  type AuditLimits,
  type AuditVerdict,
  auditVerdict,
  type Finding,
  type MissedLimit,
  missedLimits,
} from './audit-verdict.ts'
export * from './bias.ts'
export * from './compare.ts'
export * from './compare-pairs.ts'
export * from './compare-to-label.ts'
export { defineConfig, type GuerdonConfig } from './config.ts'
export { type FileBenchmark, fileBenchmark } from './file-benchmark.ts'
export {
  type BenchmarkBoard,
  type Leaderboard,
  type LeaderboardOptions,
  type LeaderboardRow,
  leaderboard,
  type PairedDifference,
} from './leaderboard.ts'
export { leaderboardReport } from './leaderboard-report.ts'
export { type LengthFilterOptions, withoutLongerChosen } from './length-filter.ts'
export type { Measure, NamedMeasure, ScoredSamples } from './measure.ts'
export * from './orders.ts'
export {
  argMaxMin,
  buildPairs,
  type PairOptions,
  type PairSet,
  type PairSetCounts,
  type PairStrategy,
} from './pairs.ts'
export * from './rank.ts'
export * from './recombined.ts'
export { remembered } from './remembered.ts'
export { type RunReportOptions, runReport } from './report.ts'
export * from './rescore.ts'
export { type RunOptions, scoreRun } from './run.ts'
export type { RunProgress } from './run-progress.ts'
export { type RewardSummary, type RunSummary, summarizeRun } from './run-summary.ts'
export { runsOf, scoredSamples } from './scored-samples.ts'
export * from './select.ts'
export * from './sifted-pairs.ts'
export * from './split.ts'
