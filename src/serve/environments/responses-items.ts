import { isObject, type Message, type Part } from '../../core/index.ts'
import { turnsFrom } from '../../data/turns.ts'
import { RequestProblem } from '../request-problem.ts'

/**
 * Items of OpenAI's Responses API (`input` and `output`) as messages: text and images of `message` items, calls, their
 * outputs. Reasoning and items of other kinds are left out. Throws a `RequestProblem` (422) that names the item.
 */
export function messagesOfItems(items: unknown, field: string): Message[] {
  if (typeof items === 'string') return [{ role: 'user', content: items }]
  if (!Array.isArray(items))
    throw new RequestProblem(422, 'bad-body', `"${field}" is neither text nor a list of items.`, { field })
  return items.flatMap((item, index) => messageOfItem(item, `${field}.${index}`))
}

function messageOfItem(item: unknown, field: string): Message[] {
  const problem = (what: string) => new RequestProblem(422, 'bad-body', `"${field}" ${what}`, { field })
  if (!isObject(item)) throw problem('is not an object.')
  const type = item.type ?? (typeof item.role === 'string' ? 'message' : undefined)
  switch (type) {
    case 'message':
      return messageFrom(item, field)
    case 'function_call':
      if (typeof item.name !== 'string') throw problem('is a call without a name.')
      return [
        {
          role: 'assistant',
          content: '',
          toolCalls: [
            {
              name: item.name,
              arguments: argumentsOf(item.arguments) as never,
              ...(typeof item.call_id === 'string' ? { id: item.call_id } : {}),
            },
          ],
        },
      ]
    case 'function_call_output':
      return [
        {
          role: 'tool',
          content: typeof item.output === 'string' ? item.output : JSON.stringify(item.output ?? null),
          ...(typeof item.call_id === 'string' ? { toolCallId: item.call_id } : {}),
        },
      ]
    default:
      return []
  }
}

function messageFrom(item: Record<string, unknown>, field: string): Message[] {
  const turns = turnsFrom([{ role: item.role, content: item.content ?? '' }], (path, what, fix) => {
    const place = path === '' ? field : `${field}.${path.replace(/^0\.?/, '')}`
    return new RequestProblem(422, 'bad-body', `"${place}" ${what}`, {
      field: place,
      ...(fix ? { fix } : {}),
    })
  })
  return turns as readonly Message[] as Message[]
}

/** `arguments` is a text of JSON; one that is none stays text. */
function argumentsOf(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? {}
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** The text of the last message, as a policy's answer. */
export function lastText(messages: readonly Message[]): string | undefined {
  const last = messages.at(-1)
  if (last?.role !== 'assistant' || (last.toolCalls?.length ?? 0) > 0) return undefined
  const { content } = last
  return typeof content === 'string'
    ? content
    : (content as readonly Part[]).map((part) => (part.type === 'text' ? part.text : '')).join('')
}
