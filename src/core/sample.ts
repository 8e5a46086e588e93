import { identityOf } from './identity.ts'
import type { Json } from './json.ts'

/** Where an image's bytes are; `data/images` reads them, with limits. Paths are relative to the dataset's file. */
export type ImageSource =
  | { readonly path: string }
  | { readonly url: string }
  | { readonly bytes: Uint8Array; readonly mediaType?: string }

export interface TextPart {
  readonly type: 'text'
  readonly text: string
}
export interface ImagePart {
  readonly type: 'image'
  /** Left out where the file only marks the place (`{"type":"image"}`) and the images stand in a column of their own. */
  readonly image?: ImageSource
}
export interface VideoPart {
  readonly type: 'video'
  readonly frames: readonly ImageSource[]
  readonly framesPerSecond?: number
}
/** Structured output: boxes, tool calls, actions, a chart's specification. */
export interface JsonPart {
  readonly type: 'json'
  readonly json: Json
}
export type Part = TextPart | ImagePart | VideoPart | JsonPart

export type Content = string | readonly Part[]

export interface ToolCall {
  readonly name: string
  readonly arguments: Json
  readonly id?: string
}

export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: Content
  readonly toolCalls?: readonly ToolCall[]
  /** Of a tool's answer: which call it answers. */
  readonly toolCallId?: string
  readonly name?: string
}

/** A prompt or an output: plain content, or turns. */
export type Turns = Content | readonly Message[]

/** One thing to judge. */
export interface Sample {
  /** Unique in its data set. */
  readonly id: string
  readonly prompt: Turns
  readonly output: Turns
  /** The gold answer, in whatever shape the reward asks for. Absent is not the same as null or empty. */
  readonly reference?: Json
  /** Samples of one group answer the same prompt. Default: the prompt's identity (see `groupOf`). */
  readonly group?: string
  /** Everything else that the row said: image sizes, reward method, model name, human label, ... */
  readonly meta: Readonly<Record<string, Json | undefined>>
}

export function isDialogue(turns: Turns): turns is readonly Message[] {
  return typeof turns !== 'string' && turns.length > 0 && 'role' in turns[0]!
}

/** The text of content: its text parts joined by nothing, other parts left out. */
export function textOfContent(content: Content): string {
  if (typeof content === 'string') return content
  let text = ''
  for (const part of content) if (part.type === 'text') text += part.text
  return text
}

/** What the model said: the text of plain content, or of the last assistant turn (empty when there is none). */
export function textOf(turns: Turns): string {
  if (typeof turns === 'string') return turns
  if (!isDialogue(turns)) return textOfContent(turns as Content)
  const last = turns.findLast((message) => message.role === 'assistant')
  return last === undefined ? '' : textOfContent(last.content)
}

/** The whole text of a prompt: plain content, or every turn on a line of its own, headed by its role when there are several. */
export function promptText(turns: Turns): string {
  if (!isDialogue(turns)) return textOf(turns)
  if (turns.length === 1) return textOfContent(turns[0]!.content)
  return turns.map((message) => `${message.role}: ${textOfContent(message.content)}`).join('\n')
}

/** Every image of a prompt or an output, in order (video frames included). */
export function imagesOf(turns: Turns): ImageSource[] {
  if (typeof turns === 'string') return []
  if (isDialogue(turns)) return turns.flatMap((message) => imagesOf(message.content))
  return (turns as readonly Part[]).flatMap((part) =>
    part.type === 'image' ? (part.image ? [part.image] : []) : part.type === 'video' ? part.frames : [],
  )
}

/** The first JSON part of an output, if it has one (`undefined` otherwise: JSON's own null is a value). */
export function jsonOf(turns: Turns): Json | undefined {
  if (typeof turns === 'string') return undefined
  if (isDialogue(turns)) {
    const last = turns.findLast((message) => message.role === 'assistant')
    return last && jsonOf(last.content)
  }
  return (turns as readonly Part[]).find((part) => part.type === 'json')?.json
}

/** What group a sample belongs to: its own `group`, or its prompt's identity. */
export function groupOf(sample: Sample): string {
  return sample.group ?? (typeof sample.prompt === 'string' ? sample.prompt : identityOf(sample.prompt))
}
