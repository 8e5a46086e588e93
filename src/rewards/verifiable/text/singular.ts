const irregular: Readonly<Record<string, string>> = {
  people: 'person',
  men: 'man',
  women: 'woman',
  children: 'child',
  feet: 'foot',
  teeth: 'tooth',
  geese: 'goose',
  mice: 'mouse',
  oxen: 'ox',
  knives: 'knife',
  wives: 'wife',
  lives: 'life',
  leaves: 'leaf',
  wolves: 'wolf',
  shelves: 'shelf',
  scarves: 'scarf',
  loaves: 'loaf',
  halves: 'half',
  calves: 'calf',
  thieves: 'thief',
  hooves: 'hoof',
  buses: 'bus',
  gases: 'gas',
  lenses: 'lens',
  cactuses: 'cactus',
  cacti: 'cactus',
  taxis: 'taxi',
  bikinis: 'bikini',
  shoes: 'shoe',
  toes: 'toe',
  canoes: 'canoe',
  movies: 'movie',
  cookies: 'cookie',
  smoothies: 'smoothie',
  brownies: 'brownie',
  hoodies: 'hoodie',
  selfies: 'selfie',
  axes: 'axe',
}
const same = new Set(
  'scissors jeans pants shorts series species sheep fish deer aircraft spacecraft news gas lens yes always perhaps pyjamas pajamas binoculars headquarters'.split(
    ' ',
  ),
)

/**
 * The singular of an English word in lower case, by rule, with the common irregular plurals: for matching names of
 * things, not for grammar. Words that are no plural come back as they are, unless they look like one.
 */
export function singular(word: string): string {
  if (!word.endsWith('s') || word.length < 3) return Object.hasOwn(irregular, word) ? irregular[word]! : word
  if (same.has(word)) return word
  if (Object.hasOwn(irregular, word)) return irregular[word]!
  if (/(?:ss|us|is)$/.test(word)) return word
  if (/(?:ch|sh|ss|x|zz|o)es$/.test(word)) return word.slice(0, -2)
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`
  return word.slice(0, -1)
}
