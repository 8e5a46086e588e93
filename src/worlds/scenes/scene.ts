import { GuerdonError, type Rng } from '../../core/index.ts'
import {
  type Background,
  backgrounds,
  type Colour,
  colourRgb,
  type ObjectType,
  objectTypes,
  type Rgb,
  type Shape,
  type SizeName,
  typeName,
} from './attributes.ts'
import { shapeTemplate } from './shape-template.ts'

/** [x1, y1, x2, y2] in pixels: edges, so that x2 - x1 is the width and pixel columns x1 to x2 - 1 are inside. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number]

export interface SceneObject {
  readonly shape: Shape
  readonly colour: Colour
  readonly size: SizeName
  /** The colour as painted, jitter included. */
  readonly rgb: Rgb
  /** Nominal width and height of the shape [pixels]; `box` is what the shape fills of it. */
  readonly diameter: number
  /** The tightest box around the shape's pixels, those hidden by later objects included. */
  readonly box: Box
}

/** What is in one image. Everything else (pixels, captions, answers) follows from it. */
export interface Scene {
  readonly id: string
  readonly width: number
  readonly height: number
  readonly background: Background
  /** In the order in which they are painted: a later object hides an earlier one. */
  readonly objects: readonly SceneObject[]
  /** Largest change of a channel by noise, 0 to 60. */
  readonly noise: number
}

export interface SceneOptions {
  /** Pixels. @default 32 */
  readonly width?: number
  /** Pixels. @default the width */
  readonly height?: number
  /** Fewest and most objects. @default [1, 5] */
  readonly objects?: readonly [fewest: number, most: number]
  /** Object types to draw from. @default all 48 */
  readonly types?: readonly ObjectType[]
  /**
   * Chooses the types of all objects of one scene instead (planted correlations). `types` and `repeat` then mean
   * nothing.
   */
  readonly chooseTypes?: (rng: Rng, count: number) => readonly ObjectType[]
  /**
   * Chance that an object takes colour, shape or both of an earlier one, so that counts above one and comparisons
   * are common. @default 0.4
   */
  readonly repeat?: number
  /** Diameter as a share of the shorter side, per size word. @default { small: [0.2, 0.26], large: [0.34, 0.41] } */
  readonly diameters?: Readonly<Record<SizeName, readonly [least: number, most: number]>>
  /** Chance that an object is large. @default 0.5 */
  readonly large?: number
  /**
   * How much of the smaller of two boxes may lie in the other: 0 keeps boxes a pixel apart. Larger values allow
   * partial occlusion. @default 0
   */
  readonly overlap?: number
  /** Boxes begin at multiples of this [pixels], in both directions: fewer places, for small generators. @default 1 */
  readonly grid?: number
  /** @default all three */
  readonly backgrounds?: readonly Background[]
  /** Largest change of a channel of an object's colour, 0 to 12. @default 8 */
  readonly jitter?: number
  /** Largest change of a channel of a single pixel, 0 to 60. @default 0 */
  readonly noise?: number
}

/** Small shapes in a large image with partial occlusion: 6 to 12 objects at 64 pixels unless told otherwise. */
export const crowd = {
  width: 64,
  objects: [6, 12],
  diameters: { small: [0.11, 0.14], large: [0.17, 0.2] },
  overlap: 0.3,
} as const satisfies SceneOptions

/** The most objects that a scene may hold. */
export const mostObjects = 16

const layouts = 60
const tries = 24

/**
 * Draws a scene. Sizes are drawn before places; where a layout does not fit, it is drawn anew, and after many
 * failures with small objects only. Throws a `GuerdonError` when the objects cannot fit at all.
 */
export function drawScene(id: string, rng: Rng, options: SceneOptions = {}): Scene {
  const { width = 32, height = width, objects: counts = [1, 5] } = options
  const { repeat = 0.4, overlap = 0, grid = 1, jitter = 8, noise = 0, large = 0.5 } = options
  const { types = objectTypes, backgrounds: choices = backgrounds } = options
  const { diameters = { small: [0.2, 0.26], large: [0.34, 0.41] } } = options
  checkOptions(width, height, counts, types, grid)
  const background = rng.pick(choices)
  const count = counts[0] === counts[1] ? counts[0] : rng.int(counts[0], counts[1] + 1)
  const chosen = options.chooseTypes?.(rng, count) ?? drawTypes(rng, count, types, repeat)
  const side = Math.min(width, height)
  for (let layout = 0; layout < layouts; layout++) {
    const placed: SceneObject[] = []
    for (const { shape, colour } of chosen) {
      const size: SizeName = layout < layouts / 2 && rng.chance(large) ? 'large' : 'small'
      const [least, most] = diameters[size]
      const diameter = rng.int(
        Math.ceil(least * side),
        (Math.max(Math.ceil(least * side), most * side) + 1) | 0,
      )
      const box = place(rng, shape, diameter, { width, height, overlap, grid }, placed)
      if (box === undefined) break
      placed.push({ shape, colour, size, diameter, box, rgb: jittered(rng, colour, jitter) })
    }
    if (placed.length === chosen.length) return { id, width, height, background, objects: placed, noise }
  }
  throw new GuerdonError(
    'scene-too-full',
    `${chosen.length} objects do not fit into ${width} x ${height} pixels.`,
    { fix: 'Draw fewer or smaller objects, allow `overlap`, or take a larger image (see `crowd`).' },
  )
}

function checkOptions(
  width: number,
  height: number,
  [fewest, most]: readonly [number, number],
  types: readonly ObjectType[],
  grid: number,
): void {
  const fail = (what: string, fix: string) => {
    throw new GuerdonError('bad-scene-options', what, { fix })
  }
  if (
    !(
      Number.isInteger(width) &&
      Number.isInteger(height) &&
      width >= 16 &&
      height >= 16 &&
      width <= 512 &&
      height <= 512
    )
  )
    fail(`${width} x ${height} is no size of a scene.`, 'Use whole numbers from 16 to 512.')
  if (
    !(
      Number.isInteger(fewest) &&
      Number.isInteger(most) &&
      fewest >= 0 &&
      fewest <= most &&
      most <= mostObjects
    )
  )
    fail(`objects [${fewest}, ${most}] is no range.`, `Use 0 <= fewest <= most <= ${mostObjects}.`)
  if (!(Number.isInteger(grid) && grid >= 1 && grid <= width))
    fail(`${grid} is no grid of places.`, 'Use whole numbers of pixels from 1 to the width.')
  if (types.length === 0) fail('there are no object types to draw from.', 'Give at least one.')
}

function drawTypes(rng: Rng, count: number, types: readonly ObjectType[], repeat: number): ObjectType[] {
  const drawn: ObjectType[] = []
  for (let i = 0; i < count; i++) {
    const fresh = rng.pick(types)
    if (i === 0 || !rng.chance(repeat)) {
      drawn.push(fresh)
      continue
    }
    const earlier = rng.pick(drawn)
    const kept = rng.int(0, 3)
    const wanted =
      kept === 0
        ? earlier
        : kept === 1
          ? { colour: earlier.colour, shape: fresh.shape }
          : { colour: fresh.colour, shape: earlier.shape }
    // A mixture of two allowed types may itself be held out.
    drawn.push(types === objectTypes || isAmong(types, wanted) ? wanted : fresh)
  }
  return drawn
}

function isAmong(types: readonly ObjectType[], { colour, shape }: ObjectType): boolean {
  for (const type of types) if (type.colour === colour && type.shape === shape) return true
  return false
}

function place(
  rng: Rng,
  shape: Shape,
  diameter: number,
  { width, height, overlap, grid }: Required<Pick<SceneOptions, 'width' | 'height' | 'overlap' | 'grid'>>,
  placed: readonly SceneObject[],
): Box | undefined {
  const template = shapeTemplate(shape, diameter)
  for (let attempt = 0; attempt < tries; attempt++) {
    const x = grid * rng.int(0, Math.floor((width - template.width) / grid) + 1)
    const y = grid * rng.int(0, Math.floor((height - template.height) / grid) + 1)
    const box: Box = [x, y, x + template.width, y + template.height]
    let free = true
    for (let i = 0; i < placed.length && free; i++) free = isApart(box, placed[i]!.box, overlap)
    if (free) return box
  }
  return undefined
}

function isApart(a: Box, b: Box, overlap: number): boolean {
  const gap = overlap === 0 ? 1 : 0
  const across = Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + gap
  const down = Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + gap
  if (across <= 0 || down <= 0) return true
  if (overlap === 0) return false
  return across * down <= overlap * Math.min(area(a), area(b))
}

export function area(box: Box): number {
  return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1])
}

function jittered(rng: Rng, colour: Colour, jitter: number): Rgb {
  const base = colourRgb[colour]
  if (jitter === 0) return base
  const shifted = (channel: number) => Math.min(255, Math.max(0, channel + rng.int(-jitter, jitter + 1)))
  return [shifted(base[0]), shifted(base[1]), shifted(base[2])]
}

/** The names of a scene's objects ("red circle"), in painting order, repeats kept: what POPE and CHAIR ask for. */
export function namesOf(scene: Scene): string[] {
  return scene.objects.map(typeName)
}
