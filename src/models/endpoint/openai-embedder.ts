import { isObject } from '../../core/index.ts'
import type { Embedder } from '../embedder.ts'
import { failed, isFailed } from '../outcome.ts'
import { unitVector } from '../unit-vector.ts'
import { Endpoint, type EndpointOptions, malformed } from './endpoint.ts'
import { tokensUsed } from './openai-reply.ts'

export interface OpenAIEmbedderOptions extends EndpointOptions {
  /** Shorter vectors, where the model makes them. @default the model's own length */
  readonly dimensions?: number
}

/**
 * Texts as unit vectors from `/embeddings` of an endpoint that speaks OpenAI's protocol. Each text is a call of its own,
 * so that it is cached and fails by itself.
 *
 * @throws GuerdonError `bad-option` for an address or limit that is none
 */
export function openaiEmbedder(
  model: string,
  options: OpenAIEmbedderOptions = {},
): Embedder & Required<Pick<Embedder, 'embedText'>> {
  const endpoint = new Endpoint(options)
  const ask = endpoint.asking(model, 'embedding')
  const fields = options.dimensions === undefined ? {} : { dimensions: options.dimensions }
  let dimensions = options.dimensions
  return {
    id: `${endpoint.idOf(model)}${dimensions === undefined ? '' : `/${dimensions}`}`,
    get dimensions() {
      return dimensions
    },
    async embedText(texts, signal) {
      const outcomes = await ask(
        texts,
        (text) => ({
          identity: { text, ...fields },
          expected: { inputTokens: Math.ceil(Buffer.byteLength(text) / 4), outputTokens: 0 },
          send: async (stop) => {
            const body = await endpoint.post(
              '/embeddings',
              { model, input: text, encoding_format: 'base64', ...fields },
              stop,
            )
            const [item] = Array.isArray(body.data) ? body.data : []
            const vector = vectorOf(isObject(item) ? item.embedding : undefined)
            return {
              answer: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'),
              outputTokens: 0,
              ...tokensUsed(body),
            }
          },
        }),
        signal,
      )
      return outcomes.map((outcome) => {
        if (isFailed(outcome)) return outcome
        const vector = unitVector(floatsOf(outcome.answer))
        if (vector === undefined) return failed('not-applicable', `${model} gave a vector without length`)
        dimensions ??= vector.length
        return vector.length === dimensions
          ? vector
          : failed('outage', `${model} gave ${vector.length} numbers instead of ${dimensions}`)
      })
    },
  }
}

/** Numbers, or little-endian 32-bit floats as base64. Throws a `CallError` (to be tried again) for anything else. */
function vectorOf(embedding: unknown): Float32Array {
  const vector = Array.isArray(embedding)
    ? Float32Array.from(embedding, (value) => (typeof value === 'number' ? value : Number.NaN))
    : typeof embedding === 'string' && embedding.length % 4 === 0
      ? floatsOf(embedding)
      : undefined
  if (vector === undefined || vector.length === 0) throw malformed('the answer has no embedding')
  if (!vector.every(Number.isFinite)) throw malformed('the embedding holds something that is no number')
  return vector
}

function floatsOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64')
  const floats = new Float32Array(Math.floor(bytes.length / 4))
  for (let index = 0; index < floats.length; index++) floats[index] = bytes.readFloatLE(index * 4)
  return floats
}
