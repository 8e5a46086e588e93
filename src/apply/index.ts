export * from './anchored-pairs.ts'
export * from './bias.ts'
export * from './compare.ts'
export * from './compare-pairs.ts'
export * from './compare-to-label.ts'
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
export * from './rescore.ts'
export * from './select.ts'
export * from './sifted-pairs.ts'
export * from './split.ts'
