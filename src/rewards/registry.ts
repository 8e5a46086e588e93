import { similarity } from './embedding/similarity.ts'
import { likelihood } from './judge/likelihood.ts'
import { judge } from './judge/own-judge.ts'
import { rewardModel } from './learned/reward-model.ts'
import { recorded } from './recorded.ts'
import type { RewardType } from './reward-type.ts'
import { arithmetic } from './verifiable/answers/arithmetic.ts'
import { choice } from './verifiable/answers/choice.ts'
import { contains } from './verifiable/answers/contains.ts'
import { exact } from './verifiable/answers/exact.ts'
import { math } from './verifiable/answers/math.ts'
import { numeric } from './verifiable/answers/numeric.ts'
import { regex } from './verifiable/answers/regex.ts'
import { boxes } from './verifiable/boxes/detection-reward.ts'
import { toolCalls } from './verifiable/calls/tool-calls.ts'
import { code } from './verifiable/code/code.ts'
import { javascriptTests } from './verifiable/code/javascript-tests.ts'
import { jsonSchema } from './verifiable/code/json-schema.ts'
import { json } from './verifiable/code/json-validity.ts'
import { format } from './verifiable/extract/format-reward.ts'
import { chart } from './verifiable/graphics/chart.ts'
import { svg } from './verifiable/graphics/svg.ts'
import { bleu } from './verifiable/text/bleu.ts'
import { chair } from './verifiable/text/chair-reward.ts'
import { editDistance } from './verifiable/text/edit-distance-reward.ts'
import { instructions } from './verifiable/text/instructions.ts'
import { length } from './verifiable/text/length.ts'
import { repetition } from './verifiable/text/repetition.ts'
import { rouge } from './verifiable/text/rouge.ts'
import { yesNo } from './verifiable/text/yes-no.ts'

/** Every reward that goes by a plain name. Published systems join by their method (`methods/registry.ts`). */
export const rewardTypes: readonly RewardType[] = [
  arithmetic,
  choice,
  contains,
  exact,
  format,
  math,
  numeric,
  regex,
  boxes,
  length,
  repetition,
  toolCalls,
  svg,
  chart,
  code,
  javascriptTests,
  editDistance,
  rouge,
  bleu,
  json,
  jsonSchema,
  instructions,
  recorded,
  chair,
  yesNo,
  similarity,
  judge,
  likelihood,
  rewardModel,
]
