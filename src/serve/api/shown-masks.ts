import { type Evidence, isObject, type Json, type Sample, type Turns } from '../../core/index.ts'
import { answerJson, jsonInText } from '../../rewards/verifiable/extract/answer-json.ts'
import { type LabelledMask, type MaskList, readMaskList } from '../../rewards/verifiable/masks/mask-list.ts'
import { maskOutline } from '../../rewards/verifiable/masks/mask-outline.ts'
import type { ShownMask, ShownMasks } from './wire.ts'

/** Most masks of one sample. */
const mostMasks = 100

type Found = LabelledMask & Pick<ShownMask, 'role' | 'good'>

/**
 * The masks of a sample: those that rewards point at, then what reference, output and meta hold (`readMaskList`). The
 * row may be an annotation itself: `meta.segmentation` with `meta.label`.
 *
 * @param maxCorners of all outlines together, about: more are drawn coarser
 */
export function shownMasks(
  { reference, output, meta }: Sample,
  evidence: readonly Evidence[],
  { maxCorners }: { readonly maxCorners: number },
): ShownMasks {
  const found: Found[] = evidence.flatMap((item) => (item.kind === 'mask' ? [item] : []))
  let left = 0
  const add = (role: ShownMask['role'], list: MaskList | undefined) => {
    if (list === undefined) return
    found.push(...list.masks.map((mask) => ({ ...mask, role })))
    left += list.broken
  }
  add(
    'reference',
    readMaskList(
      typeof reference === 'string' ? maskJson(reference, () => jsonInText(reference)) : reference,
    ),
  )
  add('predicted', readMaskList(outputJson(output)))
  const row = readMaskList(meta as Json)
  add('row', row)
  if (row === undefined)
    for (const value of Object.values(meta))
      if (isObject(value) || Array.isArray(value)) add('row', readMaskList(value as Json))

  // What a reward points at and the sample holds as well is drawn once.
  const own = new Map(
    found.map((one) => [`${one.role} ${one.image ?? 0} ${one.label ?? ''} ${JSON.stringify(one.mask)}`, one]),
  )
  const kept = [...own.values()].slice(0, mostMasks)
  const each = Math.max(200, Math.floor(maxCorners / Math.max(1, kept.length)))
  const shown = kept.flatMap(({ mask, role, label, image = 0, good }): ShownMask[] => {
    const outline = maskOutline(mask, { maxCorners: each })
    if (outline === undefined) return []
    const { isCoarse: _, ...drawn } = outline
    return [
      {
        image,
        role,
        ...(label === undefined ? {} : { label }),
        ...(good === undefined ? {} : { good }),
        ...drawn,
      },
    ]
  })
  return { shown, left: left + own.size - shown.length }
}

function outputJson(output: Turns): Json | undefined {
  if (typeof output === 'string') return maskJson(output, () => answerJson(output))
  return answerJson(output)
}

/** Only a text that may hold a mask is read as JSON: pages show many. */
function maskJson(text: string, read: () => Json | undefined): Json | undefined {
  return /"(?:segmentation|mask|rle|polygons?|points|counts)"/.test(text) ? read() : undefined
}
