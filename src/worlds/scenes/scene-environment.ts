import { GuerdonError, type Part, Rng } from '../../core/index.ts'
import {
  checkIndex,
  type Environment,
  type EnvironmentTask,
  type OpenOptions,
  type Session,
  type Split,
  splitNamed,
} from '../environment.ts'
import { oracle } from './oracle.ts'
import { encodePng } from './png.ts'
import { drawQuestion, type Question, type QuestionKind, questionKinds } from './questions.ts'
import { type Pixels, renderScene } from './raster.ts'
import { crowd, type Scene } from './scene.ts'
import { sceneWorld } from './scene-world.ts'

export interface SceneEnvironmentOptions {
  /** @default all kinds */
  readonly kinds?: readonly QuestionKind[]
  /** Uses of tools in an episode at most, the answer included. @default 8 */
  readonly stepLimit?: number
  /** Taken off the reward of a right answer for every look before it. @default 0 */
  readonly lookCost?: number
}

/**
 * Questions about crowded scenes: `look` shows the whole image at half its size, `zoom` a part of it enlarged, `answer`
 * ends the episode and pays 1 for the right answer, 0 for a wrong one. Images come as PNG.
 */
export function sceneEnvironment(options: SceneEnvironmentOptions = {}): Environment {
  const { kinds = questionKinds, stepLimit = 8, lookCost = 0 } = options
  const splits: readonly Split[] = [
    { name: 'train', type: 'train', tasks: 100_000 },
    { name: 'test', type: 'test', tasks: 10_000 },
    { name: 'composition', type: 'test', tasks: 10_000 },
  ]
  const taskOf = (split: string, index: number) => {
    checkIndex(splitNamed(splits, split), index)
    return sceneQuestion(split as 'train', index, kinds)
  }
  return {
    name: 'scene-questions',
    summary: 'Answer a question about an image, looking and zooming first.',
    version: '1',
    splits,
    tools: [
      {
        name: 'look',
        description: 'Shows the whole image, small.',
        input: { type: 'object', properties: {}, additionalProperties: false },
      },
      {
        name: 'zoom',
        description: `Shows a part of the image enlarged. Coordinates are pixels of the whole image, 0 to ${crowd.width}.`,
        input: {
          type: 'object',
          properties: Object.fromEntries(
            ['x1', 'y1', 'x2', 'y2'].map((name) => [
              name,
              { type: 'integer', minimum: 0, maximum: crowd.width },
            ]),
          ),
          required: ['x1', 'y1', 'x2', 'y2'],
          additionalProperties: false,
        },
      },
      {
        name: 'answer',
        description: 'Answers the question and ends the episode.',
        input: {
          type: 'object',
          properties: { text: { type: 'string' } },
          required: ['text'],
          additionalProperties: false,
        },
      },
    ],
    textTool: { tool: 'answer', argument: 'text', answers: true },
    finalReward: 'last',
    rewardRange: [0, 1],
    rewardParts: ['correct', 'looks'],
    task: (split, index) => {
      const { question } = taskOf(split, index)
      return { split, index, question: question.text, kind: question.kind }
    },
    open: async (task, open) => openScene(task, taskOf(task.split, task.index), stepLimit, lookCost, open),
  }
}

/** The scene and the question of a task: for oracles and tests. */
export function sceneQuestion(
  split: 'train' | 'test' | 'composition',
  index: number,
  kinds: readonly QuestionKind[] = questionKinds,
): { readonly scene: Scene; readonly question: Question } {
  const rng = new Rng(`scene-questions/${split}/${index}`)
  const scene = sceneWorld({ ...crowd, split, seed: 'scene-questions' }).scene(index)
  for (const kind of rng.shuffled(kinds)) {
    const question = drawQuestion(scene, kind, rng)
    if (question !== undefined) return { scene, question }
  }
  throw new GuerdonError(
    'no-such-question',
    `the scene "${scene.id}" allows no question of ${kinds.join(', ')}.`,
    {
      fix: 'Add a kind that every scene allows, such as "count".',
    },
  )
}

function openScene(
  task: EnvironmentTask,
  { scene, question }: ReturnType<typeof sceneQuestion>,
  stepLimit: number,
  lookCost: number,
  _options?: OpenOptions,
): Session {
  const pixels = renderScene(scene)
  let looks = 0
  let isOver = false
  const image = (shown: Pixels): Part => ({
    type: 'image',
    image: { bytes: encodePng(shown), mediaType: 'image/png' },
  })
  const seen = (content: readonly Part[], problem?: string) => {
    const truncated = ++looks >= stepLimit
    isOver = truncated
    return {
      content,
      reward: null,
      terminated: false,
      truncated,
      parts: { correct: null, looks },
      ...(problem === undefined ? {} : { problem }),
    }
  }
  return {
    task,
    prompt: async () => [{ type: 'text', text: question.text }],
    act: async ({ tool, input }) => {
      if (isOver)
        throw new GuerdonError('episode-over', 'the question was answered.', {
          fix: 'Start another episode.',
        })
      if (tool === 'look') return seen([image(halved(pixels))])
      if (tool === 'zoom') {
        const [x1, y1, x2, y2] = [input.x1, input.y1, input.x2, input.y2].map(Number) as [
          number,
          number,
          number,
          number,
        ]
        if (x2 - x1 < 2 || y2 - y1 < 2 || x2 > scene.width || y2 > scene.height) {
          const problem = 'x2 and y2 must be at least 2 above x1 and y1, and inside the image.'
          return seen([{ type: 'text', text: problem }], problem)
        }
        return seen([image(enlarged(pixels, x1, y1, x2, y2))])
      }
      isOver = true
      const { correct } = oracle.answer(scene, question.text, String(input.text))
      return {
        content: [{ type: 'text', text: correct ? 'Right.' : 'Wrong.' }],
        reward: correct ? Math.max(0, 1 - lookCost * looks) : 0,
        terminated: true,
        truncated: false,
        parts: { correct: Number(correct === true), looks },
      }
    },
    state: () => ({ looks, isOver, answer: question.answer, question: question.text, scene: scene.id }),
    close: async () => {},
  }
}

/** Mean of every two by two pixels. */
function halved({ width, height, data }: Pixels): Pixels {
  const [half, rows] = [width >> 1, height >> 1]
  const small = new Uint8Array(half * rows * 3)
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < half; x++)
      for (let channel = 0; channel < 3; channel++) {
        const at = (row: number, column: number) =>
          data[((2 * y + row) * width + 2 * x + column) * 3 + channel]!
        small[(y * half + x) * 3 + channel] = Math.round((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4)
      }
  return { width: half, height: rows, data: small }
}

const zoom = 4

/** A part of the image, every pixel as a block of four by four. */
function enlarged({ width, data }: Pixels, x1: number, y1: number, x2: number, y2: number): Pixels {
  const size = { width: (x2 - x1) * zoom, height: (y2 - y1) * zoom }
  const large = new Uint8Array(size.width * size.height * 3)
  for (let y = 0; y < size.height; y++)
    for (let x = 0; x < size.width; x++) {
      const from = ((y1 + Math.floor(y / zoom)) * width + x1 + Math.floor(x / zoom)) * 3
      large.set(data.subarray(from, from + 3), (y * size.width + x) * 3)
    }
  return { ...size, data: large }
}
