// Reward models: trained on preferences or labels, measured, and used as rewards.
export type { BytePairSpec } from '../../models/byte-pair-tokenizer.ts'
export { bytePairTokenizer, trainedBytePairs } from '../../models/byte-pair-tokenizer.ts'
export type { Pool, RewardManifest, RewardView } from '../../rewards/learned/reward-manifest.ts'
export {
  loadRewardModel,
  type RewardModel,
  type RewardModelOptions,
  type RewardValue,
  saveRewardModel,
} from '../../rewards/learned/trained-reward-model.ts'
export { type GoalContrastOptions, goalContrastAuxiliary, likelihoodAuxiliary } from './auxiliary-losses.ts'
export { type NgramBaseline, type NgramOptions, ngramBaseline } from './ngram-baseline.ts'
export {
  type FormLeakage,
  type LengthLeakage,
  pairDifferences,
  type RewardEvaluation,
  rewardEvaluation,
} from './reward-evaluation.ts'
export type { ComparisonDetails, LabelledAnswer } from './reward-examples.ts'
export type { AuxiliaryLoss, ComparisonLoss } from './reward-loss.ts'
export { type RewardTrace, rewardTraces } from './reward-traces.ts'
export type { EmbedderTrunk, OwnTrunk } from './reward-trunk.ts'
export { stateEmbedder } from './state-embedder.ts'
export {
  type TrainedRewardModel,
  type TrainRewardModelOptions,
  trainingState,
  trainRewardModel,
} from './train-reward-model.ts'
