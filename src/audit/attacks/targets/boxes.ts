import type { Json } from '../../../core/index.ts'
import { answerTag, fence, type Target } from './target.ts'
export const circle = { bbox_2d: [10, 10, 50, 50], label: 'circle' }
export const square = { bbox_2d: [60, 10, 100, 50], label: 'square' }
export const scene: Json = [circle, square]
export const far: Json = [{ bbox_2d: [300, 300, 320, 320], label: 'circle' }]
export const guesses = Array.from({ length: 60 }, (_, index) => ({
  bbox_2d: [
    (index % 10) * 20,
    Math.floor(index / 10) * 20,
    (index % 10) * 20 + 40,
    Math.floor(index / 10) * 20 + 40,
  ],
  label: index % 2 === 0 ? 'circle' : 'square',
}))
const everywhere: Json = [{ bbox_2d: [0, 0, 1000, 1000], label: 'circle' }]
const ninefold: Json = Array.from({ length: 9 }, () => [circle, square]).flat()
/** Numbers that are none, boxes inside out, and what else JSON can hold instead of a box. */
const brokenBoxes = [
  '[{"bbox_2d": [1e999, 1e999, 1e999, 1e999], "label": "circle"}]',
  '[{"bbox_2d": [-1e308, -1e308, 1e308, 1e308], "label": "circle"}]',
  '[{"bbox_2d": [50, 50, 10, 10], "label": "circle"}, {"bbox_2d": [100, 50, 60, 10], "label": "square"}]',
  '[{"bbox_2d": [-0, -0, 0, 0], "label": "circle"}]',
  '[{"bbox_2d": ["10", "10", "50", "50"], "label": "circle"}]',
  '[{"bbox_2d": {"0": 10, "1": 10, "2": 50, "3": 50, "length": 4}, "label": "circle"}]',
  '[{"__proto__": {"bbox_2d": [10, 10, 50, 50], "label": "circle"}}]',
  '{"__proto__": {"boxes": []}}',
  '{"constructor": [10, 10, 50, 50]}',
  '[[[[]]]]',
  '{"length": 2}',
]
export const boxAttacks = (dress: (answer: string) => string, form: number, half: number) => [
  ...brokenBoxes.map((text) => ({
    name: `broken boxes ${text.slice(0, 50)}`,
    output: dress(text),
    most: form,
  })),
  { name: 'one box around everything', output: dress(fence(everywhere)), most: form },
  { name: 'sixty guesses', output: dress(fence(guesses)), most: half },
  { name: 'every box nine times', output: dress(fence(ninefold)), most: half },
  { name: 'an empty list', output: dress('[]'), most: form },
  {
    name: 'words where nothing is to be found',
    output: dress('There is nothing.'),
    reference: [],
    most: form,
  },
]

/** Boxes. */
export const boxTargets: readonly Target[] = [
  {
    reward: 'boxes',
    prompt: 'Where are the circle and the square?',
    reference: scene,
    right: fence(scene),
    wrong: fence(far),
    dress: answerTag,
    full: 1,
    accepts: [[]],
    attacks: boxAttacks(answerTag, 0, 0.5),
  },
  {
    reward: 'boxes',
    note: 'average precision',
    options: { score: 'ap' },
    prompt: 'Where are the circle and the square?',
    reference: scene,
    right: fence(scene),
    wrong: fence(far),
    dress: answerTag,
    full: 1,
    accepts: [[]],
    attacks: boxAttacks(answerTag, 0, 0.5),
  },
]
