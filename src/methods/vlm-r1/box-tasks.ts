import type { Json, Rng } from '../../core/index.ts'
import { type SceneTask, thoughtAndAnswer } from '../../learn/tasks/scene-tasks.ts'
import { numberWords, type ObjectType } from '../../worlds/scenes/attributes.ts'
import {
  boxesOf,
  boxListJson,
  boxListText,
  boxText,
  type ImageSize,
  type LabelledBox,
  parseBoxList,
} from '../../worlds/scenes/box-grammar.ts'
import { detectionPrompt, referringPrompt } from '../../worlds/scenes/exchange.ts'
import { nounText, withArticle } from '../../worlds/scenes/noun.ts'
import type { Box, Scene } from '../../worlds/scenes/scene.ts'
import { commonTypes, heldOutTypes } from '../../worlds/scenes/scene-world.ts'
import type { SceneExample } from '../reproduce/scene-proof.ts'

// What the policy of the proof is asked for: all boxes of a picture with their names, or the one box of an object.

/** One or two large objects. */
export const detectionScenes = { objects: [1, 2], large: 1 } as const

export function detectionTask(scene: Scene): SceneTask {
  const reference = boxesOf(scene).map(({ label, box }) => ({ bbox_2d: [...box], label })) satisfies Json
  return { scene, prompt: detectionPrompt(), reference }
}

/**
 * Counts and answers the boxes, each of them right in a share `skill` of all cases and else a little beside; in a share
 * `surplus` with a second guess of one object at the end.
 */
export function thoughtfulDetection(
  scene: Scene,
  rng: Rng,
  { skill, surplus }: { readonly skill: number; readonly surplus: number },
): SceneExample {
  const guess = ({ label, box }: LabelledBox) => ({
    label,
    box: rng.chance(skill) ? box : beside(box, rng, scene),
  })
  const objects = boxesOf(scene)
  const boxes = [...objects, ...(rng.chance(surplus) ? [rng.pick(objects)] : [])].map(guess)
  const thought = numberWords[scene.objects.length]!
  return { ...detectionTask(scene), answer: thoughtAndAnswer(thought, boxListText(boxes, scene)) }
}

/** Shifted by up to a quarter of its size: still on the object, at a lower IoU. */
function beside(box: Box, rng: Rng, { width, height }: ImageSize): Box {
  const shift = (size: number, from: number, side: number) => {
    const most = Math.ceil(size / 4)
    return Math.min(side - size, Math.max(0, from + rng.int(-most, most + 1)))
  }
  const [across, down] = [box[2] - box[0], box[3] - box[1]]
  const [x, y] = [shift(across, box[0], width), shift(down, box[1], height)]
  return [x, y, x + across, y + down]
}

/** Detection lists as VLM-R1 reads them: JSON in a fence; what is unreadable stays. */
export function fencedBoxes(answer: string, size: ImageSize): string {
  const { boxes } = parseBoxList(answer, size)
  return boxes.length === 0 && answer !== 'none' ? answer : `\`\`\`json\n${boxListJson(boxes)}\n\`\`\``
}

/** Three objects of different pairs of colour and shape, the first of one of these types. */
export function referringScenes(types: readonly ObjectType[]) {
  return {
    objects: [3, 3] as const,
    chooseTypes: (rng: Rng) => {
      const first = rng.pick(types)
      const near = commonTypes.filter(
        ({ colour, shape }) => (colour === first.colour) !== (shape === first.shape),
      )
      return [first, ...rng.sample(near, 2)]
    },
  }
}

/** Pairs that the referring expressions of the training name: half of the common ones, every colour and shape among them. */
export const referredTypes: readonly ObjectType[] = commonTypes.filter((_, index) => index % 2 === 0)
/** Pairs that no training of any kind showed. */
export const unseenTypes = heldOutTypes

/** Asks for the first object, by colour and shape. */
export function referringTask(scene: Scene): SceneTask {
  const { colour, shape, box } = scene.objects[0]!
  return { scene, prompt: referringPrompt({ text: nounText({ colour, shape }) }), reference: [...box] }
}

/** Says what it looks for and answers its box, right in a share of all cases and else that of another object. */
export function thoughtfulReferring(scene: Scene, rng: Rng, skill: number): SceneExample {
  const [first, ...others] = scene.objects
  const { size, colour, shape } = first!
  const { box } = rng.chance(skill) ? first! : rng.pick(others)
  const thought = withArticle(nounText({ size, colour, shape }))
  return { ...referringTask(scene), answer: thoughtAndAnswer(thought, boxText(box, scene)) }
}

/** A single box as VLM-R1 reads it: JSON with whole pixels; what is unreadable stays. */
export function boxJson(answer: string, size: ImageSize): string {
  const [first] = parseBoxList(answer, size).boxes
  return first ? `{"bbox_2d": [${first.box.join(', ')}]}` : answer
}
