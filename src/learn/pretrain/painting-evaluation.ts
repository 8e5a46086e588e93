import { GuerdonError, Rng } from '../../core/index.ts'
import type { GenerateOptions } from '../../models/generator.ts'
import type { EmbeddedImageGenerator } from '../../nets/embedded/image-generator.ts'
import type { EmbeddedModel } from '../../nets/embedded/load-embedded.ts'
import { meanInterval, wilsonInterval } from '../../stats/index.ts'
import { type CaptionStyle, captionOf } from '../../worlds/scenes/caption.ts'
import { parseCaption } from '../../worlds/scenes/caption-parser.ts'
import { type JudgedPainting, judgePainting } from '../../worlds/scenes/painting.ts'
import type { SceneOptions } from '../../worlds/scenes/scene.ts'
import { type SceneWorldOptions, sceneWorld } from '../../worlds/scenes/scene-world.ts'
import type { EvaluationOptions, Metric } from './recipe.ts'

interface Painted {
  readonly caption: string
  /** Objects of the scene that the caption was made of. */
  readonly count: number
  readonly judged: JudgedPainting
}

/** How most of the images are painted. */
const usual: GenerateOptions = { steps: 20, guidance: 2, temperature: 1 }

/** A full caption says size, colour, shape and place of each object, and here the background too. */
type Wording = CaptionStyle | 'full with background'

/**
 * Paints captions of held-out scenes that look as those of training do (sizes, places), and reads the images back.
 * Shares are of images unless the note says otherwise.
 */
export async function evaluatePaintings(
  model: EmbeddedModel,
  options: EvaluationOptions,
  look: SceneOptions,
): Promise<Metric[]> {
  if (model.kind !== 'images')
    throw new GuerdonError('bad-option', 'this is measured on generators of images.')
  const paint = (wording: Wording, how: GenerateOptions = {}, world: SceneWorldOptions = look) =>
    painted(model, wording, { split: 'test', objects: [1, 2], ...world }, { ...usual, ...how }, options)
  const full = await paint('full with background')
  const metrics: Metric[] = [1, 2].flatMap((count) =>
    ofCount(
      count === 1 ? '1 object' : `${count} objects`,
      full.filter((one) => one.count === count),
    ),
  )
  metrics.push(
    mean('background right', full, ({ caption, judged: { recognised } }) =>
      Number(caption.endsWith(`${recognised.scene.background}.`)),
    ),
    mean(
      'pixels in no object',
      full,
      ({ judged }) => judged.recognised.unexplained,
      'share of those unlike the background, mean over images',
    ),
    share('objects right (background not named)', await paint('full'), ({ judged }) => judged.objectsRight),
  )
  const short = await paint('short')
  metrics.push(
    share('objects right (short captions)', short, ({ judged }) => judged.objectsRight),
    share(
      'counts above one right (short captions)',
      short.filter(({ caption }) => parseCaption(caption).claims.some(({ claim }) => claim.kind === 'count')),
      ({ judged }) => judged.objectsRight,
      'captions such as "two red circles."',
    ),
    mean(
      'relations true',
      await paint('relations'),
      ({ judged }) => judged.parts.relationAccuracy,
      'captions with relations, mean over images',
    ),
    share(
      'objects right (composition)',
      await paint('full with background', {}, { ...look, split: 'composition' }),
      ({ judged }) => judged.objectsRight,
      'with a pair of colour and shape that training never shows',
    ),
    share(
      'objects right (any layout)',
      await paint('full with background', {}, {}),
      ({ judged }) => judged.objectsRight,
      'captions of scenes as they usually are, where two objects may share a place',
    ),
  )
  const variants: readonly (readonly [name: string, how: GenerateOptions])[] = [
    ['guidance 1', { guidance: 1 }],
    ['guidance 4', { guidance: 4 }],
    ['10 steps', { steps: 10 }],
    ['50 steps', { steps: 50 }],
    ['temperature 0', { temperature: 0 }],
  ]
  for (const [name, how] of variants)
    metrics.push(
      share(
        `objects right, ${name}`,
        await paint('full with background', how),
        ({ judged }) => judged.objectsRight,
      ),
    )
  return metrics
}

/** What is measured of full captions with so many objects. */
function ofCount(name: string, all: readonly Painted[]): Metric[] {
  return [
    share(
      `objects right, ${name}`,
      all,
      ({ judged }) => judged.objectsRight,
      'colours and shapes, none missing, none more',
    ),
    share(`everything as the caption says, ${name}`, all, ({ judged }) => judged.allRight),
    share(`number of objects right, ${name}`, all, ({ judged }) => judged.countRight),
    mean(`colours right, ${name}`, all, ({ caption, judged }) => shown(caption, judged, 'colour')),
    mean(`shapes right, ${name}`, all, ({ caption, judged }) => shown(caption, judged, 'shape')),
    mean(
      `attributes right, ${name}`,
      all,
      ({ judged }) => judged.parts.attributeAccuracy,
      'colour, size and place of the shapes that are there, mean over images',
    ),
  ]
}

/** Share of the colours, or shapes, that a caption lists which objects of the image have, each object once. */
function shown(caption: string, { recognised }: JudgedPainting, attribute: 'colour' | 'shape'): number {
  const left = recognised.scene.objects.map((object): string => object[attribute])
  const wanted = parseCaption(caption).claims.flatMap(({ claim }) =>
    claim.kind === 'object'
      ? [claim.noun[attribute]]
      : claim.kind === 'count'
        ? new Array(claim.count).fill(claim.noun[attribute])
        : [],
  )
  const found = wanted.filter((value) => {
    const at = left.indexOf(value)
    if (at >= 0) left.splice(at, 1)
    return at >= 0
  })
  return found.length / Math.max(1, wanted.length)
}

async function painted(
  model: EmbeddedImageGenerator,
  wording: Wording,
  world: SceneWorldOptions,
  how: GenerateOptions,
  { seed, samples, signal }: EvaluationOptions,
): Promise<Painted[]> {
  const scenes = sceneWorld({ ...world, seed: `evaluation/${seed}` }).scenes(samples)
  const captions = scenes.map((scene) => {
    const style = wording === 'full with background' ? 'full' : wording
    const caption = captionOf(scene, new Rng(scene.id), { style, order: 'random' })
    return wording === style ? caption : `${caption} the background is ${scene.background}.`
  })
  const images = await model.generate(captions, { ...how, seed, ...(signal === undefined ? {} : { signal }) })
  return images.map(({ output }, index) => ({
    caption: captions[index]!,
    count: scenes[index]!.objects.length,
    judged: judgePainting(captions[index]!, output),
  }))
}

/** Mean over images of what is a number of them. */
function mean(
  name: string,
  all: readonly Painted[],
  numberOf: (one: Painted) => number | null,
  note?: string,
): Metric {
  const interval = meanInterval(all.flatMap((one) => numberOf(one) ?? []))
  return { name, interval, ...(note === undefined ? {} : { note }) }
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
