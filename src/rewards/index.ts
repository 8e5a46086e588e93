// Rewards by name, and the parts that they are made of, each usable on its own.
export type { Embedder } from '../models/embedder.ts'
export * from './combine/index.ts'
export * from './convert.ts'
// Embeddings.
export { calibrate } from './embedding/calibrate.ts'
export { type ContrastingGoalOptions, contrastingGoal } from './embedding/contrasting-goal.ts'
export {
  defineEmbeddingReward,
  type EmbeddingRewardDefinition,
  type Embeddings,
} from './embedding/embedding-reward.ts'
export { type GoalBaselineOptions, goalBaseline } from './embedding/goal-baseline.ts'
export { similarity } from './embedding/similarity.ts'
export { parseRewardExpression } from './expression.ts'
export { type IsolatedReward, type IsolateOptions, isolate } from './isolate.ts'
// Judges.
export * from './judge/index.ts'
export { recorded } from './recorded.ts'
export { rewardTypes } from './registry.ts'
export type { ModuleExport, ModuleReward, RewardReference } from './reward-reference.ts'
export { defineRewardType, type RewardExample, type RewardType } from './reward-type.ts'

// Answers.
export { type AnswerPlace, answerAt, answersEqual } from './verifiable/answers/answer.ts'
export { arithmetic, arithmeticValue, reachesTarget } from './verifiable/answers/arithmetic.ts'
export { choice } from './verifiable/answers/choice.ts'
export { contains, containsWords } from './verifiable/answers/contains.ts'
export { exact } from './verifiable/answers/exact.ts'
export { grade } from './verifiable/answers/grade.ts'
export { math } from './verifiable/answers/math.ts'
export { mathEqual } from './verifiable/answers/math-equality.ts'
export { numeric } from './verifiable/answers/numeric.ts'
export { regex } from './verifiable/answers/regex.ts'
// Boxes.
export * from './verifiable/boxes/average-precision.ts'
export * from './verifiable/boxes/boxes.ts'
export { detectionsFromCoco, goldFromCoco } from './verifiable/boxes/coco-format.ts'
export * from './verifiable/boxes/detection.ts'
export { boxes } from './verifiable/boxes/detection-reward.ts'
export { cheapestAssignment } from './verifiable/boxes/hungarian.ts'
export { type MatchOptions, match } from './verifiable/boxes/match.ts'
// Tool calls.
export { parseCallStrings } from './verifiable/calls/call-strings.ts'
export { parseToolCalls } from './verifiable/calls/tool-call-parsing.ts'
export { callAgreement, toolCalls } from './verifiable/calls/tool-calls.ts'
// Code and JSON.
export { code } from './verifiable/code/code.ts'
export { javascriptTests } from './verifiable/code/javascript-tests.ts'
export { jsonSchema } from './verifiable/code/json-schema.ts'
export { json } from './verifiable/code/json-validity.ts'
export { runInSandbox, type SandboxOptions, type SandboxRun } from './verifiable/code/sandbox.ts'
// Reading outputs.
export * from './verifiable/extract/extract.ts'
export { checkFormat, type FormatBlock, type FormatSpec, formatScore } from './verifiable/extract/format.ts'
export { format } from './verifiable/extract/format-reward.ts'
// Pictures written as code.
export { chart } from './verifiable/graphics/chart.ts'
export { chartRecord } from './verifiable/graphics/chart-record.ts'
export { rasterSimilarity } from './verifiable/graphics/raster.ts'
export { svg } from './verifiable/graphics/svg.ts'
export { extractSvg } from './verifiable/graphics/svg-document.ts'

// Masks.
export { type LabelledMask, type MaskList, readMaskList } from './verifiable/masks/mask-list.ts'
export { type MaskOutline, maskOutline } from './verifiable/masks/mask-outline.ts'
export { compressedCounts, runLengths } from './verifiable/masks/run-length.ts'
// Text.
export { bleu, corpusBleu } from './verifiable/text/bleu.ts'
export { chair } from './verifiable/text/chair-reward.ts'
export { levenshtein, levenshteinRatio, levenshteinSimilarity } from './verifiable/text/edit-distance.ts'
export { editDistance } from './verifiable/text/edit-distance-reward.ts'
export { followedInstructions, instructionAccuracy, instructions } from './verifiable/text/instructions.ts'
export { jaccard, multisetJaccard } from './verifiable/text/jaccard.ts'
export { cosineLength, length, lengthWithin, overlongPenalty } from './verifiable/text/length.ts'
export { type ObjectLexicon, objectLexicon } from './verifiable/text/object-lexicon.ts'
export { extractObjects } from './verifiable/text/object-mentions.ts'
export { duplicateShare, ngramPenalty, repetition } from './verifiable/text/repetition.ts'
export { rouge, rougeL, rougeN } from './verifiable/text/rouge.ts'
export { parseVerdict, yesNo } from './verifiable/text/yes-no.ts'
