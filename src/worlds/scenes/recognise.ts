import { backgroundRgb, backgrounds, colourRgb, colours, type Rgb, type Shape, shapes } from './attributes.ts'
import { type Component, connectedComponents } from './components.ts'
import type { Pixels } from './raster.ts'
import type { Scene, SceneObject } from './scene.ts'
import { shapeTemplate } from './shape-template.ts'

export interface RecogniseOptions {
  /** Regions of fewer pixels are taken for noise. @default 1.2% of the image, at least 8 */
  readonly leastArea?: number
  /** Regions that overlap their best shape less than this (IoU) are no objects. @default 0.6 */
  readonly leastFit?: number
}

export interface RecognisedScene {
  readonly scene: Scene
  /** Per object: IoU of its pixels with the shape that it was taken for. */
  readonly fits: readonly number[]
  /** Share of the pixels unlike the background that belong to no object. */
  readonly unexplained: number
}

/**
 * Reads a scene back from its pixels, so that generated images can be judged by the oracle. Every pixel takes the
 * nearest colour of the palette; regions of one colour take the shape and diameter that fit best. Exact for rendered
 * scenes without overlap, with noise up to about 12; for a denoiser's images a reading to be trusted as far as `fits`
 * and `unexplained` say. Overlapping objects of one colour are seen as one.
 */
export function recogniseScene(pixels: Pixels, options: RecogniseOptions = {}): RecognisedScene {
  const { width, height } = pixels
  const { leastArea = Math.max(8, Math.round(0.012 * width * height)), leastFit = 0.6 } = options
  const background = commonest(pixels)
  const labels = nearestLabels(pixels, backgroundRgb[background])
  const side = Math.min(width, height)
  const objects: SceneObject[] = []
  const fits: number[] = []
  let [foreground, explained] = [0, 0]
  for (const component of connectedComponents(labels, width)) {
    foreground += component.pixels.length
    if (component.pixels.length < leastArea) continue
    const { shape, diameter, fit } = bestShape(component, width)
    if (fit < leastFit) continue
    explained += component.pixels.length
    fits.push(fit)
    objects.push({
      shape,
      colour: colours[component.label - 1]!,
      size: diameter < 0.3 * side ? 'small' : 'large',
      rgb: meanRgb(pixels, component),
      diameter,
      box: component.box,
    })
  }
  return {
    scene: { id: 'recognised', width, height, background, objects, noise: 0 },
    fits,
    unexplained: foreground === 0 ? 0 : 1 - explained / foreground,
  }
}

/** The background colour that most pixels are near to. */
function commonest({ data }: Pixels): Scene['background'] {
  const votes = backgrounds.map(() => 0)
  for (let i = 0; i < data.length; i += 3) {
    const distances = backgrounds.map((name) => distance(data, i, backgroundRgb[name]))
    const least = Math.min(...distances)
    if (least < 60 ** 2) votes[distances.indexOf(least)]!++
  }
  return backgrounds[votes.indexOf(Math.max(...votes))]!
}

/** 0 for the background, 1 + index of the colour otherwise. */
function nearestLabels({ data }: Pixels, background: Rgb): Uint8Array {
  const palette = [background, ...colours.map((colour) => colourRgb[colour])]
  const labels = new Uint8Array(data.length / 3)
  for (let pixel = 0; pixel < labels.length; pixel++) {
    let best = Number.POSITIVE_INFINITY
    for (let label = 0; label < palette.length; label++) {
      const d = distance(data, pixel * 3, palette[label]!)
      if (d < best) {
        best = d
        labels[pixel] = label
      }
    }
  }
  return labels
}

function distance(data: Uint8Array, at: number, [red, green, blue]: Rgb): number {
  return (data[at]! - red) ** 2 + (data[at + 1]! - green) ** 2 + (data[at + 2]! - blue) ** 2
}

function bestShape(component: Component, width: number): { shape: Shape; diameter: number; fit: number } {
  const { box, pixels } = component
  const longest = Math.max(box[2] - box[0], box[3] - box[1])
  const filled = new Set(pixels)
  let best: { shape: Shape; diameter: number; fit: number } = { shape: 'circle', diameter: longest, fit: 0 }
  for (const shape of shapes)
    for (let diameter = Math.max(3, longest - 1); diameter <= longest + 2; diameter++) {
      const template = shapeTemplate(shape, diameter)
      let shared = 0
      const { spans } = template
      for (let s = 0; s < spans.length; s += 3)
        for (let x = spans[s + 1]!; x < spans[s + 2]!; x++)
          if (box[0] + x < width && filled.has((box[1] + spans[s]!) * width + box[0] + x)) shared++
      const fit = shared / (template.area + pixels.length - shared)
      if (fit > best.fit) best = { shape, diameter, fit }
    }
  return best
}

function meanRgb({ data }: Pixels, { pixels }: Component): Rgb {
  const channel = (offset: number) =>
    Math.round(pixels.reduce((sum, pixel) => sum + data[pixel * 3 + offset]!, 0) / pixels.length)
  return [channel(0), channel(1), channel(2)]
}
