import { recordedType } from './recorded.ts'
import type { RewardType } from './reward-type.ts'
import { arithmetic } from './verifiable/arithmetic.ts'
import { bleu } from './verifiable/bleu.ts'
import { chairReward } from './verifiable/chair-reward.ts'
import { chartType } from './verifiable/chart.ts'
import { choice } from './verifiable/choice.ts'
import { code } from './verifiable/code.ts'
import { contains } from './verifiable/contains.ts'
import { boxes } from './verifiable/detection-reward.ts'
import { editDistance } from './verifiable/edit-distance-reward.ts'
import { exact } from './verifiable/exact.ts'
import { format } from './verifiable/format-reward.ts'
import { instructions } from './verifiable/instructions.ts'
import { javascriptTests } from './verifiable/javascript-tests.ts'
import { jsonSchema } from './verifiable/json-schema.ts'
import { json } from './verifiable/json-validity.ts'
import { length } from './verifiable/length.ts'
import { math } from './verifiable/math.ts'
import { numeric } from './verifiable/numeric.ts'
import { regex } from './verifiable/regex.ts'
import { repetition } from './verifiable/repetition.ts'
import { rouge } from './verifiable/rouge.ts'
import { svgType } from './verifiable/svg.ts'
import { toolCallsType } from './verifiable/tool-calls.ts'
import { yesNo } from './verifiable/yes-no.ts'

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
  toolCallsType,
  svgType,
  chartType,
  code,
  javascriptTests,
  editDistance,
  rouge,
  bleu,
  json,
  jsonSchema,
  instructions,
  recordedType,
  chairReward,
  yesNo,
]
