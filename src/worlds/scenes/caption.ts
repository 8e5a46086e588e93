import type { Rng } from '../../core/index.ts'
import { type ObjectType, objectTypes, shapes } from './attributes.ts'
import { moods, numberText, placeText } from './caption-parser.ts'
import { holds, isClear, placeOf, relations } from './graph.ts'
import { countOf, listText, matches, type Noun, nounText, type Wording, withArticle } from './noun.ts'
import { distinguishingNoun } from './referring.ts'
import type { Scene, SceneObject } from './scene.ts'

/**
 * How a caption is written.
 * - `short`: shapes and colours, equal ones counted: "a red circle and two blue squares."
 * - `full`: every object with size and place: "a small red circle at the top left, ..."
 * - `relations`: `short`, then up to two relations
 * - `counts`: how many shapes there are, then how many of a colour or shape
 * - `paragraph`: six to ten sentences of all kinds
 */
export const captionStyles = ['short', 'full', 'relations', 'counts', 'paragraph'] as const
export type CaptionStyle = (typeof captionStyles)[number]

export interface CaptionOptions {
  /** @default 'short' */
  readonly style?: CaptionStyle
  /**
   * The order of the objects: by reading order (top to bottom, then left to right, so that there is one right
   * caption to learn), or as the generator decides. @default 'reading'
   */
  readonly order?: 'reading' | 'random'
  /** Chance that a shape is called by its other name throughout ("disc"). @default 0 */
  readonly synonyms?: number
  /** Chance that an opinion ends the caption ("it looks calm."). @default 0 */
  readonly opinion?: number
}

/** A true caption. Every claim of it holds, and `parseCaption` reads all of it. */
export function captionOf(scene: Scene, rng: Rng, options: CaptionOptions = {}): string {
  const { style = 'short', order = 'reading', synonyms = 0, opinion = 0 } = options
  const wording: Wording =
    synonyms === 0 ? {} : { synonyms: new Set(shapes.filter(() => rng.chance(synonyms))) }
  const objects = order === 'reading' ? inReadingOrder(scene.objects) : rng.shuffled(scene.objects)
  const sentences = writers[style](scene, objects, rng, wording)
  if (opinion > 0 && rng.chance(opinion)) sentences.push(`it looks ${rng.pick(moods)}`)
  return `${sentences.join('. ')}.`
}

/** From top to bottom by eighths of the highest box edge, then from left to right. */
export function inReadingOrder(objects: readonly SceneObject[]): SceneObject[] {
  return [...objects].sort((a, b) => (a.box[1] >> 3) - (b.box[1] >> 3) || a.box[0] - b.box[0])
}

type Writer = (scene: Scene, objects: readonly SceneObject[], rng: Rng, wording: Wording) => string[]

const writers: Readonly<Record<CaptionStyle, Writer>> = {
  short: (scene, objects, _rng, wording) => [listed(groupItems(scene, objects, wording))],
  full: (scene, objects, _rng, wording) => [
    listed(
      objects.map(
        (object) =>
          `${withArticle(nounText(fullNoun(object), false, wording))} ${placeText(placeOf(object, scene))}`,
      ),
    ),
  ],
  relations: (scene, objects, rng, wording) => [
    listed(groupItems(scene, objects, wording)),
    ...relationSentences(scene, rng, 2, wording),
  ],
  counts: (scene, objects, rng, wording) => [
    counted({}, scene.objects.length, wording),
    ...countSentences(scene, objects, rng, 2, wording),
  ],
  paragraph,
}

function paragraph(scene: Scene, objects: readonly SceneObject[], rng: Rng, wording: Wording): string[] {
  const opening = [counted({}, scene.objects.length, wording), listed(groupItems(scene, objects, wording))]
  const more = rng.shuffled([
    `the background is ${scene.background}`,
    ...absences(scene, rng, 1, wording),
    ...countSentences(scene, objects, rng, 2, wording),
    ...relationSentences(scene, rng, 3, wording),
    ...objects.flatMap((object) => {
      const noun = nounText({ colour: object.colour, shape: object.shape }, false, wording)
      return [`the ${noun} is ${object.size}`, `the ${noun} is ${placeText(placeOf(object, scene))}`]
    }),
  ])
  // An empty scene has little to say: absences fill the paragraph.
  const needed = [...more, ...(more.length < 4 ? absences(scene, rng, 6, wording) : [])]
  return [...opening, ...new Set(needed)].slice(0, 6 + rng.int(0, 5))
}

function fullNoun({ size, colour, shape }: SceneObject): Noun {
  return { size, colour, shape }
}

/** "there are two red circles", "there is one star". */
export function counted(noun: Noun, count: number, wording: Wording = {}): string {
  return `there ${count === 1 ? 'is' : 'are'} ${numberText(count)} ${nounText(noun, count !== 1, wording)}`
}

/** "a red circle", "two blue squares": one item for each shape and colour. */
function groupItems(scene: Scene, objects: readonly SceneObject[], wording: Wording): string[] {
  const nouns = new Map(
    objects.map(({ colour, shape }) => [`${colour} ${shape}`, { colour, shape } satisfies Noun]),
  )
  return [...nouns.values()].map((noun) => {
    const count = countOf(scene, noun)
    return count === 1
      ? withArticle(nounText(noun, false, wording))
      : `${numberText(count)} ${nounText(noun, true, wording)}`
  })
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? 'there are no shapes' : listText(items)
}

function countSentences(
  scene: Scene,
  objects: readonly SceneObject[],
  rng: Rng,
  most: number,
  wording: Wording,
): string[] {
  const nouns = objects.flatMap(({ colour, shape }): Noun[] => [{ colour }, { shape }])
  const sentences = rng.shuffled(nouns).map((noun) => counted(noun, countOf(scene, noun), wording))
  return [...new Set(sentences)].slice(0, most)
}

/** Relations between objects that their shape and colour, with the size where needed, tell from all others. */
function relationSentences(scene: Scene, rng: Rng, most: number, wording: Wording): string[] {
  const named = scene.objects.flatMap((object) => {
    const noun = distinguishingNoun(scene, object)
    return noun === undefined ? [] : [{ object, noun }]
  })
  const sentences: string[] = []
  for (const a of rng.shuffled(named)) {
    if (sentences.length >= most) break
    const options = named.flatMap((b) =>
      a === b
        ? []
        : relations
            .filter(
              (relation) =>
                isClear(scene, a.object, relation, b.object) && holds(scene, a.object, relation, b.object),
            )
            .map((relation) => ({ b, relation })),
    )
    if (options.length === 0) continue
    const { b, relation } = rng.pick(options)
    sentences.push(
      `the ${nounText(a.noun, false, wording)} is ${relation} the ${nounText(b.noun, false, wording)}`,
    )
  }
  return sentences
}

/** Nouns that share colour or shape with something there, and are not there themselves. */
function absences(scene: Scene, rng: Rng, most: number, wording: Wording): string[] {
  const sentences: string[] = []
  for (let attempt = 0; attempt < 4 * most && sentences.length < most; attempt++) {
    const noun = absentType(scene, rng)
    if (noun !== undefined) sentences.push(`there is no ${nounText(noun, false, wording)}`)
  }
  return sentences
}

/**
 * A shape and colour that no object has. Half of the time one of the two is there, so that looking for the colour
 * or the shape alone is not enough.
 */
export function absentType(scene: Scene, rng: Rng): ObjectType | undefined {
  for (let attempt = 0; attempt < 20; attempt++) {
    const any = rng.pick(objectTypes)
    const near = scene.objects.length > 0 && rng.chance(0.5) ? rng.pick(scene.objects) : undefined
    const noun =
      near === undefined
        ? any
        : rng.chance(0.5)
          ? { colour: near.colour, shape: any.shape }
          : { colour: any.colour, shape: near.shape }
    if (!scene.objects.some((object) => matches(object, noun))) return noun
  }
  return undefined
}
