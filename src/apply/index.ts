export * from './anchored-pairs.ts'
export * from './bias.ts'
export * from './compare.ts'
export * from './compare-pairs.ts'
export * from './compare-to-label.ts'
export { defineConfig, type GuerdonConfig } from './config.ts'
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
export { type RunReportOptions, runReport } from './report.ts'
export * from './rescore.ts'
export { type RunOptions, scoreRun } from './run.ts'
export type { RunProgress } from './run-progress.ts'
export { type RewardSummary, type RunSummary, summarizeRun } from './run-summary.ts'
export { runsOf, scoredSamples } from './scored-samples.ts'
export * from './select.ts'
export * from './sifted-pairs.ts'
export * from './split.ts'
