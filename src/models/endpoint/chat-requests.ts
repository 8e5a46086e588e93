import { hash } from 'node:crypto'
import type { Json, JsonObject } from '../../core/index.ts'
import { isObject } from '../../core/index.ts'
import type { ChatOptions, ChatSeed } from '../chat-model.ts'

/** Fields of a request to `/chat/completions` besides model and messages. */
export function samplingFields(
  { maxTokens, temperature = 0, topP, stop, schema, seed }: ChatOptions,
  index: number,
  { isOpenAIs }: { readonly isOpenAIs: boolean },
): JsonObject {
  const own = typeof seed === 'object' ? (seed[index] ?? 0) : seed
  return {
    temperature,
    ...(topP === undefined || topP === 1 ? {} : { top_p: topP }),
    ...(maxTokens === undefined ? {} : { [isOpenAIs ? 'max_completion_tokens' : 'max_tokens']: maxTokens }),
    ...(stop === undefined || stop.length === 0 ? {} : { stop }),
    ...(own === undefined ? {} : { seed: seedNumber(own) }),
    ...(schema === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema',
            json_schema: { name: 'answer', schema, strict: isStrict(schema) },
          },
        }),
  }
}

/** A seed as endpoints take it: a whole number from 0, below 2^31. */
export function seedNumber(seed: ChatSeed): number {
  if (typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31) return seed
  return Number.parseInt(hash('sha256', String(seed), 'hex').slice(0, 8), 16) >>> 1
}

/** Whether a schema is of the kind that OpenAI enforces exactly: closed objects, all of whose properties are required. */
function isStrict(schema: Json): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict)
  if (!isObject(schema)) return true
  if (isObject(schema.properties)) {
    const required = Array.isArray(schema.required) ? schema.required : []
    const isClosed = schema.additionalProperties === false
    if (!isClosed || Object.keys(schema.properties).some((name) => !required.includes(name))) return false
  }
  return Object.values(schema).every((value) => isStrict(value as Json))
}
