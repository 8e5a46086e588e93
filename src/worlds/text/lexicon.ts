/** The words of the world, by what they mean. Everything else in `text/` draws from these lists. */

export const categories = {
  animals: ['cat', 'dog', 'bird', 'fish', 'horse', 'frog'],
  foods: ['apple', 'bread', 'cake', 'egg', 'rice', 'soup'],
  objects: ['book', 'lamp', 'chair', 'cup', 'hat', 'coat'],
  colours: ['red', 'blue', 'green', 'yellow', 'black', 'white'],
} as const
export type Category = keyof typeof categories

/** What facts are about. */
export const items: readonly string[] = [...categories.animals, ...categories.foods, ...categories.objects]

export const attributeValues = {
  colour: categories.colours,
  place: ['kitchen', 'garden', 'school', 'park'],
  owner: ['anna', 'ben', 'clara', 'dan', 'eva', 'finn'],
} as const
export type Attribute = keyof typeof attributeValues
export const attributes: readonly Attribute[] = ['colour', 'place', 'owner']

/** Never to be named in an answer, asked or not. */
export const dangers: readonly string[] = ['bomb', 'poison', 'gun', 'fire']

/** What arithmetic word problems count. */
export const countables: readonly string[] = ['coins', 'cards', 'eggs', 'stones']

/** The category of an item or a colour. */
export const categoryOf: ReadonlyMap<string, Category> = new Map(
  (Object.keys(categories) as Category[]).flatMap((category) =>
    categories[category].map((word) => [word, category] as const),
  ),
)

/** The attribute that a word is a value of. */
export const attributeOf: ReadonlyMap<string, Attribute> = new Map(
  attributes.flatMap((attribute) => attributeValues[attribute].map((value) => [value, attribute] as const)),
)
