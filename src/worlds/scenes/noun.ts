import {
  type Colour,
  colours,
  numberWords,
  type Shape,
  type SizeName,
  shapeSynonyms,
  shapes,
  sizes,
} from './attributes.ts'
import type { Scene, SceneObject } from './scene.ts'
import type { WordReader } from './words.ts'

/** What a phrase such as "small red circle" asks of an object. Without a shape it reads "shape". */
export interface Noun {
  readonly size?: SizeName | undefined
  readonly colour?: Colour | undefined
  readonly shape?: Shape | undefined
}

export function matches(object: SceneObject, noun: Noun): boolean {
  return (
    (noun.shape === undefined || noun.shape === object.shape) &&
    (noun.colour === undefined || noun.colour === object.colour) &&
    (noun.size === undefined || noun.size === object.size)
  )
}

export function matching(scene: Scene, noun: Noun): SceneObject[] {
  return scene.objects.filter((object) => matches(object, noun))
}

export function countOf(scene: Scene, noun: Noun): number {
  let count = 0
  for (const object of scene.objects) if (matches(object, noun)) count++
  return count
}

export interface Wording {
  /** Which of a shape's names to use. @default the first, plain one */
  readonly synonyms?: ReadonlySet<Shape>
}

/** "small red circle", "red circles", "shapes". */
export function nounText(noun: Noun, plural = false, { synonyms }: Wording = {}): string {
  const { size, colour, shape } = noun
  const name =
    shape === undefined ? 'shape' : ((synonyms?.has(shape) ? shapeSynonyms[shape] : undefined) ?? shape)
  return [size, colour, plural ? pluralOf(name) : name].filter(Boolean).join(' ')
}

/** "a red circle", "an orange star". */
export function withArticle(text: string): string {
  return `${articleFor(text)} ${text}`
}

export function articleFor(text: string): 'a' | 'an' {
  return /^[aeiou]/.test(text) ? 'an' : 'a'
}

/** "red", "red and blue", "red, green and blue". */
export function listText(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

export function pluralOf(name: string): string {
  return name.endsWith('s') ? `${name}es` : `${name}s`
}

export interface ShapeWord {
  /** undefined of the word "shape". */
  readonly shape: Shape | undefined
  readonly plural: boolean
}

/** Every shape word, synonyms and plurals included. */
export const shapeWords: ReadonlyMap<string, ShapeWord> = new Map(
  [undefined, ...shapes].flatMap((shape) => {
    const names = shape === undefined ? ['shape'] : [shape, shapeSynonyms[shape] ?? []].flat()
    return names.flatMap((name): [string, ShapeWord][] => [
      [name, { shape, plural: false }],
      [pluralOf(name), { shape, plural: true }],
    ])
  }),
)

export const colourWords: ReadonlySet<string> = new Set(colours)
export const sizeWords: ReadonlySet<string> = new Set(sizes)
export const numberOfWord: ReadonlyMap<string, number> = new Map(
  numberWords.map((word, value) => [word, value]),
)

/** Reads [size] [colour] shape; undefined, and nothing consumed, where none stands. */
export function readNoun(reader: WordReader): { readonly noun: Noun; readonly plural: boolean } | undefined {
  const start = reader.position
  const size = reader.takeIn(sizeWords) as SizeName | undefined
  const colour = reader.takeIn(colourWords) as Colour | undefined
  const name = shapeWords.get(reader.peek() ?? '')
  if (name === undefined) {
    reader.position = start
    return undefined
  }
  reader.take()
  return {
    noun: {
      ...(size === undefined ? {} : { size }),
      ...(colour === undefined ? {} : { colour }),
      ...(name.shape === undefined ? {} : { shape: name.shape }),
    },
    plural: name.plural,
  }
}
