import type { Raster } from '../../models/embedder.ts'
import { backgroundRgb } from './attributes.ts'
import type { Scene } from './scene.ts'
import { shapeTemplate } from './shape-template.ts'

/** An RGB image: rows from the top, three bytes a pixel. */
export interface Pixels {
  readonly width: number
  readonly height: number
  /** `width * height * 3` bytes. */
  readonly data: Uint8Array
}

/** Paints a scene. Edges are hard, so that every pixel belongs to exactly one object or to the background. */
export function renderScene(scene: Scene): Pixels {
  const data = new Uint8Array(scene.width * scene.height * 3)
  renderInto(scene, data)
  return { width: scene.width, height: scene.height, data }
}

/** Paints a scene into `target` from byte `offset` on (a batch: [B, H, W, 3]). */
export function renderInto(scene: Scene, target: Uint8Array, offset = 0): void {
  const { width, height } = scene
  const [red, green, blue] = backgroundRgb[scene.background]
  const end = offset + width * height * 3
  for (let i = offset; i < end; i += 3) {
    target[i] = red
    target[i + 1] = green
    target[i + 2] = blue
  }
  for (const { shape, diameter, box, rgb } of scene.objects) {
    const { spans } = shapeTemplate(shape, diameter)
    const [r, g, b] = rgb
    for (let s = 0; s < spans.length; s += 3) {
      const row = offset + (box[1] + spans[s]!) * width * 3
      const last = row + (box[0] + spans[s + 2]!) * 3
      for (let i = row + (box[0] + spans[s + 1]!) * 3; i < last; i += 3) {
        target[i] = r
        target[i + 1] = g
        target[i + 2] = b
      }
    }
  }
  if (scene.noise > 0) addNoise(target, offset, end, scene)
}

/** Uniform noise in every channel, from a generator seeded by the scene's name (xorshift: quicker than `Rng`). */
function addNoise(target: Uint8Array, start: number, end: number, { id, noise }: Scene): void {
  let state = 0x9e3779b9
  for (let i = 0; i < id.length; i++) state = Math.imul(state ^ id.charCodeAt(i), 0x01000193) | 1
  const width = 2 * noise + 1
  for (let i = start; i < end; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    const value = target[i]! + (((state >>> 8) % width) - noise)
    target[i] = Math.max(0, Math.min(255, value))
  }
}

/** Which object each pixel shows: index + 1, 0 for the background. `width * height` bytes. */
export function objectMask(scene: Scene): Uint8Array {
  const mask = new Uint8Array(scene.width * scene.height)
  scene.objects.forEach(({ shape, diameter, box }, index) => {
    const { spans } = shapeTemplate(shape, diameter)
    for (let s = 0; s < spans.length; s += 3) {
      const row = (box[1] + spans[s]!) * scene.width
      mask.fill(index + 1, row + box[0] + spans[s + 1]!, row + box[0] + spans[s + 2]!)
    }
  })
  return mask
}

/** Share of each object's pixels that no later object hides, in painting order. */
export function visibleShares(scene: Scene): number[] {
  const seen = new Array<number>(scene.objects.length + 1).fill(0)
  for (const index of objectMask(scene)) seen[index]!++
  return scene.objects.map(
    ({ shape, diameter }, index) => seen[index + 1]! / shapeTemplate(shape, diameter).area,
  )
}

/** The image with an opaque alpha channel, as `Embedder.embedImage` takes it. */
export function toRaster({ width, height, data }: Pixels): Raster {
  const rgba = new Uint8Array(width * height * 4)
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from]!
    rgba[to + 1] = data[from + 1]!
    rgba[to + 2] = data[from + 2]!
    rgba[to + 3] = 255
  }
  return { width, height, data: rgba }
}
