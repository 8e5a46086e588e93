import { GuerdonError, type Rng } from '../../core/index.ts'
import { colours, shapes } from './attributes.ts'
import { boxesOf, boxListText, boxText } from './box-grammar.ts'
import { type CaptionStyle, captionOf } from './caption.ts'
import { countOf, type Noun, nounText } from './noun.ts'
import { drawQuestion, type QuestionForm, type QuestionKind, questionKinds } from './questions.ts'
import { drawReferringExpression, type ReferringExpression } from './referring.ts'
import type { Scene } from './scene.ts'

/** What can be asked of a model about an image, and the right answer: one line of training data. */
export interface Exchange {
  readonly task: ExchangeTask
  /** Without the <image> token. */
  readonly prompt: string
  readonly answer: string
}

/** A caption in a style that has a prompt, a detection list, one box, or a question. */
export type ExchangeTask = 'caption' | 'full caption' | 'detection' | 'referring' | QuestionKind

export const exchangeTasks: readonly ExchangeTask[] = [
  'caption',
  'full caption',
  'detection',
  'referring',
  ...questionKinds,
]

/** Two styles can be asked for: the short one and the one that describes every shape. */
export function captionPrompt(style: Extract<CaptionStyle, 'short' | 'full'> = 'short'): string {
  return style === 'short' ? 'describe the image.' : 'describe all shapes.'
}

/** "find all shapes.", "find all red circles." */
export function detectionPrompt(noun: Noun = {}): string {
  return `find all ${nounText(noun, true)}.`
}

/** "find the small circle." */
export function referringPrompt({ text }: Pick<ReferringExpression, 'text'>): string {
  return `find the ${text}.`
}

export interface ExchangeOptions {
  /** How often each task is drawn, in any unit; tasks left out are never drawn. @default all equally often */
  readonly tasks?: Readonly<Partial<Record<ExchangeTask, number>>>
  /** How often questions take each form. @default open only */
  readonly forms?: Readonly<Partial<Record<QuestionForm, number>>>
}

/**
 * One exchange about a scene. A task that the scene does not allow (a relation needs two objects) is drawn anew; of
 * an empty scene captions, detection, counts, colours, existence and background remain. Throws a `GuerdonError` when
 * none of the tasks fits in 50 draws.
 */
export function drawExchange(scene: Scene, rng: Rng, options: ExchangeOptions = {}): Exchange {
  const tasks = options.tasks ?? Object.fromEntries(exchangeTasks.map((task) => [task, 1]))
  const forms = options.forms ?? { open: 1 }
  for (let attempt = 0; attempt < 50; attempt++) {
    const exchange = exchangeOf(
      scene,
      weighted(tasks, rng) as ExchangeTask,
      weighted(forms, rng) as QuestionForm,
      rng,
    )
    if (exchange !== undefined) return exchange
  }
  throw new GuerdonError(
    'no-such-exchange',
    `The scene "${scene.id}" allows none of the tasks ${Object.keys(tasks).join(', ')}.`,
    {
      fix: 'Add tasks that any scene allows, such as "caption", or draw scenes with more objects.',
    },
  )
}

function exchangeOf(scene: Scene, task: ExchangeTask, form: QuestionForm, rng: Rng): Exchange | undefined {
  switch (task) {
    case 'caption':
      return { task, prompt: captionPrompt('short'), answer: captionOf(scene, rng, { style: 'short' }) }
    case 'full caption':
      return { task, prompt: captionPrompt('full'), answer: captionOf(scene, rng, { style: 'full' }) }
    case 'detection': {
      const noun = detectionNoun(scene, rng)
      return { task, prompt: detectionPrompt(noun), answer: boxListText(boxesOf(scene, noun), scene) }
    }
    case 'referring': {
      const expression = drawReferringExpression(scene, rng)
      return (
        expression && {
          task,
          prompt: referringPrompt(expression),
          answer: boxText(expression.object.box, scene),
        }
      )
    }
    default: {
      const question = drawQuestion(scene, task, rng, { form })
      return question && { task, prompt: question.text, answer: question.answer }
    }
  }
}

/** All shapes half of the time; else those of a colour, of a shape, or of one that is not there. */
function detectionNoun(scene: Scene, rng: Rng): Noun {
  if (scene.objects.length === 0 || rng.chance(0.5)) return {}
  const object = rng.pick(scene.objects)
  const absent = colours.filter((colour) => countOf(scene, { colour }) === 0)
  return rng.pick<Noun>([
    { colour: object.colour },
    { shape: object.shape },
    absent.length > 0 ? { colour: rng.pick(absent) } : { shape: rng.pick(shapes) },
  ])
}

function weighted(weights: Readonly<Record<string, number>>, rng: Rng): string {
  const entries = Object.entries(weights)
  let left = rng.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [name, weight] of entries) {
    left -= weight
    if (left < 0) return name
  }
  return entries.at(-1)![0]
}
