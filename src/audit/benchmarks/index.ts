// Benchmarks with their official scoring.
export * from './aggregate.ts'
export { allPublishedChecks } from './all-published.ts'
export { type Answerer, comparedResult, majorityOf } from './ask-items.ts'
export * from './benchmark.ts'
export {
  type SelectionAccuracy,
  type SelectionQuestion,
  selectionAccuracy,
} from './best-of-selection.ts'
export {
  hallucinationRate,
  rejectionScore,
  type SegmentClass,
  segmentClass,
} from './hallucinated-words.ts'
export type { ItemResult } from './item-result.ts'
export { howToGet, type LoadBenchmarkOptions, loadBenchmark, recomputePublished } from './load-benchmark.ts'
export {
  inLanguage,
  labelAgreement,
  type MultilingualOptions,
  type MultilingualSummary,
  multilingualSummary,
} from './multilingual.ts'
export * from './open-chair.ts'
export {
  descriptorNames,
  type PathDescriptors,
  pathDescriptors,
} from './paths/descriptors.ts'
export type { PathEnvironment } from './paths/environments.ts'
export type { Point, Polygon } from './paths/geometry.ts'
export { type DescribedPath, type PathPair, pathPairs } from './paths/pairs.ts'
export * from './paths/scenarios.ts'
export * from './published.ts'
export { discountedGain, pairOrder } from './rank-agreement.ts'
export * from './registry.ts'
export * from './run-benchmark.ts'
export { type AskObjects, openChairBenchmark, openChairOf } from './sets/openchair.ts'
export { rewardBenchCounts, rewardBenchSections } from './sets/rewardbench.ts'
export { rmBenchDifficulty, rmBenchStyles } from './sets/rm-bench.ts'
export { type SvgJudge, sgpCompBench } from './sets/sgp-compbench.ts'
export { rejectedPosition, vlRewardBenchClass, vlRewardBenchSource } from './sets/vl-rewardbench.ts'
export * from './sgp-genbench.ts'
export * from './side-by-side.ts'
export * from './ties-score.ts'
