import { contextAwarePreferenceMethod } from './context-aware-preference.ts'
import { currReftMethod } from './curr-reft.ts'
import { dipR1Method } from './dip-r1.ts'
import { followUpLikelihoodMethod } from './follow-up-likelihood-reward.ts'
import { gotR1Method } from './got-r1.ts'
import { gvlMethod } from './gvl.ts'
import { imageInWordsMethod } from './imageinwords.ts'
import { listenerRewardedThinkingMethod } from './listener-rewarded-thinking.ts'
import { lscRewardTransformMethod } from './lsc-reward-transform.ts'
import { masterKeysMethod } from './master-keys-one-token.ts'
import type { Method } from './method.ts'
import { msrlMethod } from './msrl.ts'
import { multiRewardConditionEditingMethod } from './multi-reward-condition-editing.ts'
import { oneRewardMethod } from './onereward.ts'
import { perceptionR1Method } from './perception-r1.ts'
import { reagentVMethod } from './reagent-v.ts'
import { rewardAnythingMethod } from './rewardanything.ts'
import { rewardDanceMethod } from './rewarddance.ts'
import { rmR1Method } from './rm-r1.ts'
import { rpoLambdaHarmonicMethod } from './rpo-lambda-harmonic.ts'
import { sgpRlMethod } from './sgp-rl.ts'
import { toolrlMethod } from './toolrl.ts'
import { unifiedRewardMethod } from './unifiedreward.ts'
import { unifiedRewardThinkMethod } from './unifiedreward-think.ts'
import { universeMethod } from './universe.ts'
import { vicritMethod } from './vicrit.ts'
import { vilbenchMethod } from './vilbench.ts'
import { visionR1Method } from './vision-r1.ts'
import { visionSr1Method } from './vision-sr1.ts'
import { visionPreferMethod } from './visionprefer-vpscore.ts'
import { visualRftMethod } from './visual-rft.ts'
import { vlmR1Method } from './vlm-r1.ts'
import { vlmRlMethod } from './vlm-rl.ts'
import { vlmRmMethod } from './vlm-rm.ts'

/** Every published system that is a working component, in the order of the cards. */
export const methods: readonly Method[] = [
  oneRewardMethod,
  vlmRlMethod,
  rewardDanceMethod,
  vlmR1Method,
  visualRftMethod,
  vlmRmMethod,
  visionR1Method,
  vilbenchMethod,
  visionPreferMethod,
  visionSr1Method,
  rewardAnythingMethod,
  listenerRewardedThinkingMethod,
  unifiedRewardThinkMethod,
  gvlMethod,
  masterKeysMethod,
  vicritMethod,
  gotR1Method,
  rpoLambdaHarmonicMethod,
  multiRewardConditionEditingMethod,
  unifiedRewardMethod,
  rmR1Method,
  perceptionR1Method,
  universeMethod,
  reagentVMethod,
  lscRewardTransformMethod,
  sgpRlMethod,
  currReftMethod,
  msrlMethod,
  toolrlMethod,
  dipR1Method,
  imageInWordsMethod,
  followUpLikelihoodMethod,
  contextAwarePreferenceMethod,
]
