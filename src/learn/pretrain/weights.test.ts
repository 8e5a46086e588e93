import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadEmbedded } from '../../nets/embedded/load-embedded.ts'
import { hasWeights, weightsPath } from '../../nets/embedded/weights-path.ts'
import { recipeNames, recipeOf } from './recipes.ts'
import { measured } from './train-embedded.ts'

// The weights that come with the package, on a small slice of held-out data. The bounds are far enough below what the
// cards say that the slice's size explains the difference.
const bounds: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'text-lm': { 'well-formed answers': 0.92, 'arithmetic accuracy': 0.2 },
  'text-lm-sft': { 'well-formed answers': 0.92, 'arithmetic accuracy': 0.2 },
  'text-reactions': { 'pairs right': 0.6 },
  'scenes-clip': {
    'image to text top-1 (test)': 0.7,
    'text to image top-1 (test)': 0.7,
    'true caption before one with an error: colour': 0.9,
  },
  'scenes-gen': {
    'objects right, 1 object': 0.85,
    'objects right, 2 objects': 0.55,
    'background right': 0.9,
  },
  'scenes-vlm': {
    'existence questions': 0.85,
    'colour questions': 0.85,
    'count questions': 0.75,
    'relation questions': 0.7,
    'caption object F1': 0.88,
    'box IoU of referring expressions': 0.8,
  },
  'scenes-vlm-biased': { CHAIR_i: 0.08, 'existence questions': 0.8, 'colour questions': 0.8 },
}

const shipped = recipeNames.filter(hasWeights)

for (const name of shipped)
  describe(name, () => {
    test("its file says what it is, and its network is the recipe's", async () => {
      const recipe = await recipeOf(name)
      const model = await loadEmbedded(name)
      expect(model.manifest.name).toBe(name)
      expect(model.manifest.network).toEqual(recipe.model.network)
      expect(model.manifest.tokenizer).toEqual(recipe.model.tokenizer)
      await model.dispose()
    })

    test('its metrics recompute', async () => {
      const metrics = await measured(await recipeOf(name), name, { samples: 32, threads: 1 })
      const values = Object.fromEntries(metrics.map((metric) => [metric.name, metric.interval?.estimate]))
      for (const [metric, least] of Object.entries(bounds[name] ?? {}))
        expect(values[metric], metric).toBeGreaterThanOrEqual(least)
      expect(Object.keys(bounds[name] ?? {}).length).toBeGreaterThan(0)
    }, 120_000)
  })

test('weights are small, and each has its card', () => {
  const folder = dirname(weightsPath('text-lm'))
  const files = readdirSync(folder).filter((file) => file.endsWith('.safetensors'))
  const sizes = files.map((file) => statSync(join(folder, file)).size)
  expect(Math.max(...sizes)).toBeLessThan(8e6)
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(20e6)
  for (const file of files) expect(readdirSync(folder)).toContain(file.replace('.safetensors', '.md'))
})
