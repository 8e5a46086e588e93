import { Rng } from '../../core/index.ts'
import { wordTokenizer } from '../../models/tokenizer.ts'
import { type DenoiserConfig, denoiserLoss, initialDenoiser } from '../../nets/denoiser.ts'
import { standardNormal } from '../../nets/diffusion.ts'
import { textTensors } from '../../nets/image-sampler.ts'
import { adamW } from '../../tensor/optimiser.ts'
import { tensor } from '../../tensor/tree.ts'
import { captionOf } from '../../worlds/scenes/caption.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import { sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { sceneVocabulary } from '../../worlds/scenes/vocabulary.ts'
import { evaluatePaintings } from './painting-evaluation.ts'
import type { Recipe } from './recipe.ts'
import { sceneImages } from './scene-batch.ts'
import { sceneTokenizer } from './scene-tokenizer.ts'

const tokenizer = wordTokenizer(sceneTokenizer)

const config: DenoiserConfig = {
  width: 96,
  depth: 2,
  heads: 4,
  hidden: 192,
  image: { size: 32, patch: 4 },
  convolutions: { patch: 2, width: 48, before: 1, after: 2 },
  text: {
    width: 64,
    depth: 1,
    heads: 4,
    vocabulary: sceneVocabulary.size,
    context: 26,
    phrases: 4,
    separators: [',', 'and', '.'].map((word) => tokenizer.id(word)),
  },
  locality: [1.5, 1.5, 0, 0],
  schedule: 'cosine',
  steps: 1000,
  prediction: 'x0',
  figures: true,
}

/** Images in a batch; share of captions that are hidden, for guidance. */
const [rows, hidden] = [16, 0.1] as const

/** Captions of a stage. */
interface Wording {
  /** Share of captions with size and place of each object; half of the others state relations where there are some. */
  readonly full: number
  /** Share of captions that name the background. */
  readonly background: number
}

function promptOf(scene: Scene, rng: Rng, { full, background }: Wording): number[] {
  const style = rng.chance(full) ? 'full' : rng.chance(0.5) ? 'short' : 'relations'
  const caption = captionOf(scene, rng, { style, order: 'random' })
  const tokens = tokenizer.encode(
    rng.chance(background) ? `${caption} the background is ${scene.background}.` : caption,
  )
  return tokens.length <= config.text.context ? tokens : tokenizer.encode(captionOf(scene, rng))
}

/**
 * First where things are to be: single objects out of next to nothing but noise, so that the network finds out which
 * words speak of which patches; then everything, mostly at the times in which shapes and places are decided.
 */
const lessons = [
  { objects: [1, 1], wording: { full: 1, background: 1 }, lateness: 100 },
  { objects: [1, 2], wording: { full: 0.9, background: 0.95 }, lateness: 1.8 },
  { objects: [1, 2], wording: { full: 0.9, background: 0.95 }, lateness: 1.4 },
] as const

/**
 * Each size word is one size, each colour word one colour, and each place one place, so that there is less to learn:
 * boxes of 7 and 10 pixels that begin at 0, 11 or 22.
 */
const look = {
  diameters: { small: [7 / 32, 7 / 32], large: [10 / 32, 10 / 32] },
  jitter: 0,
  grid: 11,
} as const

/** Noise comes from a table of 2^20 normal numbers, from a place drawn for each image: drawing it would take longer. */
function batches(seed: string): ReturnType<Recipe['batches']> {
  const worlds = lessons.map(({ objects }) => sceneWorld({ ...look, seed, split: 'train', objects }))
  const table = standardNormal(new Rng(`${seed}/noise`), 2 ** 20)
  const pixels = config.image.size ** 2 * 3
  return (rng, stage) => {
    const { wording, lateness } = lessons[stage]!
    const scenes = Array.from({ length: rows }, () => worlds[stage]!.scene(rng.int(0, 2 ** 31)))
    const texts = scenes.map((scene) => promptOf(scene, rng, wording))
    const images = sceneImages(scenes)
    const values = images.data as Float32Array
    for (let index = 0; index < values.length; index++) values[index] = 2 * values[index]! - 1
    const noise = new Float32Array(values.length)
    for (let row = 0; row < rows; row++) {
      const at = rng.int(0, table.length - pixels)
      noise.set(table.subarray(at, at + pixels), row * pixels)
    }
    // one time of each of as many parts of the schedule: less noise in the loss
    const times = Float32Array.from({ length: rows }, (_, row) =>
      Math.floor(((row + rng.uniform()) / rows) ** (1 / lateness) * config.steps),
    )
    return {
      images,
      noise: tensor(noise, images.shape),
      times: tensor(times, [rows]),
      dropped: tensor(
        Float32Array.from({ length: rows }, () => (rng.chance(hidden) ? 1 : 0)),
        [rows],
      ),
      ...textTensors(texts, config.text.context),
    }
  }
}

/** Paints scenes from captions. */
export const scenesGen: Recipe = {
  name: 'scenes-gen',
  summary: 'Diffusion model that paints 32-pixel scenes of one or two shapes from captions.',
  data:
    'Scenes of one or two coloured shapes, split `train`, endless and seeded; small is 7 pixels wide and large 10, ' +
    'colours are exact, and boxes begin at 0, 11 or 22 pixels. First stage: single objects with size, place and ' +
    'background named, nearly all of the image noise. Second: one or two objects, nine captions in ten with size and ' +
    'place of each, the others with relations or with colours and shapes only; nineteen in twenty name the background. ' +
    'Third: the same with less noise. Objects come in random order, one caption in ten is hidden. The network says the clean ' +
    'image as figures on one ground: the colour of the ground, one of each patch, and how much of it each pixel has; ' +
    'an error in v counts at most three times that in x_0; the weights are their moving average. Measured by reading ' +
    'the painted images back (`recogniseScene`), with captions of the splits `test` and `composition`.',
  limits: [
    'Images of 32 x 32 pixels with at most two objects on one plain ground, in nine places and two sizes; captions of ' +
      'at most 26 words and marks.',
    'Captions that do not say where things are, or only in relation to each other, are rarely painted right: about one ' +
      'in seven. Relations come true in one of five.',
    'With guidance of 4 more goes wrong than with 1 or 2.',
  ],
  model: { network: { kind: 'denoiser', config }, tokenizer: sceneTokenizer },
  stages: [
    { steps: 300, peak: 1.5e-3, warmup: 50, decay: 4000 },
    { steps: 9000, peak: 1.5e-3, warmup: 50, decay: 14_000 },
    { steps: 5000, peak: 4.2e-4, warmup: 1 },
  ],
  // a short memory: gradients of the last layers grow a lot when the second stage begins, and a long one would let the
  // first steps after that be far too large
  optimiser: adamW({ beta2: 0.99 }),
  average: 0.999,
  initial: (rng) => initialDenoiser(rng, config),
  loss: (parameters, batch) => denoiserLoss(parameters, config, batch, { mostWeight: 3 }),
  batches,
  evaluate: (model, options) => evaluatePaintings(model, options, look),
}
