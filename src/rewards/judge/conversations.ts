import type { ImageSource, Unscored } from '../../core/index.ts'
import type { ImageOptions } from '../../data/images.ts'
import type { ChatMessage } from '../../models/chat-model.ts'
import type { Raster } from '../../models/raster.ts'
import { isUnread, readPictures } from '../pictures.ts'
import type { Query } from './judge-prompt.ts'

/** A conversation as models take it. */
export type Conversation = readonly ChatMessage[]

/**
 * Queries with their images loaded, in order; unscored (`bad-input`) where an image cannot be read. An image of several
 * queries is read once.
 */
export async function conversationsOf(
  queries: readonly Query[],
  options: ImageOptions = {},
): Promise<(Conversation | Unscored)[]> {
  const sources = new Set(
    queries.flatMap((query) => query.flatMap(({ images, frames }) => [...images, ...frames])),
  )
  const pictures = new Map<ImageSource, Raster | Unscored>()
  if (sources.size > 0) {
    const read = await readPictures([...sources], options)
    for (const [index, source] of [...sources].entries()) pictures.set(source, read[index]!)
  }
  return queries.map((query) => {
    const messages: ChatMessage[] = []
    for (const { role, text, images, frames } of query) {
      const loaded = [images, frames].map((list) => list.map((source) => pictures.get(source)!))
      const unread = loaded.flat().find(isUnread)
      if (unread) return unread
      const [stills, video] = loaded as Raster[][]
      messages.push({
        role,
        text,
        ...(stills!.length > 0 && { images: stills! }),
        ...(video!.length > 0 && { frames: video! }),
      })
    }
    return messages
  })
}

export function isConversation(item: Conversation | Unscored): item is Conversation {
  return Array.isArray(item)
}
