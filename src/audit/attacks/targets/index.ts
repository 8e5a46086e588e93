import { answerTargets } from './answers.ts'
import { boxTargets } from './boxes.ts'
import { callTargets } from './calls.ts'
import { codeTargets } from './code.ts'
import { detectionTargets } from './detection.ts'
import { graphicsTargets } from './graphics.ts'
import type { Target } from './target.ts'
import { textTargets } from './texts.ts'
import { verdictTargets } from './verdicts.ts'
import { visualAnswerTargets } from './visual-answers.ts'

/** Every verifiable reward as an attacker meets it, guarded where it has variants. A new reward joins by an entry in one of these lists. */
export const attackTargets: readonly Target[] = [
  ...answerTargets,
  ...boxTargets,
  ...detectionTargets,
  ...callTargets,
  ...graphicsTargets,
  ...codeTargets,
  ...textTargets,
  ...verdictTargets,
  ...visualAnswerTargets,
]
