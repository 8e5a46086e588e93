import { isObject, type Json, type JsonObject } from '../../../core/index.ts'
import { type Box, type BoxFormat, isBox, type Size, toCorners } from './boxes.ts'

/** A box with what was said of it. */
export interface LabelledBox {
  readonly box: Box
  readonly label?: string | undefined
  /** As it was written, of any scale. */
  readonly confidence?: number | undefined
}

/** The same item with its box elsewhere. */
export function withBox({ label, confidence }: LabelledBox, box: Box): LabelledBox {
  return { box, label, confidence }
}

export interface BoxKeys {
  /** Fields that may hold the box; the first one present counts. @default 'bbox_2d', 'box', 'bbox', 'Position' */
  readonly box?: readonly string[]
  /** @default 'label', 'class', 'category', 'name' */
  readonly label?: readonly string[]
  /** @default 'confidence', 'Confidence', 'score' */
  readonly confidence?: readonly string[]
}

const anyKeys: Required<BoxKeys> = {
  box: ['bbox_2d', 'box', 'bbox', 'Position'],
  label: ['label', 'class', 'category', 'name'],
  confidence: ['confidence', 'Confidence', 'score'],
}

export interface BoxList {
  readonly boxes: readonly LabelledBox[]
  /** Items that hold no box: four finite numbers are missing. */
  readonly broken: number
}

/**
 * Boxes from JSON: a list of objects (`{"bbox_2d": [...], "label": "cat"}`), of plain boxes `[x1, y1, x2, y2]` or of
 * pairs `["cat", [x1, y1, x2, y2]]`; one such item alone; or any of these under `boxes`. Boxes come out as corners.
 * undefined when it is none of these.
 */
export function readBoxList(
  json: Json | undefined,
  format: BoxFormat = 'xyxy',
  keys: BoxKeys = {},
): BoxList | undefined {
  const { box = anyKeys.box, label = anyKeys.label, confidence = anyKeys.confidence } = keys
  const names = { box, label, confidence }
  if (isObject(json) && Array.isArray(json.boxes)) return readBoxList(json.boxes, format, keys)
  if (isObject(json))
    return firstOf(json as JsonObject, box) === undefined
      ? undefined
      : readItems([json as Json], format, names)
  if (!Array.isArray(json)) return undefined
  return readItems(
    json.length === 4 && json.every((item) => typeof item === 'number') ? [json] : json,
    format,
    names,
  )
}

function readItems(items: readonly Json[], format: BoxFormat, keys: Required<BoxKeys>): BoxList {
  const boxes: LabelledBox[] = []
  for (const item of items) {
    const read = readItem(item, format, keys)
    if (read) boxes.push(read)
  }
  return { boxes, broken: items.length - boxes.length }
}

function readItem(item: Json, format: BoxFormat, keys: Required<BoxKeys>): LabelledBox | undefined {
  if (isBox(item)) return { box: toCorners(item, format) }
  if (Array.isArray(item)) {
    const [label, box] = item
    return item.length === 2 && typeof label === 'string' && isBox(box)
      ? { box: toCorners(box, format), label }
      : undefined
  }
  if (!isObject(item)) return undefined
  const object = item as JsonObject
  const box = firstOf(object, keys.box)
  if (!isBox(box)) return undefined
  const label = firstOf(object, keys.label)
  const confidence = firstOf(object, keys.confidence)
  return {
    box: toCorners(box, format),
    label: typeof label === 'string' ? label : undefined,
    confidence: Number.isFinite(confidence) ? (confidence as number) : undefined,
  }
}

function firstOf(object: JsonObject, keys: readonly string[]): Json | undefined {
  for (const key of keys) {
    const value = object[key]
    if (value !== undefined) return value
  }
  return undefined
}

/** What the two sizes of a picture are: the file's, and that of the pixels the model was shown. */
export interface PictureSizes {
  readonly image: Size
  readonly input: Size
}

/**
 * Sizes named by a row: `width` and `height` (or `image_width`, `image_height`), and `input_width` and
 * `input_height` (or `image_grid_thw`, patches of 14 pixels). undefined when either is missing.
 */
export function pictureSizes(meta: JsonObject): PictureSizes | undefined {
  const image = sizeOf(meta.width ?? meta.image_width, meta.height ?? meta.image_height)
  const grid = Array.isArray(meta.image_grid_thw) ? meta.image_grid_thw : []
  const input = sizeOf(meta.input_width ?? patches(grid[2]), meta.input_height ?? patches(grid[1]))
  return image && input ? { image, input } : undefined
}

/** The image's own size, where the row names it. */
export function imageSize(meta: JsonObject): Size | undefined {
  return sizeOf(meta.width ?? meta.image_width, meta.height ?? meta.image_height)
}

function sizeOf(width: Json | undefined, height: Json | undefined): Size | undefined {
  return isLength(width) && isLength(height) ? { width, height } : undefined
}

/** Sides of a picture, within what keeps rescaled coordinates sane. */
const isLength = (value: unknown): value is number =>
  typeof value === 'number' && value >= 1e-6 && value <= 1e9

const patches = (count: Json | undefined) => (typeof count === 'number' ? count * 14 : undefined)
