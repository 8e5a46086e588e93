import type { Rng } from '../../core/index.ts'
import { type Colour, colourRgb, colours, type Rgb } from './attributes.ts'
import { connectedComponents } from './components.ts'
import { countOf, matches, type Noun, nounText, withArticle } from './noun.ts'
import { intersectionOverUnion } from './oracle.ts'
import { objectMask, type Pixels, renderScene } from './raster.ts'
import type { Box, Scene } from './scene.ts'

/** What an instruction asks about. */
export interface TaskTarget {
  readonly noun: Noun
  /** Of presence: the colours that stand for yes and no. */
  readonly yes?: Colour
  readonly no?: Colour
}

/** A vision task whose answer is drawn as an image, and how to read the drawing. */
export interface TaskCodec<Label> {
  readonly name: string
  /** Instructions to train on, % being the noun ("red circle"), and for presence * and # the two colours. */
  readonly phrasings: readonly string[]
  /** Instructions kept for the test. */
  readonly heldOutPhrasings: readonly string[]
  target(scene: Scene, rng: Rng): TaskTarget
  /** The right answer. */
  label(scene: Scene, target: TaskTarget): Label
  /** The right answer as an image of the scene's size. */
  encode(scene: Scene, target: TaskTarget): Pixels
  decode(image: Pixels, target: TaskTarget): Label
  /** How good a decoded answer is; `higherIsBetter` says which way. */
  metric(decoded: Label, truth: Label): number
  readonly metricName: string
  readonly higherIsBetter: boolean
}

/** The instruction in one of the phrasings. */
export function instructionText(phrasing: string, { noun, yes, no }: TaskTarget): string {
  const name = nounText(noun)
  return phrasing
    .replace(/\ba %/g, withArticle(name))
    .replace(/\ball (the )?%/g, `all $1${nounText(noun, true)}`)
    .replaceAll('%', name)
    .replaceAll('*', yes ?? '')
    .replaceAll('#', no ?? '')
}

/** Half of the targets are there; absent ones share colour or shape with something that is, where possible. */
function drawNoun(scene: Scene, rng: Rng): Noun {
  const [object] = rng.shuffled(scene.objects)
  if (object === undefined) return { colour: rng.pick(colours) }
  const noun = rng.pick<Noun>([
    { shape: object.shape },
    { colour: object.colour },
    { colour: object.colour, shape: object.shape },
  ])
  if (rng.chance(0.5)) return noun
  const absent = colours.filter((colour) => countOf(scene, { ...noun, colour }) === 0)
  return absent.length === 0 ? noun : { ...noun, colour: rng.pick(absent) }
}

/** White where a matching object shows, black elsewhere. Label: one byte a pixel. Metric: IoU, 1 when both are empty. */
export function segmentation({
  threshold = 127,
}: {
  readonly threshold?: number
} = {}): TaskCodec<Uint8Array> {
  const label = (scene: Scene, { noun }: TaskTarget) =>
    objectMask(scene).map((owner) => (owner > 0 && matches(scene.objects[owner - 1]!, noun) ? 1 : 0))
  return {
    name: 'segmentation',
    phrasings: [
      'segment the %',
      'segment all % in the image',
      'mark the %',
      'mark all % in the image',
      'show all %',
      'segment %',
      'mark %',
      'show the % in the image',
    ],
    heldOutPhrasings: [
      'find and mark the %',
      'show where the % is',
      'mark where all % are',
      'segment all the %',
    ],
    target: (scene, rng) => ({ noun: drawNoun(scene, rng) }),
    label,
    encode: (scene, target) => grey(scene, label(scene, target), (value) => 255 * value),
    decode: (image) => Uint8Array.from(greyOf(image), (value) => (value > threshold ? 1 : 0)),
    metric: (decoded, truth) => {
      let [shared, union] = [0, 0]
      for (let i = 0; i < truth.length; i++) {
        if (decoded[i] && truth[i]) shared++
        if (decoded[i] || truth[i]) union++
      }
      return union === 0 ? 1 : shared / union
    },
    metricName: 'IoU',
    higherIsBetter: true,
  }
}

/** Of no scene's colours, and far from all of them. */
const outline: Rgb = [255, 0, 255]

/**
 * The image with a hollow rectangle, one pixel wide, on the edge of each matching object's box. Label: the boxes.
 * Metric: F1 at IoU 0.5, 1 when there are none and none were found.
 */
export function detection({
  leastPerimeter = 10,
}: {
  readonly leastPerimeter?: number
} = {}): TaskCodec<readonly Box[]> {
  const label = (scene: Scene, { noun }: TaskTarget) =>
    scene.objects.filter((object) => matches(object, noun)).map(({ box }) => box)
  return {
    name: 'detection',
    phrasings: [
      'outline the %',
      'outline all % in the image',
      'find the %',
      'find all % in the image',
      'outline %',
      'find %',
      'outline all %',
      'find all %',
    ],
    heldOutPhrasings: [
      'find and outline the %',
      'outline where the % is',
      'find where all % are',
      'outline all the %',
    ],
    target: (scene, rng) => ({ noun: drawNoun(scene, rng) }),
    label,
    encode(scene, target) {
      const image = renderScene(scene)
      for (const [x1, y1, x2, y2] of label(scene, target)) {
        for (let x = x1; x < x2; x++) for (const y of [y1, y2 - 1]) paint(image, x, y)
        for (let y = y1; y < y2; y++) for (const x of [x1, x2 - 1]) paint(image, x, y)
      }
      return image
    },
    decode({ width, data }) {
      const isOutline = new Uint8Array(data.length / 3).map((_, pixel) =>
        squaredDistance(data, pixel * 3, outline) < 90 ** 2 ? 1 : 0,
      )
      return connectedComponents(isOutline, width)
        .map(({ box }) => box)
        .filter(([x1, y1, x2, y2]) => 2 * (x2 - x1 + y2 - y1) >= leastPerimeter)
    },
    metric(decoded, truth) {
      const free = new Set(truth)
      let found = 0
      for (const box of decoded) {
        const hit = [...free].find((other) => intersectionOverUnion(box, other) >= 0.5)
        if (hit && free.delete(hit)) found++
      }
      const given = decoded.length + truth.length
      return given === 0 ? 1 : (2 * found) / given
    },
    metricName: 'F1@0.5',
    higherIsBetter: true,
  }
}

function paint({ width, data }: Pixels, x: number, y: number): void {
  data.set(outline, (y * width + x) * 3)
}

const farthest = 10

/**
 * Distance as grey, black at 0 m and white at 10 m, where the background is. A shape of constant real size that fills
 * 0.6 of the image stands at 0 m; nearness is in proportion to its diameter, so that depth can be seen. Label: metres,
 * one a pixel. Metric: root mean square error in metres.
 */
export function depth(): TaskCodec<Float32Array> {
  const label = (scene: Scene) => {
    const side = Math.min(scene.width, scene.height)
    return Float32Array.from(objectMask(scene), (owner) =>
      owner === 0 ? farthest : farthest * Math.max(0, 1 - scene.objects[owner - 1]!.diameter / (0.6 * side)),
    )
  }
  return {
    name: 'depth',
    phrasings: [
      'show depth',
      'show the depth',
      'show how near all is',
      'show the depth in the image',
      'depth',
      'mark depth',
      'the depth of the image',
      'show depth of the image',
    ],
    heldOutPhrasings: [
      'find the depth',
      'show how near the image is',
      'mark the depth of all',
      'depth of the image',
    ],
    target: () => ({ noun: {} }),
    label,
    encode: (scene) => grey(scene, label(scene), (metres) => Math.round((metres * 255) / farthest)),
    decode: (image) => greyOf(image).map((value) => (value * farthest) / 255),
    metric: (decoded, truth) => {
      let sum = 0
      for (let i = 0; i < truth.length; i++) sum += (decoded[i]! - truth[i]!) ** 2
      return Math.sqrt(sum / truth.length)
    },
    metricName: 'RMSE (m)',
    higherIsBetter: false,
  }
}

/** One colour all over: the instruction's first where a matching object is there, its second where none is. */
export function presence(): TaskCodec<boolean> {
  return {
    name: 'presence',
    phrasings: [
      'show * if there is a % else #',
      'if there is a % show * else show #',
      '* if a % is there else #',
      'show # if there is no % else *',
      'if a % is in the image then * else #',
      'if there is no % then # else *',
      'show * if a % is there else #',
      '# if there is no % else *',
    ],
    heldOutPhrasings: [
      '* if there is a % in the image else #',
      'if there is no % show # else *',
      'if a % is there then show * else #',
      'show # if no % is there else *',
    ],
    target(scene, rng) {
      const [yes, no] = rng.sample(colours, 2) as [Colour, Colour]
      return { noun: drawNoun(scene, rng), yes, no }
    },
    label: (scene, { noun }) => countOf(scene, noun) > 0,
    encode: (scene, target) => {
      const rgb = colourRgb[(countOf(scene, target.noun) > 0 ? target.yes : target.no) ?? 'red']
      const { width, height } = scene
      return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => rgb[i % 3]!) }
    },
    decode({ data }, { yes = 'red', no = 'blue' }) {
      const sums = [0, 0, 0]
      for (let i = 0; i < data.length; i++) sums[i % 3]! += data[i]!
      const mean = sums.map((sum) => (3 * sum) / data.length)
      return squaredDistance(mean, 0, colourRgb[yes]) <= squaredDistance(mean, 0, colourRgb[no])
    },
    metric: (decoded, truth) => (decoded === truth ? 1 : 0),
    metricName: 'accuracy',
    higherIsBetter: true,
  }
}

function squaredDistance(data: ArrayLike<number>, at: number, [red, green, blue]: Rgb): number {
  return (data[at]! - red) ** 2 + (data[at + 1]! - green) ** 2 + (data[at + 2]! - blue) ** 2
}

/** An image of three equal channels. */
function grey(
  { width, height }: Scene,
  values: ArrayLike<number>,
  brightness: (value: number) => number,
): Pixels {
  const data = new Uint8Array(width * height * 3)
  for (let i = 0; i < values.length; i++) data.fill(brightness(values[i]!), 3 * i, 3 * i + 3)
  return { width, height, data }
}

/** Mean of the three channels, one a pixel. */
function greyOf({ data }: Pixels): Float32Array {
  return new Float32Array(data.length / 3).map(
    (_, i) => (data[3 * i]! + data[3 * i + 1]! + data[3 * i + 2]!) / 3,
  )
}
