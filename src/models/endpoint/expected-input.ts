import type { ChatMessage } from '../chat-model.ts'

/** About how many tokens a conversation has: a quarter of its bytes, and what an image of its size usually counts. */
export function expectedInput(conversation: readonly ChatMessage[]): number {
  let tokens = 3
  for (const { text, images = [], frames = [] } of conversation) {
    tokens += 4 + Math.ceil(Buffer.byteLength(text) / 4)
    for (const image of [...images, ...frames])
      tokens +=
        'data' in image ? Math.min(1600, Math.max(85, Math.ceil((image.width * image.height) / 750))) : 1000
  }
  return tokens
}
