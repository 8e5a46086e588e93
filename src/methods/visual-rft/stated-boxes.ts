import type { Json } from '../../core/index.ts'
import { numberWords } from '../../worlds/scenes/attributes.ts'
import { boxListText, boxText, type ImageSize, parseBoxList } from '../../worlds/scenes/box-grammar.ts'
import type { Box } from '../../worlds/scenes/scene.ts'

/** A box and how sure its writer is, in [0, 1]; undefined where that was not said. */
export interface StatedBox {
  readonly box: Box
  readonly confidence: number | undefined
}

/** Confidence in tenths, as words: "zero" to "ten". */
const tenths: readonly string[] = numberWords.slice(0, 11)

/** `<box><4><8><12><16></box> nine`, one after the other; `none` without boxes. */
export function statedBoxesText(boxes: readonly StatedBox[], size: ImageSize): string {
  if (boxes.length === 0) return boxListText([], size)
  return boxes
    .map(({ box, confidence = 0 }) => `${boxText(box, size)} ${tenths[Math.round(confidence * 10)]}`)
    .join(' ')
}

/** Reads what `statedBoxesText` writes; what is neither a box nor the number after one is skipped. */
export function readStatedBoxes(text: string, size: ImageSize): StatedBox[] {
  return Array.from(text.matchAll(/(<box>.*?<\/box>)\s*([a-z]*)/g), ([, written, word]) => {
    const [read] = parseBoxList(written!, size).boxes
    const tenth = tenths.indexOf(word!)
    return read && { box: read.box, confidence: tenth < 0 ? undefined : tenth / 10 }
  }).filter((stated) => stated !== undefined)
}

/** The same as Visual-RFT reads it: `[{"Position": [x1, y1, x2, y2], "Confidence": 0.9}]`, pixels; what is unreadable stays unreadable. */
export function positionsJson(text: string, size: ImageSize): string {
  const boxes = readStatedBoxes(text, size)
  if (boxes.length === 0 && text.trim() !== 'none') return text
  return JSON.stringify(
    boxes.map(
      ({ box, confidence }): Json => ({
        Position: [...box],
        ...(confidence === undefined ? {} : { Confidence: confidence }),
      }),
    ),
  )
}
