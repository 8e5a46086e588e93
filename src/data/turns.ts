import {
  type Content,
  isDialogue,
  isObject,
  type Json,
  type JsonObject,
  type Message,
  type Part,
  type ToolCall,
  type Turns,
} from '../core/index.ts'
import { imageSourceFrom, imageText } from './image-source.ts'
import { kindOf } from './rows.ts'

/** Says that a value is not what it should be: the field's path below the one asked for, what, and how to mend it. */
export type Complain = (path: string, what: string, fix?: string) => Error

const roles: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  function_call: 'assistant',
  tool: 'tool',
  function: 'tool',
  observation: 'tool',
}

/** How each message stood in its file, so that writing gives back what was read: its spelling and unknown keys. */
const originals = new WeakMap<Message, JsonObject>()

/**
 * Plain text, content parts or messages, as people write them: OpenAI chat (`tool_calls`, `image_url`), ShareGPT's
 * `from`/`value`, TRL's bare `{"type":"image"}`, Qwen's `{"type":"image","image":...}`, or guerdon's own. Throws what
 * `complain` makes.
 */
export function turnsFrom(value: unknown, complain: Complain): Turns {
  if (typeof value === 'string') return value
  if (isObject(value) && isMessageLike(value)) return [messageFrom(value, '', complain)]
  if (!Array.isArray(value))
    throw complain('', `is ${kindOf(value)}, not text or a list of messages.`, 'Write text in double quotes.')
  const first: unknown = value[0]
  if (typeof first === 'string')
    throw complain(
      '',
      'is a list of texts where one output or prompt is wanted.',
      'Several outputs stand under "completions", or under any name with a mapping.',
    )
  if (first !== undefined && isObject(first) && isMessageLike(first)) return messagesFrom(value, complain)
  return value.map((part, index) => partFrom(part, String(index), complain))
}

/** A list of messages. */
function messagesFrom(value: readonly unknown[], complain: Complain): Message[] {
  return value.map((message, index) => messageFrom(message, String(index), complain))
}

/** Whether an object looks like one turn of a dialogue. */
export function isMessageLike(value: Record<string, unknown>): boolean {
  return typeof value.role === 'string' || (typeof value.from === 'string' && 'value' in value)
}

function messageFrom(raw: unknown, path: string, complain: Complain): Message {
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  if (!isObject(raw)) throw complain(path, `is ${kindOf(raw)}, not a message with role and content.`)
  const roleKey = typeof raw.role === 'string' ? 'role' : 'from'
  const role = roles[String(raw[roleKey]).toLowerCase()]
  if (role === undefined)
    throw complain(
      at(roleKey),
      `is ${JSON.stringify(raw[roleKey]) ?? 'missing'}.`,
      `Roles: ${Object.keys(roles).join(', ')}.`,
    )
  const rawContent = roleKey === 'role' ? raw.content : raw.value
  if (typeof rawContent === 'string' && raw.role === role && isPlain(raw)) return raw as unknown as Message
  const calls = raw.tool_calls ?? raw.toolCalls
  const content: Content =
    typeof rawContent === 'string'
      ? rawContent
      : (rawContent === null || rawContent === undefined) && Array.isArray(calls)
        ? ''
        : Array.isArray(rawContent)
          ? rawContent.map((part, index) => partFrom(part, `${at('content')}.${index}`, complain))
          : fail(complain(at('content'), `is ${kindOf(rawContent)}, not text or a list of parts.`))
  const id = raw.tool_call_id ?? raw.toolCallId
  const message: Message = {
    role,
    content,
    ...(Array.isArray(calls)
      ? {
          toolCalls: calls.map((call, index) => toolCallFrom(call, `${at('tool_calls')}.${index}`, complain)),
        }
      : {}),
    ...(typeof id === 'string' ? { toolCallId: id } : {}),
    ...(typeof raw.name === 'string' ? { name: raw.name } : {}),
  }
  originals.set(message, raw as JsonObject)
  return message
}

/** Whether a message says its role and content and nothing else. */
export function isBareMessage(message: Message): boolean {
  return Object.keys(originals.get(message) ?? message).every((key) => key === 'role' || key === 'content')
}

/** True for `{role, content}` with nothing that has to be read differently. */
function isPlain(raw: Record<string, unknown>): boolean {
  for (const key in raw)
    if (key !== 'role' && key !== 'content' && (key !== 'name' || typeof raw.name !== 'string')) return false
  return true
}

function toolCallFrom(raw: unknown, path: string, complain: Complain): ToolCall {
  const call = isObject(raw) && isObject(raw.function) ? raw.function : raw
  if (!isObject(raw) || !isObject(call) || typeof call.name !== 'string')
    throw complain(path, 'is not a tool call with a name.')
  return {
    name: call.name,
    arguments: argumentsFrom(call.arguments ?? call.parameters),
    ...(typeof raw.id === 'string' ? { id: raw.id } : {}),
  }
}

/** OpenAI writes arguments as JSON text; a text that is none stays text, for rewards to judge. */
function argumentsFrom(value: unknown): Json {
  if (typeof value !== 'string') return (value ?? {}) as Json
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

function partFrom(raw: unknown, path: string, complain: Complain): Part {
  if (typeof raw === 'string') return { type: 'text', text: raw }
  if (!isObject(raw) || typeof raw.type !== 'string')
    throw complain(path, `is ${kindOf(raw)}, not a content part with a type.`)
  const at = (key: string) => `${path}.${key}`
  switch (raw.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      if (typeof raw.text !== 'string') throw complain(at('text'), `is ${kindOf(raw.text)}, not text.`)
      return { type: 'text', text: raw.text }
    case 'image':
    case 'image_url':
    case 'input_image': {
      const given = raw.image ?? raw.image_url ?? raw.url ?? raw.path ?? fromAnthropic(raw.source)
      if (given === undefined || given === null) return { type: 'image' }
      const image = imageSourceFrom(given)
      if (!image) throw complain(path, 'holds an image that is not a path, URL, data URL or bytes.')
      return { type: 'image', image }
    }
    case 'video': {
      const frames = raw.frames ?? raw.video
      if (!Array.isArray(frames)) return { type: 'json', json: raw as Json }
      return {
        type: 'video',
        frames: frames.map(
          (frame, index) =>
            imageSourceFrom(frame) ??
            fail(complain(at(`frames.${index}`), `is ${kindOf(frame)}, not an image.`)),
        ),
        ...(typeof raw.framesPerSecond === 'number' ? { framesPerSecond: raw.framesPerSecond } : {}),
      }
    }
    case 'json':
      return { type: 'json', json: (raw.json ?? null) as Json }
    default:
      return { type: 'json', json: raw as Json } // audio, files and the like: kept as they are
  }
}

function fromAnthropic(source: unknown): unknown {
  if (!isObject(source)) return undefined
  return source.type === 'base64' ? `data:${source.media_type};base64,${source.data}` : source.url
}

/** Parquet turns a missing key into null: keys that are null are left out, at every depth; lists keep theirs. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value) || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      item === null && key !== 'content' ? [] : [[key, withoutNulls(item)]],
    ),
  )
}

/** Messages as OpenAI writes them; a message that was read from a file as it stood there. */
export function messageRecords(messages: readonly Message[]): JsonObject[] {
  return messages.map((message) => originals.get(message) ?? messageRecord(message))
}

function messageRecord({ role, content, toolCalls, toolCallId, name, ...rest }: Message): JsonObject {
  return {
    role,
    content: contentRecord(content),
    ...(toolCalls
      ? {
          tool_calls: toolCalls.map((call, index) => ({
            id: call.id ?? `call_${index}`,
            type: 'function',
            function: { name: call.name, arguments: JSON.stringify(call.arguments) },
          })),
        }
      : {}),
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
    ...(name === undefined ? {} : { name }),
    ...(rest as JsonObject),
  }
}

/** Content as OpenAI writes it: text, or parts with `image_url`. */
function contentRecord(content: Content): Json {
  return typeof content === 'string' ? content : content.map(partRecord)
}

function partRecord(part: Part): Json {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      if (!part.image) return { type: 'image' }
      return 'path' in part.image
        ? { type: 'image', image: part.image.path }
        : { type: 'image_url', image_url: { url: imageText(part.image) } }
    case 'video':
      return {
        type: 'video',
        frames: part.frames.map(imageText),
        ...(part.framesPerSecond === undefined ? {} : { framesPerSecond: part.framesPerSecond }),
      }
    case 'json':
      return { type: 'json', json: part.json }
  }
}

/** Turns as one JSON value, for guerdon's own files: text, parts or messages. */
export function turnsRecord(turns: Turns): Json {
  return isDialogue(turns) ? messageRecords(turns) : contentRecord(turns as Content)
}

function fail(error: Error): never {
  throw error
}
