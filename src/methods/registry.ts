import { animeRewardGapoMethod } from './anime-reward-gapo.ts'
import { constrainedRlhfMethod } from './constrained-rlhf.ts'
import { contextAwarePreferenceMethod } from './context-aware-preference.ts'
import { creamMethod } from './cream.ts'
import { ctrlUMethod } from './ctrl-u.ts'
import { currReftMethod } from './curr-reft.ts'
import { dipR1Method } from './dip-r1.ts'
import { followUpLikelihoodMethod } from './follow-up-likelihood-reward.ts'
import { genarmMethod } from './genarm.ts'
import { gflowvlmMethod } from './gflowvlm.ts'
import { goalConditionedRmMethod } from './goal-conditioned-rm.ts'
import { gotR1Method } from './got-r1.ts'
import { gvlMethod } from './gvl.ts'
import { imageInWordsMethod } from './imageinwords.ts'
import { irlLlmSurveyMethod } from './irl-llm-survey.ts'
import { ixcRewardMethod } from './ixc-2-5-reward.ts'
import { listenerRewardedThinkingMethod } from './listener-rewarded-thinking.ts'
import { lscRewardTransformMethod } from './lsc-reward-transform.ts'
import { mRewardbenchMethod } from './m-rewardbench.ts'
import { masterKeysMethod } from './master-keys-one-token.ts'
import type { Method } from './method.ts'
import { mhaldetectFdpoMethod } from './mhaldetect-fdpo.ts'
import { mochaMethod } from './mocha.ts'
import { msrlMethod } from './msrl.ts'
import { multiRewardConditionEditingMethod } from './multi-reward-condition-editing.ts'
import { oneRewardMethod } from './onereward.ts'
import { palMethod } from './pal.ts'
import { pathevalMethod } from './patheval.ts'
import { perceptionR1Method } from './perception-r1.ts'
import { raftMethod } from './raft.ts'
import { reagentVMethod } from './reagent-v.ts'
import { rewardAnythingMethod } from './rewardanything.ts'
import { rewardbench2Method } from './rewardbench2.ts'
import { rewardDanceMethod } from './rewarddance.ts'
import { rlGenaiSurveyMethod } from './rl-genai-survey.ts'
import { rmR1Method } from './rm-r1.ts'
import { rpoLambdaHarmonicMethod } from './rpo-lambda-harmonic.ts'
import { selmMethod } from './selm.ts'
import { sgpRlMethod } from './sgp-rl.ts'
import { temporalSelfRewardingMethod } from './temporal-self-rewarding.ts'
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
import { vlDacMethod } from './vl-dac.ts'
import { vlRewardbenchMethod } from './vl-rewardbench.ts'
import { vladvaMethod } from './vladva.ts'
import { vlmR1Method } from './vlm-r1.ts'
import { vlmRlMethod } from './vlm-rl.ts'
import { vlmRmMethod } from './vlm-rm.ts'

/** Every published system that is at work here, in the order of the cards. */
export const methods: readonly Method[] = [
  animeRewardGapoMethod,
  constrainedRlhfMethod,
  contextAwarePreferenceMethod,
  creamMethod,
  ctrlUMethod,
  currReftMethod,
  dipR1Method,
  followUpLikelihoodMethod,
  genarmMethod,
  gflowvlmMethod,
  goalConditionedRmMethod,
  gotR1Method,
  gvlMethod,
  imageInWordsMethod,
  irlLlmSurveyMethod,
  ixcRewardMethod,
  listenerRewardedThinkingMethod,
  lscRewardTransformMethod,
  mRewardbenchMethod,
  masterKeysMethod,
  mhaldetectFdpoMethod,
  mochaMethod,
  msrlMethod,
  multiRewardConditionEditingMethod,
  oneRewardMethod,
  palMethod,
  pathevalMethod,
  perceptionR1Method,
  raftMethod,
  reagentVMethod,
  rewardAnythingMethod,
  rewardbench2Method,
  rewardDanceMethod,
  rlGenaiSurveyMethod,
  rmR1Method,
  rpoLambdaHarmonicMethod,
  selmMethod,
  sgpRlMethod,
  temporalSelfRewardingMethod,
  toolrlMethod,
  unifiedRewardThinkMethod,
  unifiedRewardMethod,
  universeMethod,
  vicritMethod,
  vilbenchMethod,
  visionR1Method,
  visionSr1Method,
  visionPreferMethod,
  visualRftMethod,
  vlDacMethod,
  vlRewardbenchMethod,
  vladvaMethod,
  vlmR1Method,
  vlmRlMethod,
  vlmRmMethod,
].toSorted((a, b) => a.number - b.number)
