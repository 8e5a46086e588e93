import { GuerdonError } from '../../core/index.ts'
import { rasterOf } from '../../models/chat-image.ts'
import type { ChatMessage } from '../../models/chat-model.ts'
import type { Raster } from '../../models/raster.ts'
import type { Tokenizer } from '../../models/tokenizer.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import type { DialogueMarks } from './manifest.ts'

/**
 * The tokens of a conversation up to where the answer begins: `before prompt between`, and for every earlier exchange
 * `before prompt between answer end`. System messages join the next prompt.
 */
export function conversationTokens(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  { before, between, end }: DialogueMarks,
): number[] {
  if (messages.at(-1)?.role !== 'user')
    throw new GuerdonError(
      'bad-conversation',
      'a conversation to be answered ends with a message of the user.',
    )
  const marks = (tokens: readonly string[]) => tokens.map((token) => tokenizer.id(token))
  const ids: number[] = []
  let isOpen = false
  for (const { role, text } of messages) {
    if (role === 'assistant') {
      ids.push(...marks(between), ...tokenizer.encode(text), tokenizer.id(end))
      isOpen = false
      continue
    }
    if (!isOpen) ids.push(...marks(before))
    ids.push(...tokenizer.encode(text))
    isOpen = true
  }
  return [...ids, ...marks(between)]
}

/** The one image of a conversation, if there is one. Throws a `GuerdonError` for more, or when it cannot be decoded. */
export async function imageOfConversation(messages: readonly ChatMessage[]): Promise<Raster | undefined> {
  const seen = messages.flatMap(({ images = [], frames = [] }) => [...images, ...frames])
  if (seen.length > 1)
    throw new GuerdonError('too-many-images', `${seen.length} images were given; the model sees one at most.`)
  return seen[0] && (await rasterOf(seen[0]))
}

interface ImageSpec {
  /** Side of the square [pixels]. */
  readonly size: number
  readonly channels?: number
}

/** Throws a `GuerdonError` (`bad-image-size`) for an image of another size than the model sees. */
export function checkImageSize({ width, height, data }: Raster, { size }: ImageSpec): void {
  if (width !== size || height !== size || data.length !== size * size * 4)
    throw new GuerdonError(
      'bad-image-size',
      `an image is ${width} x ${height} pixels, the model sees ${size} x ${size}.`,
      { fix: `Scale it to ${size} x ${size} pixels.` },
    )
}

/**
 * Images as Float[B, size, size, channels] in [0, 1], and where there is none (`dropped` Float[B]); transparency shows
 * white. Throws as `checkImageSize`.
 */
export function imageTensor(
  images: readonly (Raster | undefined)[],
  { size, channels = 3 }: ImageSpec,
): { readonly images: Tensor; readonly dropped: Tensor } {
  const pixels = size * size
  const data = new Float32Array(images.length * pixels * channels)
  images.forEach((image, row) => {
    if (image === undefined) return
    checkImageSize(image, { size })
    for (let pixel = 0; pixel < pixels; pixel++) {
      const opacity = image.data[pixel * 4 + 3]! / 255
      for (let channel = 0; channel < channels; channel++)
        data[(row * pixels + pixel) * channels + channel] =
          1 - opacity + (image.data[pixel * 4 + channel]! / 255) * opacity
    }
  })
  return {
    images: tensor(data, [images.length, size, size, channels]),
    dropped: tensor(
      Float32Array.from(images, (image) => (image === undefined ? 1 : 0)),
      [images.length],
    ),
  }
}
