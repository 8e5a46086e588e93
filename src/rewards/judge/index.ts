// Judges: models as rewards of single outputs, of pairs and of lists.
export { type Opponent, rewardAgainst } from './against.ts'
export { type AnchorOptions, anchorReward } from './anchors.ts'
export {
  type Asking,
  byProbability,
  byReply,
  type ProbabilityOptions,
  type Reading,
  type ReplyOptions,
  type ReplyReader,
} from './asking.ts'
export { constantModel } from './constant-model.ts'
export {
  type ContextComparatorOptions,
  contextComparator,
  type WeightedContext,
} from './context-comparator.ts'
export { type Criterion, type CriterionOf, criterionFromMeta } from './criterion.ts'
export { type DimensionsOptions, dimensionsComparator } from './dimensions.ts'
export { type Fence, fenceCode, fenceMarks, fenceNote, withoutControlTokens } from './fence.ts'
export { uniformIndices } from './frame-sampling.ts'
export type { JudgeOptions } from './judge.ts'
export {
  type JudgePrompt,
  type Material,
  promptOf,
  type Query,
  type QueryMessage,
  renderQuery,
} from './judge-prompt.ts'
export { likelihood } from './likelihood.ts'
export { type ListJudgeOptions, listJudge, maskedName } from './list-judge.ts'
export { namedModel } from './named-model.ts'
export { type OrderPolicy, type SlotReport, slotReport } from './order.ts'
export { judge } from './own-judge.ts'
export { type PairJudgeOptions, pairJudge, pairOf } from './pair-judge.ts'
export { type PointJudgeOptions, type PointVerdict, pointJudge } from './point-judge.ts'
export {
  type ProgressExample,
  type ProgressJudge,
  type ProgressJudgeOptions,
  type ProgressValues,
  progressJudge,
} from './progress-judge.ts'
export { listReader, preferenceReader, scoreReader, yesNoReader } from './readers.ts'
export { type SelfCheck, type SelfCheckOptions, selfCheck } from './self-check.ts'
export { type StepJudgeOptions, stepJudge, stepsOf } from './step-judge.ts'
export * from './verdict.ts'
export { type Voted, type VoteRule, voteK } from './vote.ts'
