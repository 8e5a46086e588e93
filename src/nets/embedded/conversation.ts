import { GuerdonError } from '../../core/index.ts'
import type { ChatMessage } from '../../models/chat-model.ts'
import type { Raster } from '../../models/embedder.ts'
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

/** The one image of a conversation, if there is one. */
export function imageOfConversation(messages: readonly ChatMessage[]): Raster | undefined {
  const images = messages.flatMap(({ images = [] }) => images)
  if (images.length > 1)
    throw new GuerdonError(
      'too-many-images',
      `${images.length} images were given; the model sees one at most.`,
    )
  return images[0]
}

/**
 * Images as Float[B, size, size, channels] in [0, 1], and where there is none (`dropped` Float[B]); transparency shows
 * white. Throws a `GuerdonError` (`bad-image-size`) for another size.
 */
export function imageTensor(
  images: readonly (Raster | undefined)[],
  { size, channels = 3 }: { readonly size: number; readonly channels?: number },
): { readonly images: Tensor; readonly dropped: Tensor } {
  const pixels = size * size
  const data = new Float32Array(images.length * pixels * channels)
  images.forEach((image, row) => {
    if (image === undefined) return
    if (image.width !== size || image.height !== size || image.data.length !== pixels * 4)
      throw new GuerdonError(
        'bad-image-size',
        `an image is ${image.width} x ${image.height} pixels, the model sees ${size} x ${size}.`,
        { fix: `Scale it to ${size} x ${size} pixels.` },
      )
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
