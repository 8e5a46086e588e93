import type { Raster } from '../../models/raster.ts'
import { typeName } from './attributes.ts'
import { parseCaption } from './caption-parser.ts'
import { isTrue } from './claims.ts'
import { type CaptionParts, oracle } from './oracle.ts'
import type { Pixels } from './raster.ts'
import { type RecognisedScene, recogniseScene } from './recognise.ts'

/** What an image painted from a caption shows of it. */
export interface JudgedPainting {
  /** What was read from the image. */
  readonly recognised: RecognisedScene
  /**
   * Whether the pairs of colour and shape that the caption lists are all there, as many of each, and nothing else; null
   * of a caption that lists none.
   */
  readonly objectsRight: boolean | null
  /** Whether there are as many objects as the caption lists; null of a caption that lists none. */
  readonly countRight: boolean | null
  /** `objectsRight`, and every claim of the caption is true. */
  readonly allRight: boolean
  /** The caption as judged against the image. */
  readonly parts: CaptionParts
}

/**
 * Judges an image by the caption that it was painted from: the caption is to be of this world's grammar, listing
 * objects with colour and shape ("a red circle and two blue squares."), as styles `short`, `full` and `relations` do.
 * Unlike the claims of `oracle.caption`, objects that the caption does not list count against the image.
 */
export function judgePainting(caption: string, image: Raster | Pixels): JudgedPainting {
  const recognised = recogniseScene(toPixels(image))
  const { scene } = recognised
  const { claims } = parseCaption(caption)
  const wanted = new Map<string, number>()
  for (const { claim } of claims) {
    if (claim.kind !== 'object' && claim.kind !== 'count') continue
    const { colour, shape } = claim.noun
    if (colour === undefined || shape === undefined) continue
    const name = typeName({ colour, shape })
    wanted.set(name, (wanted.get(name) ?? 0) + (claim.kind === 'count' ? claim.count : 1))
  }
  const total = [...wanted.values()].reduce((a, b) => a + b, 0)
  const shown = new Map<string, number>()
  for (const object of scene.objects) shown.set(typeName(object), (shown.get(typeName(object)) ?? 0) + 1)
  const lists = wanted.size > 0
  const countRight = lists ? scene.objects.length === total : null
  const objectsRight = lists
    ? countRight === true && [...wanted].every(([name, count]) => (shown.get(name) ?? 0) === count)
    : null
  return {
    recognised,
    objectsRight,
    countRight,
    allRight: objectsRight === true && claims.every(({ claim }) => isTrue(scene, claim) !== false),
    parts: oracle.caption(scene, caption).parts,
  }
}

/** Three bytes a pixel of four; the alpha channel is left out. */
function toPixels(image: Raster | Pixels): Pixels {
  const { width, height, data } = image
  if (data.length !== width * height * 4) return image
  const rgb = new Uint8Array(width * height * 3)
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3)
    rgb.set(data.subarray(from, from + 3), to)
  return { width, height, data: rgb }
}
