import { GuerdonError, isObject } from '../../../core/index.ts'
import type { Detection, GoldObject } from './average-precision.ts'
import { isBox } from './boxes.ts'

/**
 * The annotations of a COCO data set (the parsed `instances_*.json`), for `averagePrecision` with `boxes: 'xywh'`.
 * Like the official evaluation it reads `iscrowd` and `area`, and passes over a field `ignore`.
 *
 * @throws GuerdonError  `bad-coco`, naming the annotation
 */
export function goldFromCoco(dataset: unknown): GoldObject[] {
  if (!isObject(dataset) || !Array.isArray(dataset.annotations))
    throw new GuerdonError('bad-coco', 'has no list `annotations`.', {
      fix: 'Give the parsed instances file.',
    })
  return dataset.annotations.map((annotation: unknown, index) => {
    const row = rowOf(annotation, `annotations[${index}]`)
    const area = typeof row.fields.area === 'number' ? { area: row.fields.area } : {}
    const crowd = row.fields.iscrowd ? { crowd: true } : {}
    return { image: row.image, label: row.label, box: row.box, ...area, ...crowd }
  })
}

/**
 * Detections in COCO's result format (a list of {image_id, category_id, bbox, score}, or a data set whose annotations
 * have scores), for `averagePrecision` with `boxes: 'xywh'`.
 *
 * @throws GuerdonError  `bad-coco`, naming the detection
 */
export function detectionsFromCoco(results: unknown): Detection[] {
  const rows = isObject(results) ? results.annotations : results
  if (!Array.isArray(rows)) throw new GuerdonError('bad-coco', 'is not a list of detections.')
  return rows.map((detection: unknown, index) => {
    const { fields, image, label, box } = rowOf(detection, `detections[${index}]`)
    if (typeof fields.score !== 'number')
      throw new GuerdonError('bad-coco', `detections[${index}] has no number \`score\`.`)
    return { image, label, box, score: fields.score }
  })
}

function rowOf(row: unknown, where: string) {
  const fields = isObject(row) ? row : {}
  const { image_id: image, category_id: label, bbox: box } = fields
  if (!isId(image) || !isId(label))
    throw new GuerdonError('bad-coco', `${where} lacks \`image_id\` or \`category_id\`.`)
  if (!isBox(box))
    throw new GuerdonError('bad-coco', `${where}: \`bbox\` is not four finite numbers [x, y, width, height].`)
  return { fields, image, label, box }
}

const isId = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number'
