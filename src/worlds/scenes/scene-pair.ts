import type { Rng } from '../../core/index.ts'
import { colours, objectTypes, shapes } from './attributes.ts'
import { type CaptionOptions, captionOf } from './caption.ts'
import { parseCaption } from './caption-parser.ts'
import { isTrue } from './claims.ts'
import { nounText, withArticle } from './noun.ts'
import { distinguishingNoun } from './referring.ts'
import { drawScene, type Scene, type SceneObject } from './scene.ts'
import { shapeTemplate } from './shape-template.ts'

/**
 * - `colour`, `shape`: of one object
 * - `swap`: two objects of different colours exchange them
 * - `removal`: of one object
 */
export const alterations = ['colour', 'shape', 'swap', 'removal'] as const
export type Alteration = (typeof alterations)[number]

/** The scene with one thing changed; undefined where it has nothing of that kind to change. */
export function alteredScene(scene: Scene, alteration: Alteration, rng: Rng): Scene | undefined {
  const { objects } = scene
  if (objects.length === 0) return undefined
  const index = rng.int(0, objects.length)
  const object = objects[index]!
  const id = `${scene.id}/${alteration}`
  const replaced = (changes: ReadonlyMap<number, SceneObject>): Scene => ({
    ...scene,
    id,
    objects: objects.map((old, at) => changes.get(at) ?? old),
  })
  switch (alteration) {
    case 'colour': {
      const colour = rng.pick(colours.filter((other) => other !== object.colour))
      return replaced(new Map([[index, painted(object, colour, rng)]]))
    }
    case 'shape': {
      // Within the old box, so that the new shape cannot touch a neighbour.
      const shape = rng.pick(shapes.filter((other) => other !== object.shape))
      const [x, y] = object.box
      let { diameter } = object
      let template = shapeTemplate(shape, diameter)
      while (template.width > object.box[2] - x || template.height > object.box[3] - y)
        template = shapeTemplate(shape, --diameter)
      const box = [x, y, x + template.width, y + template.height] as const
      return replaced(new Map([[index, { ...object, shape, diameter, box }]]))
    }
    case 'swap': {
      const others = objects.flatMap((other, at) => (other.colour === object.colour ? [] : [at]))
      if (others.length === 0) return undefined
      const at = rng.pick(others)
      const other = objects[at]!
      return replaced(
        new Map([
          [index, { ...object, colour: other.colour, rgb: other.rgb }],
          [at, { ...other, colour: object.colour, rgb: object.rgb }],
        ]),
      )
    }
    case 'removal':
      return { ...scene, id, objects: objects.filter((_, at) => at !== index) }
  }
}

/** The object in another colour, with a shade of its own. */
function painted(object: SceneObject, colour: SceneObject['colour'], rng: Rng): SceneObject {
  const type = objectTypes.find((other) => other.colour === colour)!
  const { rgb } = drawScene('', rng, { objects: [1, 1], chooseTypes: () => [type] }).objects[0]!
  return { ...object, colour, rgb }
}

export interface CaptionedPair {
  readonly caption: string
  readonly scenes: readonly [a: Scene, b: Scene]
  /** Which scene the caption is true of; some claim of it is false of the other. */
  readonly answer: 'A' | 'B'
}

/** Two scenes that differ in one thing, and a caption that is true of exactly one of them. */
export function captionedPair(
  scene: Scene,
  rng: Rng,
  options: CaptionOptions = {},
): CaptionedPair | undefined {
  for (const alteration of rng.shuffled(alterations)) {
    const other = alteredScene(scene, alteration, rng)
    if (other === undefined) continue
    const caption = captionOf(scene, rng, options)
    if (!isFalseOf(other, caption)) continue
    const isFirst = rng.chance(0.5)
    return { caption, scenes: isFirst ? [scene, other] : [other, scene], answer: isFirst ? 'A' : 'B' }
  }
  return undefined
}

function isFalseOf(scene: Scene, caption: string): boolean {
  return parseCaption(caption).claims.some(({ claim }) => isTrue(scene, claim) === false)
}

export interface SwappedPair {
  readonly scenes: readonly [Scene, Scene]
  /** captions[i] is true of scenes[i] and false of the other; both use the same words. */
  readonly captions: readonly [string, string]
}

/**
 * Two scenes and two captions that exchange the colours of two objects ("a red circle and a blue square", "a blue
 * circle and a red square"): right only when all four combinations are judged right.
 */
export function swappedPair(scene: Scene, rng: Rng): SwappedPair | undefined {
  const other = alteredScene(scene, 'swap', rng)
  if (other === undefined) return undefined
  const changed = scene.objects.flatMap((object, index) => (object === other.objects[index] ? [] : [index]))
  const captions = [scene, other].map((shown) => {
    const nouns = changed.map((index) => distinguishingNoun(shown, shown.objects[index]!))
    return nouns.some((noun) => noun === undefined)
      ? ''
      : `${nouns.map((noun) => withArticle(nounText(noun!))).join(' and ')}.`
  }) as [string, string]
  const differ =
    captions[0] !== '' && captions[1] !== '' && isFalseOf(other, captions[0]) && isFalseOf(scene, captions[1])
  return differ ? { scenes: [scene, other], captions } : undefined
}
