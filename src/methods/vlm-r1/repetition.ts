import { isObject, type Json } from '../../core/index.ts'
import { extractFence, extractJson } from '../../rewards/verifiable/extract/extract-json.ts'
import { duplicateShare, ngramPenalty } from '../../rewards/verifiable/text/repetition.ts'

/**
 * Minus the share of listed boxes that repeat an earlier one with the same label; of text without such a list, minus
 * the share of repeated word 6-grams. In [-1, 0].
 */
export function repetitionPenalty(response: string): number {
  const list = boxListIn(response)
  if (list.length === 0) return ngramPenalty(response, { size: 6 })
  const items = list.flatMap((item) =>
    isObject(item) && 'bbox_2d' in item && 'label' in item
      ? [JSON.stringify([item.bbox_2d, item.label])]
      : [],
  )
  const share = duplicateShare(items)
  return share === 0 ? 0 : -share
}

/** The list in the first json fence, else in the first fence of any kind, else standing bare in the text. */
function boxListIn(response: string): readonly Json[] {
  const fenced = extractFence(response, { language: 'json' }).value ?? extractFence(response).value
  const json = extractJson(fenced ?? bareList(response), { from: 'whole' }).value
  return Array.isArray(json) ? json : []
}

/** From the first "[ {" to the first "} ]" behind a "bbox_2d" and a "label"; '' when there is none. */
function bareList(text: string): string {
  const start = text.search(/\[\s*\{/)
  if (start < 0) return ''
  const box = text.indexOf('"bbox_2d"', start)
  const label = box < 0 ? -1 : text.indexOf('"label"', box)
  const end = label < 0 ? null : /\}\s*\]/.exec(text.slice(label))
  return end ? text.slice(start, label + end.index + end[0].length) : ''
}
