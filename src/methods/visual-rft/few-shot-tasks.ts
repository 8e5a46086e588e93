import type { Json, Rng } from '../../core/index.ts'
import { type SceneTask, thoughtAndAnswer } from '../../learn/tasks/scene-tasks.ts'
import {
  type Colour,
  numberWords,
  type ObjectType,
  type Shape,
  sizes,
} from '../../worlds/scenes/attributes.ts'
import { detectionPrompt } from '../../worlds/scenes/exchange.ts'
import { countOf, matching, nounText, withArticle } from '../../worlds/scenes/noun.ts'
import type { Box, Scene } from '../../worlds/scenes/scene.ts'
import { commonTypes, sceneWorld } from '../../worlds/scenes/scene-world.ts'
import type { SceneExample } from '../reproduce/scene-proof.ts'
import { statedBoxesText } from './stated-boxes.ts'

// What few images are there of: classes of single objects, and two kinds of object to find among others.

const types: readonly ObjectType[] = (['circle', 'square', 'star', 'cross'] satisfies Shape[]).flatMap(
  (shape) => (['red', 'green', 'blue'] satisfies Colour[]).map((colour) => ({ colour, shape })),
)

/** Names of the classes: words that say nothing of what they stand for, one for each shape, colour and size. */
const names = (
  'moves stays stops grows shrinks up down first then last does do ok calm busy looks wrong near mark outline ' +
  'segment depth show else'
).split(' ')

export const classCount = types.length * sizes.length

/** Worlds of one object of the classes: clean, as the start knows them, and under noise. */
export const cleanScenes = { objects: [1, 1], types } as const
export const classScenes = { ...cleanScenes, noise: 60 } as const

/** "grows" */
export function className({ objects: [object] }: Scene): string {
  const { size, colour, shape } = object!
  const type = types.findIndex((other) => other.colour === colour && other.shape === shape)
  return names[type * sizes.length + sizes.indexOf(size)]!
}

export function classTask(scene: Scene): SceneTask {
  return { scene, prompt: 'what is in the image?', reference: className(scene) }
}

/** Describes what is there and answers its name, or in the rest any name. */
export function thoughtfulClass(scene: Scene, rng: Rng, skill: number): SceneExample {
  const { size, colour, shape } = scene.objects[0]!
  const answered = rng.chance(skill) ? className(scene) : rng.pick(names)
  const thought = withArticle(nounText({ size, colour, shape }))
  return { ...classTask(scene), answer: thoughtAndAnswer(thought, answered) }
}

/** `shots` scenes of each class. */
export function fewClassScenes(seed: string, shots: number): readonly Scene[] {
  const world = sceneWorld({ ...classScenes, seed })
  const seen = new Map<string, number>()
  const chosen: Scene[] = []
  for (let index = 0; chosen.length < shots * classCount; index++) {
    const scene = world.scene(index)
    const before = seen.get(className(scene)) ?? 0
    if (before === shots) continue
    seen.set(className(scene), before + 1)
    chosen.push(scene)
  }
  return chosen
}

/** The two kinds that few images show: pairs of colour and shape that no other scene has. */
export const rareTypes: readonly ObjectType[] = [
  { colour: 'red', shape: 'cross' },
  { colour: 'blue', shape: 'star' },
]

/** Worlds of two or three large objects, one of a wanted type at least. */
export function detectionScenes(wanted: readonly ObjectType[]) {
  return {
    objects: [2, 3] as const,
    large: 1,
    chooseTypes: (rng: Rng, count: number) => {
      const type = rng.pick(wanted)
      const others = Array.from({ length: count - 1 }, () => (rng.chance(0.4) ? type : rng.pick(commonTypes)))
      return [type, ...others]
    },
  }
}

/** Asks for the objects of the first object's type. */
export function detectionTask(scene: Scene): SceneTask {
  const { colour, shape } = scene.objects[0]!
  const noun = { colour, shape }
  const reference = matching(scene, noun).map(({ box }) => [...box]) satisfies Json
  return { scene, prompt: detectionPrompt(noun), reference }
}

/**
 * Thinks of how many there are and answers their boxes, each right or shifted beyond recognition, and a confidence that
 * says nothing.
 */
export function thoughtfulBoxes(scene: Scene, rng: Rng, skill: number): SceneExample {
  const task = detectionTask(scene)
  const { colour, shape } = scene.objects[0]!
  const boxes = matching(scene, { colour, shape }).map(({ box }) => ({
    box: rng.chance(skill) ? box : shifted(box, rng, scene.width),
    confidence: rng.int(0, 11) / 10,
  }))
  const thought = numberWords[countOf(scene, { colour, shape })]!
  return { ...task, answer: thoughtAndAnswer(thought, statedBoxesText(boxes, scene)) }
}

/** A box of the same size at another place. */
function shifted([x1, y1, x2, y2]: Box, rng: Rng, side: number): Box {
  const [width, height] = [x2 - x1, y2 - y1]
  const [x, y] = [rng.int(0, side - width + 1), rng.int(0, side - height + 1)]
  return [x, y, x + width, y + height]
}
