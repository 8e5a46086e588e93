import type { Array as JaxArray } from '@jax-js/jax'
import { wordTokenizer } from '../../models/tokenizer.ts'
import { type DecoderInputs, decoderLoss } from '../../nets/decoder.ts'
import {
  hiddenImages,
  imagePrefix,
  initialVisionLanguage,
  type VisionLanguage,
  type VisionLanguageConfig,
} from '../../nets/vision-language.ts'
import type { LossWithMetrics } from '../../tensor/train.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import type { ExchangeOptions } from '../../worlds/scenes/exchange.ts'
import { type SceneWorld, sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { sceneVocabulary } from '../../worlds/scenes/vocabulary.ts'
import type { Recipe } from './recipe.ts'
import { sceneImages } from './scene-batch.ts'
import { evaluateSceneModel } from './scene-evaluation.ts'
import { packedExchanges } from './scene-exchanges.ts'
import {
  type GroundingHead,
  groundingLabels,
  groundingLoss,
  initialGroundingHead,
} from './scene-grounding.ts'
import { sceneTokenizer } from './scene-tokenizer.ts'

/** Small patches, each read with its neighbours, so that a shape is seen whole wherever it lies. */
const image = { size: 32, patch: 4, reach: 1 } as const

const config: VisionLanguageConfig = {
  connector: { kind: 'encoder', width: 128, depth: 2, heads: 4, image },
  decoder: {
    width: 128,
    depth: 3,
    heads: 4,
    vocabulary: sceneVocabulary.size,
    context: 112,
    tied: true,
  },
}

const tokenizer = wordTokenizer(sceneTokenizer)

/** What is learnt: the model, and the head that teaches its eyes. */
type Parameters<Leaf> = { readonly model: VisionLanguage<Leaf>; readonly grounding: GroundingHead<Leaf> }

/** Scenes to see, without a word. */
const seeing = { rows: 48 } as const
/** Scenes to talk about, tokens of each, share of images that are hidden, weight of the grounding beside the words. */
const talking = { rows: 24, length: 112, followUp: 0.2, dropout: 0.1, grounding: 0.1 } as const

const exchanges: ExchangeOptions = {
  tasks: {
    existence: 4,
    count: 5,
    colour: 2,
    relation: 5,
    shape: 1.5,
    size: 1,
    place: 1,
    related: 1,
    comparison: 1,
    colours: 0.5,
    background: 0.2,
    caption: 3,
    'full caption': 0.7,
    detection: 0.7,
    referring: 3,
  },
  forms: { open: 8, binary: 1, choice: 1 },
}

function batches(world: SceneWorld): ReturnType<Recipe['batches']> {
  return (rng, stage) => {
    const { rows } = stage === 0 ? seeing : talking
    const scenes = Array.from({ length: rows }, () => world.scene(rng.int(0, 2 ** 31)))
    const seen = { images: sceneImages(scenes), labels: groundingLabels(scenes, image.patch) }
    if (stage === 0) return seen
    const { length, followUp, dropout } = talking
    const dropped = Float32Array.from(scenes, () => (rng.chance(dropout) ? 1 : 0))
    return {
      ...seen,
      dropped: tensor(dropped, [rows]),
      text: packedExchanges(scenes, rng, {
        length,
        exchanges,
        followUp,
        context: config.decoder.context,
        tokenizer,
      }),
    }
  }
}

type Batch = {
  readonly images: JaxArray
  readonly labels: JaxArray
  readonly dropped?: JaxArray
  readonly text?: Omit<DecoderInputs, 'prefix'> & { readonly targetMask: JaxArray }
}

/** The words, given what is seen, and beside them (at first alone) what the image tokens say of their patches. */
function loss(
  { model, grounding }: Parameters<JaxArray>,
  { images, labels, dropped, text }: Batch,
): LossWithMetrics {
  const prefix = imagePrefix(model, config, images)
  const seen = groundingLoss(grounding, prefix.tokens.ref, labels, image.size)
  if (text === undefined || dropped === undefined) {
    prefix.tokens.dispose()
    return { loss: seen, metrics: {} }
  }
  const shown = hiddenImages(model, prefix, dropped)
  const words = decoderLoss(model.decoder, config.decoder, { ...text, prefix: shown })
  return {
    loss: words.ref.add(seen.ref.mul(talking.grounding)),
    metrics: { words, seen },
  }
}

/** Answers questions about scenes, describes them and finds objects. */
export const scenesVlm: Recipe = {
  name: 'scenes-vlm',
  summary:
    'Vision-language model of 32-pixel scenes: questions, captions, detection and boxes of referring expressions.',
  data:
    'Scenes of one to five coloured shapes, split `train`, endless and seeded. First stage: the image encoder alone, ' +
    'whose tokens tell of the object at their patch (shape, colour, size, box) through a layer that is dropped ' +
    'afterwards. Then several conversations about each image, none of which sees another, one image in ten hidden, ' +
    `that layer trained along: ${Object.entries(exchanges.tasks!)
      .map(([task, weight]) => `${task} ${weight}`)
      .join(', ')}; questions open 8 : yes or no 1 : multiple choice 1. ` +
    'Measured on the split `test`, greedy decoding, one exchange at a time.',
  limits: [
    'Images of 32 x 32 pixels only, with at most five objects and no noise.',
    'Knows the words of the scenes only; no relation, count or paragraph captions.',
  ],
  model: {
    network: { kind: 'vision-language', config },
    tokenizer: sceneTokenizer,
    dialogue: { before: [], between: ['<bos>'], end: '<eos>' },
  },
  stages: [
    { steps: 1500, peak: 2e-3, warmup: 100 },
    { steps: 6000, peak: 1.5e-3, warmup: 200 },
  ],
  initial: (rng): Parameters<Tensor> => ({
    model: initialVisionLanguage(rng, config),
    grounding: initialGroundingHead(rng, config.decoder.width, image.size),
  }),
  kept: (parameters) => (parameters as Parameters<Tensor>).model,
  loss,
  batches: (seed) => batches(sceneWorld({ seed, split: 'train' })),
  evaluate: evaluateSceneModel,
}
