import { GuerdonError } from '../../core/index.ts'
import type { GenerateOptions, Generator, LikelyGenerated } from '../../models/generator.ts'
import type { Raster } from '../../models/raster.ts'
import { type Tokenizer, wordTokenizer } from '../../models/tokenizer.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { Denoiser } from '../denoiser.ts'
import { imageSampler } from '../image-sampler.ts'
import type { Manifest } from './manifest.ts'

/** Draws images from texts. */
export interface EmbeddedImageGenerator extends Generator<Raster> {
  readonly kind: 'images'
  readonly manifest: Manifest
  readonly parameters: Tree<Tensor>
  readonly tokenizer: Tokenizer
  /** Throws a `GuerdonError` (`unknown-word`) for a prompt that it cannot read. */
  generate(prompts: readonly string[], options?: GenerateOptions): Promise<readonly LikelyGenerated<Raster>[]>
  dispose(): Promise<void>
}

const batchSize = 64

export function embeddedImageGenerator(
  id: string,
  manifest: Manifest,
  parameters: Tree<Tensor>,
  options: CompileOptions,
): EmbeddedImageGenerator {
  const { network } = manifest
  if (network.kind !== 'denoiser') throw new GuerdonError('bad-weights', `${manifest.name} draws no images.`)
  const { config } = network
  const sampler = imageSampler(config, options)
  const tokenizer = wordTokenizer(manifest.tokenizer)
  return {
    kind: 'images',
    id,
    manifest,
    parameters,
    tokenizer,
    async generate(prompts, { seed = 0, temperature = 1, steps = 20, guidance = 1, signal } = {}) {
      const made: { output: Raster; logp: number[] }[] = []
      const streams = streamsOf(prompts)
      for (let first = 0; first < prompts.length; first += batchSize) {
        const texts = prompts.slice(first, first + batchSize).map((text) => tokenizer.encode(text))
        const { images, trajectory } = await sampler.sample(parameters as Denoiser<Tensor>, texts, {
          steps,
          eta: temperature,
          guidance,
          seed,
          streams: streams.slice(first, first + batchSize),
          ...(signal === undefined ? {} : { signal }),
        })
        texts.forEach((_, row) => {
          made.push({ output: rasterOf(images, row), logp: trajectory.map(({ logp }) => logp[row]!) })
        })
      }
      return made
    },
    dispose: () => sampler.dispose(),
  }
}

/** A stream for each prompt, a further one where it comes again: what else is painted does not matter. */
function streamsOf(prompts: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return prompts.map((prompt) => {
    const times = seen.get(prompt) ?? 0
    seen.set(prompt, times + 1)
    return `${prompt}/${times}`
  })
}

/** One image of Float[B, size, size, 3] in [-1, 1]. */
function rasterOf({ data, shape }: Tensor, row: number): Raster {
  const [, height, width] = shape as [number, number, number]
  const pixels = width * height
  const rgba = new Uint8Array(pixels * 4).fill(255)
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let channel = 0; channel < 3; channel++) {
      const value = Number(data[(row * pixels + pixel) * 3 + channel])
      rgba[pixel * 4 + channel] = Math.round(Math.min(1, Math.max(0, (value + 1) / 2)) * 255)
    }
  return { width, height, data: rgba }
}
