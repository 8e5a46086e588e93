// The closed lists that everything else in this world is about.

export const shapes = ['circle', 'square', 'triangle', 'diamond', 'star', 'cross'] as const
export type Shape = (typeof shapes)[number]

export const colours = ['red', 'orange', 'yellow', 'green', 'cyan', 'blue', 'purple', 'pink'] as const
export type Colour = (typeof colours)[number]

export const sizes = ['small', 'large'] as const
export type SizeName = (typeof sizes)[number]

export const backgrounds = ['black', 'grey', 'white'] as const
export type Background = (typeof backgrounds)[number]

export type Rgb = readonly [red: number, green: number, blue: number]

/** Shape and colour: what the object metrics call an object. Written "red circle". */
export interface ObjectType {
  readonly colour: Colour
  readonly shape: Shape
}

/** Far enough apart that a jitter of 12 in every channel never makes one the nearest of another. */
export const colourRgb: Readonly<Record<Colour, Rgb>> = {
  red: [214, 38, 40],
  orange: [245, 138, 24],
  yellow: [244, 224, 52],
  green: [46, 160, 67],
  cyan: [64, 208, 218],
  blue: [48, 88, 224],
  purple: [136, 58, 186],
  pink: [246, 132, 192],
}

export const backgroundRgb: Readonly<Record<Background, Rgb>> = {
  black: [14, 14, 18],
  grey: [112, 114, 118],
  white: [242, 242, 240],
}

export const numberWords = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
] as const

/** Other words for the shapes, as captions may use them. */
export const shapeSynonyms: Readonly<Partial<Record<Shape, string>>> = {
  circle: 'disc',
  square: 'block',
  cross: 'plus',
}

export const objectTypes: readonly ObjectType[] = shapes.flatMap((shape) =>
  colours.map((colour) => ({ colour, shape })),
)

export function typeName({ colour, shape }: ObjectType): string {
  return `${colour} ${shape}`
}

/**
 * Every object name with its synonyms ("red circle": ["red disc"]), in the form that `objectLexicon` of the
 * hallucination metrics takes. Those metrics read mentions and no negations: give them captions without absences
 * (every style but `paragraph`).
 */
export const objectNames: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  objectTypes.map(({ colour, shape }) => {
    const synonym = shapeSynonyms[shape]
    // "pluse" is what singularisers make of "pluses".
    const words = synonym === 'plus' ? ['plus', 'pluse'] : synonym === undefined ? [] : [synonym]
    return [`${colour} ${shape}`, words.map((word) => `${colour} ${word}`)]
  }),
)
