import type { Rng } from '../../core/index.ts'
import { boxText } from '../../worlds/scenes/box-grammar.ts'
import { type CaptionStyle, captionOf } from '../../worlds/scenes/caption.ts'
import { drawQuestion, type QuestionKind } from '../../worlds/scenes/questions.ts'
import { drawReferringExpression } from '../../worlds/scenes/referring.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'

/** A prompt about an image and the right answer. */
export interface SceneExchange {
  readonly prompt: string
  readonly answer: string
}

/** Prompts of the tasks that are no questions. */
export const scenePrompts = {
  short: 'describe the image.',
  full: 'describe all in the image.',
  find: (expression: string) => `find the ${expression}.`,
} as const

/** Weights of the tasks in training. */
export type SceneTasks = Readonly<Partial<Record<QuestionKind | 'short' | 'full' | 'find', number>>>

/** A random exchange about a scene; undefined where the drawn task does not apply. */
export function drawExchange(scene: Scene, tasks: SceneTasks, rng: Rng): SceneExchange | undefined {
  const task = drawTask(tasks, rng)
  switch (task) {
    case 'short':
    case 'full':
      return {
        prompt: scenePrompts[task],
        answer: captionOf(scene, rng, { style: task satisfies CaptionStyle }),
      }
    case 'find': {
      const found = drawReferringExpression(scene, rng)
      return found && { prompt: scenePrompts.find(found.text), answer: boxText(found.object.box, scene) }
    }
    default: {
      const question = drawQuestion(scene, task, rng)
      return question && { prompt: question.text, answer: question.answer }
    }
  }
}

function drawTask(tasks: SceneTasks, rng: Rng): keyof SceneTasks {
  const entries = Object.entries(tasks) as [keyof SceneTasks, number][]
  let left = rng.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [task, weight] of entries) {
    left -= weight
    if (left < 0) return task
  }
  return entries.at(-1)![0]
}
