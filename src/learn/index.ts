// What a policy or a reward model learns by. Every objective is a function over jax arrays, for compiled graphs; `evaluated`
// and `evaluatedGradient` run the same on plain numbers.
export { type ArraysOf, evaluated, evaluatedGradient, type Numbers, type Plain } from '../tensor/evaluated.ts'
export * from './objectives/autoregressive-reward.ts'
export { aggregated, meanOf, type TokenAggregation, tokenSum, whitened } from './objectives/averages.ts'
export { type ClipOptions, clippedSurrogate } from './objectives/clipped-surrogate.ts'
export * from './objectives/consistency.ts'
export * from './objectives/diffusion-dpo.ts'
export * from './objectives/dpo.ts'
export * from './objectives/gap-weights.ts'
export * from './objectives/generalised-advantages.ts'
export * from './objectives/gflownet.ts'
export * from './objectives/goal-contrast.ts'
export * from './objectives/grouped-advantages.ts'
export * from './objectives/grpo.ts'
export * from './objectives/ideal-points.ts'
export * from './objectives/implicit-q-learning.ts'
export * from './objectives/info-nce.ts'
export * from './objectives/kto.ts'
export * from './objectives/likelihood.ts'
export * from './objectives/mixed-advantages.ts'
export * from './objectives/ppo.ts'
export * from './objectives/preference-losses.ts'
export {
  type KlEstimator,
  type KlRewardOptions,
  klEstimates,
  klRewards,
  sequenceKl,
  type TokenLogps,
} from './objectives/reference-kl.ts'
export * from './objectives/self-exploration.ts'
export * from './objectives/span-preference.ts'
export * from './objectives/step-policy.ts'
export * from './objectives/yes-probability.ts'
export {
  type GuidanceOptions,
  type LanguagePolicy,
  languagePolicy,
  type PolicyGuide,
  type PolicyPrompt,
  type PolicyRow,
  policyRow,
} from './policies/language-policy.ts'
export {
  type GameLanguage,
  type PlayingPolicy,
  type PlayingPolicyOptions,
  playingPolicy,
} from './policies/playing-policy.ts'
export * from './reward-models/index.ts'
export {
  answerIn,
  rereading,
  type SceneTask,
  sceneOf,
  sceneOracle,
  scenePolicyTask,
  thoughtAndAnswer,
} from './tasks/scene-tasks.ts'
export { taskOracle, textPolicyTask } from './tasks/text-tasks.ts'
export { type ActorCriticOptions, actorCritic } from './trainers/actor-critic.ts'
export type { CheckpointSet, PastIteration } from './trainers/checkpoint-set.ts'
export {
  type ConstrainedActorCriticOptions,
  type ConstraintKind,
  constrainedActorCritic,
  type Thresholds,
} from './trainers/constrained-actor-critic.ts'
export { type CurriculumStage, curriculum, stageAt } from './trainers/curriculum.ts'
export * from './trainers/episodes.ts'
export { type FlowMatchingOptions, flowMatching } from './trainers/flow-matching.ts'
export {
  type BuildContext,
  type IterativeOptions,
  iterativeTraining,
  type Role,
} from './trainers/iterative.ts'
export { type Measured, type TrainingDocumentOptions, trainingDocument } from './trainers/kept-training.ts'
export {
  distinctShare,
  type IterationRecord,
  type LoopRecord,
  type RolloutRecord,
} from './trainers/monitors.ts'
export {
  type LearningObjective,
  type PolicyPair,
  type PreferenceInputs,
  type PreferenceOptions,
  preferred,
  supervised,
  type Weighted,
} from './trainers/objective.ts'
export { type OfflineOptions, type OfflineRecord, offlineTraining } from './trainers/offline.ts'
export { type FurtherRow, type PolicyGradientOptions, policyGradient } from './trainers/policy-gradient.ts'
export {
  type JudgedIteration,
  type PolicyJudge,
  type PolicyJudgeContext,
  type PolicyTrained,
  type PolicyTrainer,
  type PolicyTrainingOptions,
  policyTraining,
} from './trainers/policy-training.ts'
export {
  type Draft,
  type DraftJudge,
  judgeBy,
  type PolicyTask,
  type Rollout,
  type RolloutOptions,
  rollouts,
} from './trainers/rollouts.ts'
export { divergencePenalised, selectedRollouts } from './trainers/selected-rollouts.ts'
export {
  type LikelihoodJudgeOptions,
  likelihoodJudge,
  type SelfJudgeOptions,
  selfJudge,
} from './trainers/self-judges.ts'
export { type StepActorCriticOptions, stepActorCritic } from './trainers/step-actor-critic.ts'
export {
  type LoopIteration,
  type LoopOptions,
  type LoopTrainer,
  type TrainingResult,
  trainingLoop,
} from './trainers/training-loop.ts'
export { progressText, trainingProgress } from './trainers/training-progress.ts'
