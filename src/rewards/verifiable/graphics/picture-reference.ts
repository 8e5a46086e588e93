import { type Evidence, isObject, type Json, messageOf } from '../../../core/index.ts'
import { imageSourceFrom } from '../../../data/image-source.ts'
import type { Raster } from '../../../models/embedder.ts'
import { elementsOf, localName, type SvgElement } from './svg-document.ts'
import { isRendered, type SvgFailure, type SvgRendering, type SvgRenderOptions } from './svg-render.ts'

/** What a picture is compared with: another picture, the elements it should have, or both. */
export interface PictureReference {
  readonly raster?: Raster
  /** Names of the elements that draw, such as `circle`, each as often as it is wanted. */
  readonly elements?: readonly string[]
  readonly dataUrl?: string
}

export interface PictureReferenceOptions {
  readonly render: (svg: string, options?: SvgRenderOptions) => SvgRendering | SvgFailure
  readonly renderOptions?: SvgRenderOptions
  /** Folder that image paths start from. @default the current folder */
  readonly baseDirectory?: string
}

/** What was drawn, and what it was compared with where that can be shown. */
export function pictureEvidence(
  rendered: Pick<SvgRendering, 'dataUrl'>,
  reference: Pick<PictureReference, 'dataUrl'>,
): Evidence[] {
  return [
    { kind: 'image', role: 'rendered', dataUrl: rendered.dataUrl() },
    ...(reference.dataUrl ? [{ kind: 'image' as const, role: 'reference', dataUrl: reference.dataUrl }] : []),
  ]
}

/**
 * Reads a reference: an SVG document as text; an image (path, data URL, base64); or an object with `svg` or `image`,
 * and `elements` (a list of names, or a count for each name). A sentence about what is wrong when it is none of these.
 */
export async function readPictureReference(
  reference: Json | undefined,
  options: PictureReferenceOptions,
): Promise<PictureReference | string> {
  if (typeof reference === 'string')
    return reference.includes('<svg') ? fromSvg(reference, options) : fromImage(reference, options)
  if (!isObject(reference))
    return 'the reference must be an SVG document, an image, or an object with svg, image or elements'
  const elements = reference.elements === undefined ? undefined : elementNames(reference.elements)
  if (typeof elements === 'string') return elements
  const { svg, image } = reference
  const picture =
    typeof svg === 'string'
      ? fromSvg(svg, options)
      : image !== undefined
        ? await fromImage(image, options)
        : undefined
  if (typeof picture === 'string') return picture
  if (!picture && !elements) return 'the reference object has neither svg nor image nor elements'
  return { ...picture, ...(elements ? { elements } : {}) }
}

function fromSvg(svg: string, { render, renderOptions }: PictureReferenceOptions): PictureReference | string {
  const rendered = render(svg.slice(svg.indexOf('<svg')), { ...renderOptions, recover: true })
  if (!isRendered(rendered)) return `the reference cannot be rendered: ${rendered.problem}`
  return { raster: rendered.raster, elements: drawnElements(rendered.root), dataUrl: rendered.dataUrl() }
}

async function fromImage(
  value: unknown,
  { baseDirectory }: PictureReferenceOptions,
): Promise<PictureReference | string> {
  const source = imageSourceFrom(value)
  if (!source) return 'the reference is no image'
  try {
    const { loadImage } = await import('../../../data/images.ts')
    const { width, height, data } = await loadImage(
      source,
      baseDirectory === undefined ? {} : { baseDirectory },
    )
    return { raster: { width, height, data } }
  } catch (error) {
    return `the reference image cannot be read: ${messageOf(error)}`
  }
}

const drawing = new Set(['path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon', 'text', 'use'])

/** What these hold is not drawn where it stands. */
const stores = new Set(['defs', 'symbol', 'clipPath', 'mask', 'pattern', 'marker'])

/** Names of the elements of a document that draw, in order. */
export function drawnElements(root: SvgElement): string[] {
  const isShown = ({ name, attributes }: SvgElement) =>
    !stores.has(localName(name)) && attributes.get('display') !== 'none'
  const names: string[] = []
  for (const { name } of elementsOf(root, isShown))
    if (drawing.has(localName(name))) names.push(localName(name))
  return names
}

function elementNames(elements: unknown): string[] | string {
  if (Array.isArray(elements) && elements.every((name) => typeof name === 'string')) return elements
  if (isObject(elements)) {
    const counts = Object.entries(elements)
    const valid = counts.every(
      ([, count]) => Number.isInteger(count) && (count as number) >= 0 && (count as number) <= 10_000,
    )
    if (valid) return counts.flatMap(([name, count]) => Array<string>(count as number).fill(name))
  }
  return 'elements must be a list of names or a whole number for each name'
}
