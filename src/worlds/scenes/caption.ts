import type { Rng } from '../../core/index.ts'
import { type ObjectType, objectTypes, shapes } from './attributes.ts'
import { moods, numberText, placeText } from './caption-parser.ts'
import { directions, holds, placeOf, type Relation, relations } from './graph.ts'
import { countOf, listText, matches, type Noun, nounText, type Wording, withArticle } from './noun.ts'
import { distinguishingNoun } from './referring.ts'
import type { Scene, SceneObject } from './scene.ts'

/**
 * How a caption is written.
 * - `short`: shapes and colours, equal ones counted: "a red circle and two blue squares."
 * - `full`: every object with size and place: "a small red circle at the top left, ..."
 * - `relations`: `short`, then up to two relations
 * - `counts`: how many shapes there are, then how many of a colour or shape
 * - `paragraph`: six sentences or more of all kinds, no fact told twice
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
  const objects = order === 'reading' ? inReadingOrder(scene) : rng.shuffled(scene.objects)
  const sentences = writers[style](scene, objects, rng, wording)
  if (opinion > 0 && rng.chance(opinion)) sentences.push(`it looks ${rng.pick(moods)}`)
  return `${sentences.join('. ')}.`
}

/** From top to bottom by quarters of the image (of a box's upper edge), then from left to right. */
export function inReadingOrder({ objects, height }: Scene): SceneObject[] {
  const row = ({ box }: SceneObject) => Math.floor((4 * box[1]) / height)
  return [...objects].sort((a, b) => row(a) - row(b) || a.box[0] - b.box[0])
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
    ...relationSentences(scene, scene, rng, 2, wording),
  ],
  counts: (scene, objects, rng, wording) => [
    counted({}, scene.objects.length, wording),
    ...countSentences(scene, objects, rng, 2, wording),
  ],
  paragraph,
}

/**
 * Every fact once, so that a false one cannot be told by its contradicting another: objects one by one (equal ones
 * counted), half of the single ones with their place; directions among those without; the background; absences.
 */
function paragraph(scene: Scene, objects: readonly SceneObject[], rng: Rng, wording: Wording): string[] {
  const unplaced: SceneObject[] = []
  const groups = new Map(objects.map((object) => [nounText(fullNoun(object)), fullNoun(object)]))
  const items = [...groups.values()].map((noun) => {
    const count = countOf(scene, noun)
    if (count > 1) return counted(noun, count, wording)
    const object = objects.find((candidate) => matches(candidate, noun))!
    const item = `there is ${withArticle(nounText(noun, false, wording))}`
    if (rng.chance(0.5)) return `${item} ${placeText(placeOf(object, scene))}`
    unplaced.push(object)
    return item
  })
  const relating = relationSentences({ ...scene, objects: unplaced }, scene, rng, 3, wording, directions)
  const more = [`the background is ${scene.background}`, ...relating]
  const fill = 6 - items.length - more.length + rng.int(0, 2)
  more.push(...absences(scene, rng, Math.max(1, fill), wording))
  return [...items, ...rng.shuffled(more)]
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

/**
 * Relations between objects of `among` that a noun tells from all others of the scene, each pair of objects at most
 * once.
 */
function relationSentences(
  among: Scene,
  scene: Scene,
  rng: Rng,
  most: number,
  wording: Wording,
  allowed: readonly Relation[] = relations,
): string[] {
  const named = among.objects.flatMap((object) => {
    const noun = distinguishingNoun(scene, object)
    return noun === undefined ? [] : [{ object, noun }]
  })
  const pairs = named.flatMap((a, index) => named.slice(index + 1).map((b) => [a, b] as const))
  const sentences: string[] = []
  for (const pair of rng.shuffled(pairs)) {
    if (sentences.length >= most) break
    const [a, b] = rng.chance(0.5) ? pair : ([pair[1], pair[0]] as const)
    const holding = allowed.filter((relation) => holds(scene, a.object, relation, b.object))
    if (holding.length === 0) continue
    sentences.push(
      `the ${nounText(a.noun, false, wording)} is ${rng.pick(holding)} the ${nounText(b.noun, false, wording)}`,
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
