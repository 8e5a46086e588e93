// Published systems: each under its own name, all of them in `methods`, and rewards by name.

export { modelKinds, resolveModel } from '../nets/resolve-model.ts'
export {
  type CatalogueQuery,
  type CatalogueStatus,
  catalogue,
  catalogueEntry,
  coverage,
  gaps,
  statusOf,
} from './catalogue/catalogue.ts'
export type { CatalogueEntry, World } from './catalogue/entries.ts'
export { type AxisName, type Tags, taxonomy } from './catalogue/taxonomy.ts'
export {
  aggregateContexts,
  type ContextPreferences,
  type ContextRowRewards,
  contextAccuracy,
  marginalPreference,
  preferenceErrorBound,
} from './context-aware-preference/aggregation.ts'
export { contextAwareJudge, contextAwarePreference } from './context-aware-preference.ts'
export { currReft } from './curr-reft.ts'
export { dipR1 } from './dip-r1.ts'
export { followUps } from './follow-up-likelihood-reward/follow-ups.ts'
export {
  type DialogueTurns,
  type FacetLikelihoods,
  followUpLikelihood,
  followUpScore,
} from './follow-up-likelihood-reward.ts'
export { gotR1 } from './got-r1.ts'
export { gvl, gvlFrames, gvlJudge, progressWeights } from './gvl.ts'
export {
  fivePointVerdicts,
  type ImageInWordsMetric,
  imageInWords,
  imageInWordsJudge,
} from './imageinwords.ts'
export { contradicts, listenerRewardedThinking, withoutVerdict } from './listener-rewarded-thinking.ts'
export { lscRewardTransform } from './lsc-reward-transform.ts'
export { verifier } from './master-keys-one-token.ts'
export { defineMethod, type Method } from './method.ts'
export { msrl } from './msrl.ts'
export {
  droppedConditions,
  type EditVerdict,
  editGuidance,
  editPerspectives,
  faultlessCondition,
  faultlessShare,
  type Perspective,
  parseEditVerdict,
  perspectives,
  scoreEmbedding,
} from './multi-reward-condition-editing.ts'
export { oneReward, oneRewardJudge } from './onereward.ts'
export { perceptionR1 } from './perception-r1.ts'
export {
  calibratedRelevance,
  type FrameSelectionOptions,
  frameEntropy,
  selectFrames,
} from './reagent-v/frames.ts'
export { mergeReflections, type Reflected, type Reflections, reflect } from './reagent-v/reflection.ts'
export {
  answerWithTools,
  type ToolAnswer,
  type ToolLoopOptions,
  type VideoTool,
} from './reagent-v/tool-loop.ts'
export { reagentV } from './reagent-v.ts'
export { methods } from './registry.ts'
export { allRewardTypes, type OwnRewards, resolveReward, rewardTypeNamed } from './resolve.ts'
export {
  listFormat,
  modelCoverage,
  rankingConsistency,
  rewardAnything,
  rewardAnythingVerdict,
  weightedPairOrder,
} from './rewardanything.ts'
export {
  goodSameBad,
  referenceCandidates,
  rewardDance,
  rewardDanceJudge,
  rewardSpread,
  winCounts,
} from './rewarddance.ts'
export { rmR1, rmR1Judge, rmR1Trace, rmR1Verdict } from './rm-r1.ts'
export { rpoLambdaHarmonic } from './rpo-lambda-harmonic.ts'
export { sgpRl } from './sgp-rl.ts'
export { toolrl } from './toolrl.ts'
export { unifiedReward, unifiedRewardJudge } from './unifiedreward.ts'
export {
  type ThoughtTrace,
  thoughtTrace,
  unifiedRewardThink,
  unifiedRewardThinkJudge,
  unifiedRewardThinkVerdict,
} from './unifiedreward-think.ts'
export { questionShares, universe } from './universe.ts'
export { vicrit } from './vicrit.ts'
export {
  aggregateSteps,
  expectedAccuracy,
  pickBest,
  prefixValues,
  processPreference,
  type StepAggregate,
} from './vilbench/selection.ts'
export { vilbench, vilbenchSteps } from './vilbench.ts'
export { visionR1 } from './vision-r1.ts'
export { visionSr1 } from './vision-sr1.ts'
export { visionPrefer } from './visionprefer-vpscore.ts'
export { visualRft } from './visual-rft.ts'
export { vlmR1 } from './vlm-r1.ts'
export { vlmRl } from './vlm-rl.ts'
export { vlmRm } from './vlm-rm.ts'
