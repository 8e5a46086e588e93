import { isObject, type Json, type JsonObject, type Mask } from '../../../core/index.ts'
import { runLengths } from './run-length.ts'

/** A mask with what was said of it. */
export interface LabelledMask {
  readonly mask: Mask
  readonly label?: string
  /** Index among the sample's images, where the item names one under `image`. */
  readonly image?: number
}

export interface MaskList {
  readonly masks: readonly LabelledMask[]
  /** Items whose mask cannot be read: too few corners, lengths of more pixels than the picture has. */
  readonly broken: number
}

/** Fields that may hold a mask; the first one present counts. */
const maskFields = ['segmentation', 'mask', 'rle', 'polygon', 'polygons', 'points'] as const
const labelFields = ['label', 'class', 'category', 'name'] as const
/** Fields that may hold a list of items. */
const listFields = ['masks', 'annotations', 'objects', 'segments', 'shapes'] as const

/**
 * Masks from JSON: a list of objects that hold one under `segmentation`, `mask`, `rle`, `polygon`, `polygons` or `points`
 * (COCO's annotations, the results of a segmenter, LabelMe's shapes), one such object, one mask of run lengths
 * (`{"size": [height, width], "counts": ...}`), or any of these under `masks`, `annotations`, `objects`, `segments` or
 * `shapes`. A polygon is a list of numbers x, y, ... or of points [x, y]; several belong to one mask. Items of a list that
 * have no such field are passed over. undefined when there is no mask at all.
 *
 * @example readMaskList([{ segmentation: { size: [2, 2], counts: [1, 2, 1] }, label: 'cat' }])
 */
export function readMaskList(json: Json | undefined): MaskList | undefined {
  if (Array.isArray(json))
    return joined(json.map((item) => (isObject(item) ? readItem(item as JsonObject) : undefined)))
  if (!isObject(json)) return undefined
  const object = json as JsonObject
  const lists = listFields.map((field) => object[field]).filter((list) => Array.isArray(list))
  return lists.length > 0 ? joined(lists.map(readMaskList)) : readItem(object)
}

function joined(lists: readonly (MaskList | undefined)[]): MaskList | undefined {
  const found = lists.filter((list) => list !== undefined)
  if (found.length === 0) return undefined
  return {
    masks: found.flatMap(({ masks }) => masks),
    broken: found.reduce((sum, { broken }) => sum + broken, 0),
  }
}

function readItem(item: JsonObject): MaskList | undefined {
  const field = maskFields.find((name) => item[name] !== undefined && item[name] !== null)
  const isBare = field === undefined && item.counts !== undefined && item.size !== undefined
  if (field === undefined && !isBare) return undefined
  const value = isBare ? item : item[field!]
  // Words, yes and no, or the name of a file under such a field are no broken mask.
  if (typeof value !== 'object' || (field === 'points' && (item.shape_type ?? 'polygon') !== 'polygon'))
    return undefined
  const mask = maskOf(value)
  if (mask === undefined) return { masks: [], broken: 1 }
  const label = labelOf(item)
  const { image } = item
  return {
    masks: [
      {
        mask,
        ...(label === undefined ? {} : { label }),
        ...(Number.isInteger(image) && (image as number) >= 0 ? { image: image as number } : {}),
      },
    ],
    broken: 0,
  }
}

function labelOf(item: JsonObject): string | undefined {
  const name = labelFields.map((field) => item[field]).find((value) => typeof value === 'string')
  if (name !== undefined) return name as string
  const { category_id: category } = item
  return typeof category === 'number' || typeof category === 'string' ? `category ${category}` : undefined
}

function maskOf(value: Json | undefined): Mask | undefined {
  if (isObject(value)) {
    const { size, counts } = value as JsonObject
    if (!Array.isArray(size) || size.length !== 2) return undefined
    if (typeof counts !== 'string' && !Array.isArray(counts)) return undefined
    const mask = { size: size as [number, number], counts: counts as string | number[] }
    return runLengths(mask) === undefined ? undefined : mask
  }
  if (!Array.isArray(value)) return undefined
  const isOne = typeof value[0] === 'number' || isPoint(value[0])
  const polygons = (isOne ? [value] : value).map(polygonOf)
  return polygons.length > 0 && polygons.every((polygon) => polygon !== undefined) ? { polygons } : undefined
}

const isPoint = (value: Json | undefined): value is number[] =>
  Array.isArray(value) && value.length === 2 && value.every((side) => typeof side === 'number')

/** At least three corners, as numbers in a row. */
function polygonOf(value: Json): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined
  const numbers: readonly Json[] = value.every(isPoint) ? value.flat() : value
  const isPolygon =
    numbers.length >= 6 && numbers.length % 2 === 0 && numbers.every((side) => Number.isFinite(side))
  return isPolygon ? (numbers as readonly number[]) : undefined
}
