import type { Rng } from '../../core/index.ts'
import { wordTokenizer } from '../../models/tokenizer.ts'
import {
  initialVisionLanguage,
  type VisionLanguageConfig,
  visionLanguageLoss,
} from '../../nets/vision-language.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import { type SceneWorld, sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { sceneVocabulary } from '../../worlds/scenes/vocabulary.ts'
import type { Recipe } from './recipe.ts'
import { sceneImages } from './scene-batch.ts'
import { drawExchange, type SceneTasks } from './scene-dialogue.ts'
import { evaluateSceneModel } from './scene-evaluation.ts'
import { sceneTokenizer } from './scene-tokenizer.ts'

/** The image encoder is that of `scenes-clip`, whose weights it starts from. */
const config: VisionLanguageConfig = {
  connector: { kind: 'encoder', width: 96, depth: 3, heads: 4, image: { size: 32, patch: 8 } },
  decoder: {
    width: 64,
    depth: 3,
    heads: 4,
    vocabulary: sceneVocabulary.size,
    context: 96,
    tied: true,
  },
}

const dialogue = { before: [], between: ['<bos>'], end: '<eos>' } as const

/** Images in a batch; tokens of the exchanges about one image; share of images that are hidden. */
const [rows, length, dropout] = [32, 56, 0.1] as const

/** Words of captions and boxes each depend on the image, so they teach to look; questions follow. */
const describing: SceneTasks = { short: 3, full: 1, find: 2, existence: 1 }
const tasks: SceneTasks = {
  existence: 3,
  count: 3,
  colour: 2,
  relation: 3,
  shape: 1,
  size: 1,
  place: 0.5,
  background: 0.2,
  short: 2,
  full: 0.5,
  find: 3,
}

const tokenizer = wordTokenizer(sceneTokenizer)

/** Images with as many exchanges about each as fit into a row, one after the other; answers are to be learnt. */
function sceneDialogueBatches(
  world: SceneWorld,
  mixes: readonly SceneTasks[],
): (rng: Rng, stage: number) => Tree<Tensor> {
  const [between, end] = [tokenizer.id('<bos>'), tokenizer.id('<eos>')]
  return (rng, stage) => {
    const mix = mixes[stage]!
    const tokens = new Int32Array(rows * length)
    const targetMask = new Float32Array(rows * length)
    const scenes: Scene[] = []
    for (let row = 0; row < rows; row++) {
      const scene = world.scene(rng.int(0, 2 ** 31))
      scenes.push(scene)
      let at = row * length
      const last = at + length
      for (let failures = 0; failures < 3; ) {
        const exchange = drawExchange(scene, mix, rng)
        const prompt = exchange ? tokenizer.encode(exchange.prompt) : []
        const answer = exchange ? tokenizer.encode(exchange.answer) : []
        if (exchange === undefined || at + prompt.length + answer.length + 2 > last) {
          failures++
          continue
        }
        tokens.set([...prompt, between, ...answer, end], at)
        const start = at + prompt.length + 1
        at = start + answer.length + 1
        targetMask.fill(1, start, at)
      }
    }
    const dropped = Float32Array.from({ length: rows }, () => (rng.chance(dropout) ? 1 : 0))
    return {
      images: sceneImages(scenes),
      dropped: tensor(dropped, [rows]),
      tokens: tensor(tokens, [rows, length], 'int32'),
      targetMask: tensor(targetMask, [rows, length]),
    }
  }
}

/** Answers questions about scenes, describes them and finds objects. */
export const scenesVlm: Recipe = {
  name: 'scenes-vlm',
  summary:
    'Vision-language model of 32-pixel scenes: questions, captions and boxes of referring expressions.',
  data:
    'Scenes of one to five coloured shapes, split `train`, endless and seeded; several exchanges about each image in a ' +
    `row, one image in ten hidden. First stage: mostly captions and boxes. Second stage: ${Object.entries(
      tasks,
    )
      .map(([task, weight]) => `${task} ${weight}`)
      .join(', ')}. Measured on the split \`test\`, greedy decoding, one exchange at a time.`,
  limits: [
    'Images of 32 x 32 pixels only, with at most five objects and no noise.',
    'No multiple choice, comparisons, detection lists, relation or paragraph captions.',
  ],
  model: { network: { kind: 'vision-language', config }, tokenizer: sceneTokenizer, dialogue },
  from: { model: 'scenes-clip', parts: { 'connector.encoder': 'image.encoder' } },
  stages: [
    { steps: 3000, peak: 2e-3, warmup: 100 },
    { steps: 5000, peak: 1.5e-3, warmup: 100 },
  ],
  initial: (rng) => initialVisionLanguage(rng, config),
  loss: (parameters, batch) => visionLanguageLoss(parameters, config, batch),
  batches: (seed) => sceneDialogueBatches(sceneWorld({ seed, split: 'train' }), [describing, tasks]),
  evaluate: evaluateSceneModel,
}
