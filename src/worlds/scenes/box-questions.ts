import type { Rng } from '../../core/index.ts'
import { boxText } from './box-grammar.ts'
import { referringPrompt } from './exchange.ts'
import { intersectionOverUnion } from './oracle.ts'
import { choiceLetters, type QuestionForm } from './questions.ts'
import { drawReferringExpression, type ReferringExpression } from './referring.ts'
import type { Box, Scene } from './scene.ts'

export interface BoxQuestion {
  readonly form: QuestionForm
  readonly text: string
  /** The box as tokens, a letter, or yes or no. */
  readonly answer: string
  readonly expression: ReferringExpression
  /** Of a multiple choice the boxes of A, B, C and D; of the binary form the one proposed. */
  readonly boxes: readonly Box[]
}

/** A proposed box is wrong when it overlaps the right one less than this (IoU). */
const leastRight = 0.3

/**
 * Where one object is, in the three forms of other questions: "find the red circle.", "where is the red circle?
 * A: <box>... B: ..." or "is the red circle at <box>...?" Wrong boxes are of the right size elsewhere, or other
 * objects' own. undefined where no object can be told from the others, or where no box misses it.
 */
export function drawBoxQuestion(
  scene: Scene,
  rng: Rng,
  form: QuestionForm = 'open',
): BoxQuestion | undefined {
  const expression = drawReferringExpression(scene, rng)
  if (expression === undefined) return undefined
  const { box } = expression.object
  if (form === 'open')
    return { form, text: referringPrompt(expression), answer: boxText(box, scene), expression, boxes: [] }
  if (form === 'binary') {
    const isRight = rng.chance(0.5)
    const shown = isRight ? box : wrongBoxes(scene, box, 1, rng)[0]
    if (shown === undefined) return undefined
    const text = `is the ${expression.text} at ${boxText(shown, scene)}?`
    return { form, text, answer: isRight ? 'yes' : 'no', expression, boxes: [shown] }
  }
  const right = rng.int(0, choiceLetters.length)
  const boxes = wrongBoxes(scene, box, choiceLetters.length - 1, rng).toSpliced(right, 0, box)
  if (boxes.length < choiceLetters.length) return undefined
  const listed = boxes.map((shown, index) => `${choiceLetters[index]}: ${boxText(shown, scene)}`).join(' ')
  const text = `where is the ${expression.text}? ${listed}`
  return { form, text, answer: choiceLetters[right]!, expression, boxes }
}

/**
 * Different boxes that miss the right one: other objects' first, then its size at random places. Fewer than `count`
 * where the object fills so much of the image that nothing misses it.
 */
function wrongBoxes(scene: Scene, right: Box, count: number, rng: Rng): Box[] {
  const misses = (box: Box) => intersectionOverUnion(box, right) < leastRight
  const others = rng.shuffled(scene.objects.map(({ box }) => box).filter(misses))
  const wrong = others.slice(0, count)
  const [width, height] = [right[2] - right[0], right[3] - right[1]]
  for (let attempt = 0; wrong.length < count && attempt < 500; attempt++) {
    const x = rng.int(0, scene.width - width + 1)
    const y = rng.int(0, scene.height - height + 1)
    const box: Box = [x, y, x + width, y + height]
    if (misses(box) && wrong.every((other) => other.join() !== box.join())) wrong.push(box)
  }
  return rng.shuffled(wrong)
}
