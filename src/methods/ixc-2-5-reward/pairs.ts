import { type Preference, Rng, type Sample } from '../../core/index.ts'
import {
  captionOf,
  captionSample,
  corruptCaption,
  corruptionTypes,
  drawQuestion,
  oracle,
  type Question,
  type QuestionKind,
  questionSample,
  type Scene,
} from '../../worlds/scenes/index.ts'

/** Kinds of question with a short answer that the picture alone tells. */
const kinds: readonly QuestionKind[] = ['existence', 'count', 'colour', 'shape', 'size', 'place', 'related']

export interface AskedScene {
  readonly scene: Scene
  readonly question: Question
}

/** A question about a scene; kinds that the scene does not allow are passed over. */
export function askedScene(scene: Scene, rng: Rng): AskedScene {
  for (const kind of [...rng.shuffled(kinds), 'count' as const]) {
    const question = drawQuestion(scene, kind, rng)
    if (question !== undefined) return { scene, question }
  }
  throw new TypeError('every scene can be counted')
}

/** Whether an answer is right, by the scene. */
export function isRight({ scene, question }: AskedScene, answer: string): boolean {
  return oracle.answer(scene, question.text, answer).correct === true
}

/** A wrong answer of the same kind, as it would be right of another scene; undefined where none was found. */
export function wrongAnswer(asked: AskedScene, others: readonly AskedScene[], rng: Rng): string | undefined {
  const answers = others.flatMap(({ question }) =>
    question.kind === asked.question.kind && !isRight(asked, question.answer) ? [question.answer] : [],
  )
  return answers.length === 0 ? undefined : rng.pick(answers)
}

/** Right against wrong answers to questions. */
export function questionPairs(scenes: readonly Scene[], seed: string): Preference[] {
  const rng = new Rng(`${seed}/questions`)
  const asked = scenes.map((scene) => askedScene(scene, rng.fork(scene.id)))
  return asked.flatMap((one) => {
    const wrong = wrongAnswer(one, asked, rng.fork(`wrong ${one.scene.id}`))
    return wrong === undefined
      ? []
      : [pairOf(questionSample(one, ''), one.question.answer, wrong, 'question')]
  })
}

/** True captions against the same with one hallucination. */
export function captionPairs(scenes: readonly Scene[], seed: string): Preference[] {
  return scenes.flatMap((scene) => {
    const rng = new Rng(`${seed}/captions/${scene.id}`)
    const caption = captionOf(scene, rng, { style: rng.pick(['short', 'full'] as const) })
    const wrong = hallucinated(scene, caption, rng)
    return wrong === undefined ? [] : [pairOf(captionSample(scene, ''), caption, wrong, 'caption')]
  })
}

/** A caption with one false claim; undefined of one that has nothing to be false about. */
export function hallucinated(scene: Scene, caption: string, rng: Rng): string | undefined {
  for (const type of rng.shuffled(corruptionTypes)) {
    const corruption = corruptCaption(scene, caption, type, rng)
    if (corruption !== undefined) return corruption.text
  }
  return undefined
}

/** What a judge prefers who likes detail: long captions against short ones, both true. */
export function detailPairs(scenes: readonly Scene[], seed: string): Preference[] {
  return scenes.map((scene) => {
    const rng = new Rng(`${seed}/detail/${scene.id}`)
    const [full, short] = [captionOf(scene, rng, { style: 'full' }), captionOf(scene, rng)]
    return pairOf(captionSample(scene, ''), full, short, 'detail')
  })
}

function pairOf({ id, prompt }: Sample, chosen: string, rejected: string, source: string): Preference {
  return { id: `${source} ${id}`, prompt, chosen, rejected, meta: { source } }
}
