import { GuerdonError, nearest } from '../../core/index.ts'
import type { Recipe } from './recipe.ts'

const recipes: Readonly<Record<string, () => Promise<Recipe>>> = {
  'text-lm': async () => (await import('./text-lm.ts')).textLm,
  'text-lm-sft': async () => (await import('./text-lm.ts')).textLmSft,
  'text-reactions': async () => (await import('./text-reactions.ts')).textReactions,
  'scenes-clip': async () => (await import('./scenes-clip.ts')).scenesClip,
  'scenes-gen': async () => (await import('./scenes-gen.ts')).scenesGen,
  'scenes-vlm': async () => (await import('./scenes-vlm.ts')).scenesVlm,
  'scenes-vlm-biased': async () => (await import('./scenes-vlm-biased.ts')).scenesVlmBiased,
}

/** Names of the embedded models that can be trained. */
export const recipeNames: readonly string[] = Object.keys(recipes)

/** Throws a `GuerdonError` (`unknown-model`) for a name that is none of these. */
export async function recipeOf(name: string): Promise<Recipe> {
  const load = recipes[name]
  if (load === undefined) {
    const close = nearest(name, recipeNames)
    throw new GuerdonError('unknown-model', `there is no embedded model "${name}".`, {
      fix: close === undefined ? `Known: ${recipeNames.join(', ')}.` : `Did you mean "${close}"?`,
    })
  }
  return load()
}
