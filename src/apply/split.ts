import { identityOf, imagesOf, type Preference, promptText, Rng, type Turns } from '../core/index.ts'

export interface Split<T> {
  readonly train: readonly T[]
  readonly test: readonly T[]
}

/**
 * Divides items by their prompt, so that no prompt stands on both sides: letter case and white space do not make
 * another prompt, other images do. Each prompt is drawn by itself from the seed: the share is met on average, and
 * adding data never moves a prompt from one side to the other.
 */
export function splitByPrompt<T extends { readonly prompt: Turns } = Preference>(
  items: readonly T[],
  options: {
    /** Share of prompts in the test part, in [0, 1]. @default 0.1 */
    readonly test?: number
    /** @default new Rng('split') */
    readonly rng?: Rng
  } = {},
): Split<T> {
  const { test: share = 0.1, rng = new Rng('split') } = options
  if (!(share >= 0 && share <= 1))
    throw new RangeError(`the share ${share} of the test part is not in [0, 1]`)
  const sides = new Map<string, boolean>()
  const split = { train: [] as T[], test: [] as T[] }
  for (const item of items) {
    const key = promptKey(item.prompt)
    let isTest = sides.get(key)
    if (isTest === undefined) {
      isTest = rng.fork(key).uniform() < share
      sides.set(key, isTest)
    }
    split[isTest ? 'test' : 'train'].push(item)
  }
  return split
}

function promptKey(prompt: Turns): string {
  const text = promptText(prompt).normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
  return identityOf([text, imagesOf(prompt)])
}
