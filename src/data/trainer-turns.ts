import {
  type Content,
  type ImageSource,
  imagesOf,
  isDialogue,
  type JsonObject,
  type Message,
  type Turns,
} from '../core/index.ts'
import { imageText } from './image-source.ts'
import { messageRecords } from './turns.ts'

// How trainers' rows hold prompts and answers.

/** Turns as messages: plain content is one, of that role. */
export function messagesOf(turns: Turns, role: 'user' | 'assistant'): readonly Message[] {
  return isDialogue(turns) ? turns : [{ role, content: turns as Content }]
}

/** A column of the prompt's images, as paths, URLs or data URLs; none without images. */
export function imagesBeside(prompt: Turns): JsonObject {
  const images: ImageSource[] = imagesOf(prompt)
  return images.length === 0 ? {} : { images: images.map(imageText) }
}

/** Messages whose images are bare marks: the images themselves stand in the column. */
export function marked(messages: readonly Message[]): JsonObject[] {
  return messageRecords(
    messages.map((message) =>
      typeof message.content === 'string' || !message.content.some((part) => part.type === 'image')
        ? message
        : {
            ...message,
            content: message.content.map((part) =>
              part.type === 'image' ? { type: 'image' as const } : part,
            ),
          },
    ),
  )
}
