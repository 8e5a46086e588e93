import type { LanguagePolicy } from '../../learn/policies/language-policy.ts'
import { averagePrecision } from '../../rewards/verifiable/boxes/average-precision.ts'
import { mean } from '../../stats/moments.ts'
import { boxesOf, type LabelledBox, parseBoxList } from '../../worlds/scenes/box-grammar.ts'
import { oracle } from '../../worlds/scenes/oracle.ts'
import type { AnsweredScene } from './scene-proof.ts'

export interface ConfidentBox extends LabelledBox {
  /** The geometric mean of the probabilities of its tokens, label and edges, in [0, 1]. */
  readonly confidence: number
}

/** The boxes of an answer in the grammar of the scenes, as sure as the policy was when it wrote them. */
export function confidentBoxes(
  policy: Pick<LanguagePolicy, 'encode' | 'decode'>,
  { task: { scene }, tokens, logp }: Pick<AnsweredScene, 'task' | 'tokens' | 'logp'>,
): readonly ConfidentBox[] {
  const [close] = policy.encode('</box>')
  const ends = tokens.flatMap((token, at) => (token === close ? [at + 1] : []))
  return ends.flatMap((end, index) => {
    const first = ends[index - 1] ?? 0
    const box = parseBoxList(policy.decode(tokens.slice(first, end)), scene).boxes.at(-1)
    return box === undefined ? [] : [{ ...box, confidence: Math.exp(mean(logp.slice(first, end))!) }]
  })
}

/** How well answers find the objects of their scenes; labels must be right. */
export interface DetectionQuality {
  /** Mean over labels, as COCO has it; boxes in the order of their confidence. `AP` is the mean over ten overlaps. */
  readonly AP: number
  readonly AP50: number
  readonly AP75: number
  /** Mean over scenes. */
  readonly 'F1 at 0.5': number
  readonly 'boxes per object': number
}

/** Of answers about scenes with objects. */
export function detectionQuality(
  policy: Pick<LanguagePolicy, 'encode' | 'decode'>,
  answers: readonly AnsweredScene[],
): DetectionQuality {
  const gold = answers.flatMap(({ task: { scene } }, image) =>
    boxesOf(scene).map((box) => ({ image, ...box })),
  )
  const found = answers.flatMap((answer, image) =>
    confidentBoxes(policy, answer).map(({ confidence, ...box }) => ({ image, ...box, score: confidence })),
  )
  const { ap, ap50, ap75 } = averagePrecision(gold, found)
  return {
    AP: ap!,
    AP50: ap50!,
    AP75: ap75!,
    'F1 at 0.5': mean(answers.map(({ task, text }) => oracle.boxes(task.scene, text).f1 ?? 0))!,
    'boxes per object': found.length / gold.length,
  }
}
