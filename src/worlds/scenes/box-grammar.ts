import { isObject } from '../../core/index.ts'
import { inReadingOrder } from './caption.ts'
import { matches, type Noun, nounText, readNoun } from './noun.ts'
import type { Box, Scene } from './scene.ts'
import { boxSteps } from './vocabulary.ts'
import { WordReader, wordsOf } from './words.ts'

export interface LabelledBox {
  readonly label: string
  /** Pixels. */
  readonly box: Box
}

export interface ImageSize {
  readonly width: number
  readonly height: number
}

/** The objects that a noun fits, in reading order, each named by colour and shape. */
export function boxesOf(scene: Scene, noun: Noun = {}): LabelledBox[] {
  return inReadingOrder(scene)
    .filter((object) => matches(object, noun))
    .map(({ colour, shape, box }) => ({ label: nounText({ colour, shape }), box }))
}

/** `<box><x1><y1><x2><y2></box>` with edges in 64ths of the image, rounded. Exact at 32 and 64 pixels. */
export function boxText(box: Box, { width, height }: ImageSize): string {
  const step = (value: number, side: number) =>
    `<${Math.min(boxSteps, Math.max(0, Math.round((value / side) * boxSteps)))}>`
  return `<box>${step(box[0], width)}${step(box[1], height)}${step(box[2], width)}${step(box[3], height)}</box>`
}

/** A detection list: `red circle <box>...</box> blue square <box>...</box>`; `none` without boxes. */
export function boxListText(boxes: readonly LabelledBox[], size: ImageSize): string {
  return boxes.map(({ label, box }) => `${label} ${boxText(box, size)}`).join(' ') || 'none'
}

export interface ReadBoxes {
  readonly boxes: readonly LabelledBox[]
  /** True when the text is a detection list, a single box or `none`, and nothing else. */
  readonly wellFormed: boolean
}

/**
 * Reads a detection list, or boxes without labels (label ""). What cannot be read is skipped, so that a
 * policy's half-broken answer still shows what it found. Edges become whole pixels; boxes whose sides are swapped or
 * equal are kept as they are.
 */
export function parseBoxList(text: string, size: ImageSize): ReadBoxes {
  const reader = new WordReader(wordsOf(text))
  const boxes: LabelledBox[] = []
  let wellFormed = !reader.atEnd
  if (reader.takePhrase('none') && reader.atEnd) return { boxes, wellFormed }
  reader.position = 0
  while (!reader.atEnd) {
    const read = readNoun(reader)
    const box = readBox(reader, size)
    if (box === undefined) {
      wellFormed = false
      if (read === undefined) reader.take()
      continue
    }
    if (read?.plural) wellFormed = false
    boxes.push({ label: read === undefined ? '' : nounText(read.noun), box })
  }
  return { boxes, wellFormed }
}

function readBox(reader: WordReader, { width, height }: ImageSize): Box | undefined {
  const start = reader.position
  const edge = (side: number) => {
    const step = Number(/^<(\d{1,2})>$/.exec(reader.take() ?? '')?.[1] ?? Number.NaN)
    return step <= boxSteps ? Math.round((step / boxSteps) * side) : Number.NaN
  }
  if (reader.takePhrase('<box>')) {
    const box: Box = [edge(width), edge(height), edge(width), edge(height)]
    if (reader.takePhrase('</box>') && box.every(Number.isFinite)) return box
  }
  reader.position = start
  return undefined
}

/** The same list as box rewards read it: `[{"bbox_2d": [x1, y1, x2, y2], "label": "red circle"}]`, pixels. */
export function boxListJson(boxes: readonly LabelledBox[]): string {
  return JSON.stringify(boxes.map(({ label, box }) => ({ bbox_2d: box, label })))
}

/**
 * Reads what `boxListJson` writes, in a code fence or not. Items without four numbers are skipped and make it
 * ill-formed.
 */
export function parseBoxListJson(text: string): ReadBoxes {
  const body = /^\s*```(?:json)?\s*([\s\S]*?)\s*```\s*$/.exec(text)?.[1] ?? text
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return { boxes: [], wellFormed: false }
  }
  if (!Array.isArray(parsed)) return { boxes: [], wellFormed: false }
  const boxes = parsed.flatMap((item): LabelledBox[] => {
    const box = isObject(item) ? item.bbox_2d : undefined
    return isObject(item) && isFourNumbers(box)
      ? [{ label: typeof item.label === 'string' ? item.label : '', box }]
      : []
  })
  return { boxes, wellFormed: boxes.length === parsed.length }
}

function isFourNumbers(value: unknown): value is Box {
  return (
    Array.isArray(value) &&
    value.length === 4 &&
    value.every((edge) => typeof edge === 'number' && Number.isFinite(edge))
  )
}
