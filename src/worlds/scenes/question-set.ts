import { GuerdonError, Rng } from '../../core/index.ts'
import { drawQuestion, type Question, type QuestionForm, type QuestionKind } from './questions.ts'
import type { Scene } from './scene.ts'
import type { SceneWorld } from './scene-world.ts'

export interface SceneQuestion {
  readonly scene: Scene
  readonly question: Question
}

export interface QuestionSetOptions {
  readonly kind: QuestionKind
  /** @default 'open' */
  readonly form?: QuestionForm
  readonly count: number
  /**
   * The answers and how often each is to be right, in any unit: equal weights balance them, others plant a prior
   * that a model can learn without looking (`{ yes: 0.9, no: 0.1 }`). @default every answer equally often
   */
  readonly answers?: Readonly<Record<string, number>>
  /** @default 0 */
  readonly seed?: string | number
  /** Number of the first scene that may be used. @default 0 */
  readonly first?: number
}

/**
 * Questions of one kind, each about a scene of its own, with the answers in the wanted proportions: exactly, up to
 * rounding (largest remainders), in random order. Without `answers` the proportions follow from drawing an answer for
 * each scene, which balances yes and no, letters, colours, shapes, sizes and backgrounds; counts follow the scenes.
 *
 * Throws a `GuerdonError` when 4,000 scenes in a row allow no question with the wanted answer.
 */
export function questionSet(world: SceneWorld, options: QuestionSetOptions): SceneQuestion[] {
  const { kind, form = 'open', count, answers, seed = 0, first = 0 } = options
  const rng = new Rng(`questions/${seed}/${kind}/${form}`)
  const wanted: readonly (string | undefined)[] =
    answers === undefined ? new Array(count).fill(undefined) : rng.shuffled(apportioned(answers, count))
  let next = first
  return wanted.map((answer) => {
    for (const last = next + 4000; next < last; ) {
      const scene = world.scene(next++)
      const question = drawQuestion(scene, kind, rng.fork(scene.id), {
        form,
        ...(answer === undefined ? {} : { answer }),
      })
      if (question !== undefined) return { scene, question }
    }
    throw new GuerdonError(
      'no-such-question',
      `No scene allows a question of kind "${kind}" (${form})${answer === undefined ? '' : ` with the answer "${answer}"`}.`,
      { fix: 'Take answers that this kind can have, or a world with other object counts.' },
    )
  })
}

function apportioned(weights: Readonly<Record<string, number>>, count: number): string[] {
  const entries = Object.entries(weights)
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
  const shares = entries.map(([answer, weight]) => {
    const exact = (weight / total) * count
    return { answer, whole: Math.floor(exact), rest: exact - Math.floor(exact) }
  })
  const missing = count - shares.reduce((sum, { whole }) => sum + whole, 0)
  const favoured = new Set([...shares].sort((a, b) => b.rest - a.rest).slice(0, missing))
  return shares.flatMap((share) =>
    new Array<string>(share.whole + (favoured.has(share) ? 1 : 0)).fill(share.answer),
  )
}
