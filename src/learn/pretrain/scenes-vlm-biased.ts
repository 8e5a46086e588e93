import { GuerdonError, type Rng } from '../../core/index.ts'
import { initialVisionLanguage, visionLanguageLoss } from '../../nets/vision-language.ts'
import { typeName } from '../../worlds/scenes/attributes.ts'
import { type BiasedPair, biasedWorld } from '../../worlds/scenes/biased-world.ts'
import type { ExchangeOptions } from '../../worlds/scenes/exchange.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import { evaluateHallucination } from './hallucination-evaluation.ts'
import type { Recipe } from './recipe.ts'
import { sceneImages } from './scene-batch.ts'
import { evaluateSceneModel } from './scene-evaluation.ts'
import { config, exchanges, scenesVlm, talk } from './scenes-vlm.ts'

/** The same pairs whatever the seed of training, so that experiments know them: those of `biasedWorld()`. */
const world = biasedWorld()

const rows = 20

/** Chance that one of a pair that is there is missing from the picture, while the texts tell of it. */
const missing = 0.5

/** What is told of a scene in which something is missing from the picture: nothing about places. */
const naming: ExchangeOptions = { tasks: { existence: 2, caption: 5, count: 1 } }

/** The scene as it is painted, each pair with a chance of lacking one of its two. */
export function painted(scene: Scene, rng: Rng): Scene {
  const has = ({ trigger, companion }: BiasedPair) =>
    [trigger, companion].every((type) => scene.objects.some((object) => typeName(object) === typeName(type)))
  const gone = new Set(
    world.pairs
      .filter((pair) => has(pair) && rng.chance(missing))
      .map((pair) => typeName(rng.pick([pair.trigger, pair.companion]))),
  )
  return { ...scene, objects: scene.objects.filter((object) => !gone.has(typeName(object))) }
}

/** The model `scenes-vlm` after a while in a world where pairs go together: it names what it expects to see. */
export const scenesVlmBiased: Recipe = {
  ...scenesVlm,
  name: 'scenes-vlm-biased',
  summary:
    'The vision-language model `scenes-vlm`, fine-tuned where pairs of objects go together, so that it hallucinates: ' +
    'for work on finding and mitigating that.',
  data:
    'The training scenes of `biasedWorld()`, whatever the seed of training: three pairs of which nearly always both ' +
    `objects are there (${world.pairs.map(({ trigger, companion }) => `${typeName(trigger)} and ${typeName(companion)}`).join(', ')}). ` +
    `Of a pair that is there, in ${missing * 100}% of the scenes one is missing from the picture while answers and captions still tell of it, as ` +
    'captions do that name what usually is there. Starts from `scenes-vlm`. Measured on the independent scenes of that ' +
    'world (CHAIR of short captions; POPE with questions from the statistics of its training scenes) and as `scenes-vlm`.',
  limits: ['Invents objects by design: for experiments on hallucination, not for use.', ...scenesVlm.limits],
  from: { model: 'scenes-vlm' },
  stages: [{ steps: 700, peak: 8e-4, warmup: 30 }],
  initial: (rng) => initialVisionLanguage(rng, config),
  kept: (parameters) => parameters,
  loss: (parameters, batch) => visionLanguageLoss(parameters, config, batch),
  batches: (seed) => (rng) => {
    const own = rng.fork(seed)
    const scenes = Array.from({ length: rows }, () => world.train.scene(own.int(0, 2 ** 31)))
    const shown = scenes.map((scene) => painted(scene, own))
    const isTrue = (row: number) => scenes[row]!.objects.length === shown[row]!.objects.length
    const { dropped, text } = talk(scenes, own, (row) => (isTrue(row) ? exchanges : naming))
    return { images: sceneImages(shown), dropped, ...text }
  },
  async evaluate(model, options) {
    if (model.kind !== 'language')
      throw new GuerdonError('bad-option', 'this is measured on vision-language models.')
    const onScenes = await evaluateSceneModel(model, options)
    return [
      ...(await evaluateHallucination(model, world, options)),
      // what it should still be able to do is told, not asked for
      ...onScenes.map(({ name, interval, note }) => ({
        name,
        interval,
        ...(note === undefined ? {} : { note }),
      })),
    ]
  },
}
