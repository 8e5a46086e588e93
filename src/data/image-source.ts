import {
  type ImagePart,
  type ImageSource,
  isDialogue,
  isObject,
  type Message,
  type Part,
  type Turns,
} from '../core/index.ts'

/**
 * An image as data sets write it: a path, a URL, a data URL, bare base64 of a known format, bytes, Hugging Face's
 * `{bytes, path}`, the hub viewer's `{src}`, OpenAI's `{url}`, a native `{path}`. `undefined` for anything else.
 */
export function imageSourceFrom(value: unknown): ImageSource | undefined {
  if (typeof value === 'string') return value === '' ? undefined : fromText(value)
  if (value instanceof Uint8Array) return { bytes: value }
  if (!isObject(value)) return undefined
  if (value.bytes !== undefined && value.bytes !== null) {
    const bytes = bytesFrom(value.bytes)
    return bytes && { bytes, ...(typeof value.mediaType === 'string' ? { mediaType: value.mediaType } : {}) }
  }
  for (const key of ['url', 'src']) if (typeof value[key] === 'string') return fromText(value[key])
  return typeof value.path === 'string' && value.path !== '' ? { path: value.path } : undefined
}

function fromText(text: string): ImageSource {
  if (/^(?:https?|data):/i.test(text)) return { url: text }
  if (/^file:\/\//i.test(text)) return { path: decodeURIComponent(new URL(text).pathname) }
  const mediaType = text.length > 64 ? base64Kinds.find(([head]) => text.startsWith(head))?.[1] : undefined
  if (mediaType && /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text))
    return { url: `data:${mediaType};base64,${text}` }
  return { path: text }
}

/** First letters of base64 for each format's magic bytes. */
const base64Kinds: readonly [head: string, mediaType: string][] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
]

function bytesFrom(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return Buffer.from(value, 'base64')
  if (Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256))
    return Uint8Array.from(value)
  return undefined
}

/** A source as one JSON value: a path or URL as it is, bytes as a data URL. */
export function imageText(source: ImageSource): string {
  if ('path' in source) return source.path
  if ('url' in source) return source.url
  return `data:${source.mediaType ?? 'application/octet-stream'};base64,${Buffer.from(source.bytes).toString('base64')}`
}

/**
 * A prompt with the images of its row's image column: they fill the places marked by `{"type":"image"}` parts or by
 * `<image>` in the text, in order; where nothing marks a place they stand before the text (of the first user turn).
 * A sentence where marks and images differ in number.
 */
export function withImages(
  prompt: Turns,
  images: readonly ImageSource[],
): { turns: Turns } | { problem: string } {
  if (images.length === 0) return { turns: prompt }
  const parts = countMarks(prompt, markParts)
  const marks = parts > 0 ? parts : countMarks(prompt, markTexts)
  if (marks > 0 && marks !== images.length)
    return { problem: `has ${images.length} image(s) for ${marks} marked place(s).` }
  const queue = [...images]
  const fill = (content: string | readonly Part[]): string | readonly Part[] => {
    if (parts > 0)
      return typeof content === 'string'
        ? content
        : content.map((part) => (isOpenMark(part) ? { ...part, image: queue.shift()! } : part))
    const split = asParts(content).flatMap((part) =>
      part.type === 'text' ? splitAtMarks(part.text, queue) : [part],
    )
    return split.some((part) => part.type !== 'text') ? split : content
  }
  if (marks > 0) return { turns: mapContent(prompt, fill) }
  const before: ImagePart[] = images.map((image) => ({ type: 'image', image }))
  if (!isDialogue(prompt)) return { turns: [...before, ...asParts(prompt as string | readonly Part[])] }
  const first = prompt.findIndex((message) => message.role === 'user')
  if (first < 0) return { problem: 'has images and no user turn that they could stand in.' }
  return {
    turns: prompt.map((message, index) =>
      index === first ? { ...message, content: [...before, ...asParts(message.content)] } : message,
    ),
  }
}

const imageMark = '<image>'

function splitAtMarks(text: string, queue: ImageSource[]): Part[] {
  const pieces = text.split(imageMark)
  return pieces.flatMap((piece, index): Part[] => [
    ...(piece === '' ? [] : [{ type: 'text' as const, text: piece }]),
    ...(index < pieces.length - 1 ? [{ type: 'image' as const, image: queue.shift()! }] : []),
  ])
}

const isOpenMark = (part: Part) => part.type === 'image' && part.image === undefined
const markParts = (content: string | readonly Part[]) =>
  typeof content === 'string' ? 0 : content.filter(isOpenMark).length
const markTexts = (content: string | readonly Part[]) =>
  asParts(content).reduce(
    (sum, part) => sum + (part.type === 'text' ? part.text.split(imageMark).length - 1 : 0),
    0,
  )

function countMarks(turns: Turns, count: (content: string | readonly Part[]) => number): number {
  return isDialogue(turns)
    ? turns.reduce((sum, message) => sum + count(message.content), 0)
    : count(turns as string | readonly Part[])
}

function mapContent(
  turns: Turns,
  change: (content: string | readonly Part[]) => string | readonly Part[],
): Turns {
  return isDialogue(turns)
    ? turns.map((message): Message => ({ ...message, content: change(message.content) }))
    : change(turns as string | readonly Part[])
}

function asParts(content: string | readonly Part[]): readonly Part[] {
  return typeof content !== 'string' ? content : content === '' ? [] : [{ type: 'text', text: content }]
}
