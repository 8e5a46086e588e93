import { hash } from 'node:crypto'
import { GuerdonError, type Json } from '../../core/index.ts'
import type { ChatImage } from '../chat-image.ts'
import type { ChatMessage } from '../chat-model.ts'
import { encodedOnce, imageIdentity } from '../image-identity.ts'

/** How an image stands in a message. */
type ImageUrl = (image: ChatImage) => Promise<string>

/** Messages as they are sent: images as data URLs. */
export function openaiMessages(conversation: readonly ChatMessage[]): Json[] | Promise<Json[]> {
  return messagesWith(conversation, async (image) => {
    const { bytes, mediaType } = await encodedOnce(image)
    return `data:${mediaType};base64,${Buffer.from(bytes).toString('base64')}`
  })
}

/** Names the messages by what is in them, for the key of a call. Throws as `encodedImage`. */
export function messagesIdentity(conversation: readonly ChatMessage[]): string | Promise<string> {
  const messages = messagesWith(conversation, imageIdentity)
  return messages instanceof Promise ? messages.then(hashOf) : hashOf(messages)
}

function hashOf(messages: readonly Json[]): string {
  return hash('sha256', JSON.stringify(messages), 'hex')
}

/**
 * Messages of one role in a row become one, since many chat templates want roles to alternate: texts alone are joined by
 * an empty line, texts and images become parts. Only images have to be waited for. Throws a `GuerdonError`
 * (`bad-conversation`) without any message.
 */
function messagesWith(conversation: readonly ChatMessage[], urlOf: ImageUrl): Json[] | Promise<Json[]> {
  if (conversation.length === 0) throw new GuerdonError('bad-conversation', 'the conversation is empty.')
  const turns: ChatMessage[][] = []
  for (const message of conversation) {
    const turn = turns.at(-1)
    if (turn?.[0]?.role === message.role) turn.push(message)
    else turns.push([message])
  }
  if (!conversation.some(hasImages)) return turns.map(textTurn)
  return Promise.all(
    turns.map((turn) => (turn.some(hasImages) ? turnWithImages(turn, urlOf) : textTurn(turn))),
  )
}

function textTurn(turn: readonly ChatMessage[]): Json {
  return { role: turn[0]!.role, content: turn.map(({ text }) => text).join('\n\n') }
}

async function turnWithImages(turn: readonly ChatMessage[], urlOf: ImageUrl): Promise<Json> {
  const parts = await Promise.all(
    turn.map(async ({ text, images = [], frames = [] }) => [
      ...(await Promise.all(
        [...images, ...frames].map(async (image) => ({
          type: 'image_url',
          image_url: { url: await urlOf(image) },
        })),
      )),
      ...(text === '' ? [] : [{ type: 'text', text }]),
    ]),
  )
  return { role: turn[0]!.role, content: parts.flat() }
}

function hasImages({ images = [], frames = [] }: ChatMessage): boolean {
  return images.length + frames.length > 0
}
