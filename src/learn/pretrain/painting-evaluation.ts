import { GuerdonError, Rng } from '../../core/index.ts'
import type { GenerateOptions } from '../../models/generator.ts'
import type { EmbeddedImageGenerator } from '../../nets/embedded/image-generator.ts'
import type { EmbeddedModel } from '../../nets/embedded/load-embedded.ts'
import { meanInterval, wilsonInterval } from '../../stats/index.ts'
import { type CaptionStyle, captionOf } from '../../worlds/scenes/caption.ts'
import { parseCaption } from '../../worlds/scenes/caption-parser.ts'
import { type JudgedPainting, judgePainting } from '../../worlds/scenes/painting.ts'
import { type SceneSplit, sceneWorld } from '../../worlds/scenes/scene-world.ts'
import type { EvaluationOptions, Metric } from './recipe.ts'

interface Painted {
  readonly caption: string
  /** Objects of the scene that the caption was made of. */
  readonly count: number
  readonly judged: JudgedPainting
}

/** How most of the images are painted. */
const usual: GenerateOptions = { steps: 20, guidance: 2, temperature: 1 }

/**
 * Paints captions of held-out scenes and reads the images back. Shares are of images unless the note says otherwise.
 */
export async function evaluatePaintings(model: EmbeddedModel, options: EvaluationOptions): Promise<Metric[]> {
  if (model.kind !== 'images')
    throw new GuerdonError('bad-option', 'this is measured on generators of images.')
  const paint = (style: CaptionStyle, how: GenerateOptions = {}, split: SceneSplit = 'test') =>
    painted(model, style, split, { ...usual, ...how }, options)
  const full = await paint('full')
  const metrics: Metric[] = [
    share('everything as the caption says', full, ({ judged }) => judged.allRight, 'full captions'),
    share(
      'objects right',
      full,
      ({ judged }) => judged.objectsRight,
      'full captions: colours and shapes, none missing, none more',
    ),
    share('number of objects right', full, ({ judged }) => judged.countRight, 'full captions'),
    ...[1, 2].map((count) =>
      share(
        `objects right, of ${count}`,
        full.filter((one) => one.count === count),
        ({ judged }) => judged.objectsRight,
        'full captions',
      ),
    ),
    {
      name: 'claims true',
      interval: meanInterval(full.flatMap(({ judged }) => judged.parts.claimAccuracy ?? [])),
      note: 'full captions: share of "a small red circle at the top", mean over images',
    },
    {
      name: 'attributes right',
      interval: meanInterval(full.flatMap(({ judged }) => judged.parts.attributeAccuracy ?? [])),
      note: 'full captions: colour, size and place of the shapes that are there, mean over images',
    },
    {
      name: 'pixels in no object',
      interval: meanInterval(full.map(({ judged }) => judged.recognised.unexplained)),
      note: 'full captions: share of those unlike the background, mean over images',
    },
  ]
  const short = await paint('short')
  metrics.push(
    share('objects right (short captions)', short, ({ judged }) => judged.objectsRight),
    share(
      'counts above one right (short captions)',
      short.filter(({ caption }) => parseCaption(caption).claims.some(({ claim }) => claim.kind === 'count')),
      ({ judged }) => judged.objectsRight,
      'captions such as "two red circles."',
    ),
  )
  const relations = await paint('relations')
  metrics.push(
    {
      name: 'relations true',
      interval: meanInterval(relations.flatMap(({ judged }) => judged.parts.relationAccuracy ?? [])),
      note: 'captions with relations, mean over images',
    },
    share(
      'objects right (composition)',
      await paint('full', {}, 'composition'),
      ({ judged }) => judged.objectsRight,
      'full captions with a pair of colour and shape that training never shows',
    ),
  )
  for (const guidance of [1, 3, 5])
    metrics.push(
      share(
        `everything as the caption says, guidance ${guidance}`,
        await paint('full', { guidance }),
        ({ judged }) => judged.allRight,
      ),
    )
  for (const steps of [5, 10, 50])
    metrics.push(
      share(
        `everything as the caption says, ${steps} steps`,
        await paint('full', { steps }),
        ({ judged }) => judged.allRight,
      ),
    )
  metrics.push(
    share(
      'everything as the caption says, temperature 0',
      await paint('full', { temperature: 0 }),
      ({ judged }) => judged.allRight,
    ),
  )
  return metrics
}

async function painted(
  model: EmbeddedImageGenerator,
  style: CaptionStyle,
  split: SceneSplit,
  how: GenerateOptions,
  { seed, samples, signal }: EvaluationOptions,
): Promise<Painted[]> {
  const scenes = sceneWorld({ seed: `evaluation/${seed}`, split, objects: [1, 2] }).scenes(samples)
  const captions = scenes.map((scene) => captionOf(scene, new Rng(scene.id), { style, order: 'random' }))
  const images = await model.generate(captions, { ...how, seed, ...(signal === undefined ? {} : { signal }) })
  return images.map(({ output }, index) => ({
    caption: captions[index]!,
    count: scenes[index]!.objects.length,
    judged: judgePainting(captions[index]!, output),
  }))
}

function share(
  name: string,
  all: readonly Painted[],
  isRight: (one: Painted) => boolean | null,
  note?: string,
): Metric {
  const right = all.filter((one) => isRight(one) === true).length
  return { name, interval: wilsonInterval(right, all.length), ...(note === undefined ? {} : { note }) }
}
