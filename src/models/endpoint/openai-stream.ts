import { isObject } from '../../core/index.ts'
import { malformed, objectOf } from './endpoint.ts'

/**
 * The body of a whole answer from one that came in pieces (server-sent events). Throws a `CallError` (to be tried again)
 * where it was cut off: neither `[DONE]` nor a reason for its end came.
 */
export function bodyOfStream(text: string): Record<string, unknown> {
  let isWhole = false
  let usage: unknown
  let finish: unknown = null
  const message: Record<'content' | 'reasoning_content' | 'refusal', string | null> = {
    content: null,
    reasoning_content: null,
    refusal: null,
  }
  for (const event of text.split(/\r?\n\r?\n/)) {
    const data = event
      .split(/\r?\n/)
      .flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trimStart()] : []))
      .join('\n')
    if (data === '') continue
    if (data === '[DONE]') {
      isWhole = true
      break
    }
    const piece = objectOf(data)
    if (isObject(piece.error)) throw malformed(`the answer broke off: ${String(piece.error.message)}`)
    if (isObject(piece.usage)) usage = piece.usage
    const choice = Array.isArray(piece.choices) ? piece.choices[0] : undefined
    if (!isObject(choice)) continue
    if (typeof choice.finish_reason === 'string') {
      finish = choice.finish_reason
      isWhole = true
    }
    const delta = isObject(choice.delta) ? choice.delta : {}
    for (const [name, value] of [
      ['content', delta.content],
      ['reasoning_content', delta.reasoning_content ?? delta.reasoning],
      ['refusal', delta.refusal],
    ] as const)
      if (typeof value === 'string') message[name] = (message[name] ?? '') + value
  }
  if (!isWhole) throw malformed('the answer was cut off')
  return { choices: [{ message, finish_reason: finish }], ...(usage === undefined ? {} : { usage }) }
}
