import { isObject } from '../../core/index.ts'
import type { Sent } from '../calls/call.ts'
import type { Embedder } from '../embedder.ts'
import { failed, isFailed } from '../outcome.ts'
import { unitVector } from '../unit-vector.ts'
import { Endpoint, type EndpointOptions, malformed } from './endpoint.ts'
import { tokensUsed } from './openai-reply.ts'
import { together } from './together.ts'

/** Texts of one request at most. */
const batchSize = 128

export interface OpenAIEmbedderOptions extends EndpointOptions {
  /** Shorter vectors, where the model makes them. @default the model's own length */
  readonly dimensions?: number
}

/**
 * Texts as unit vectors from `/embeddings` of an endpoint that speaks OpenAI's protocol. Each text is a call of its own,
 * so that it is cached and fails by itself; texts that are asked for at the same time share a request.
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
  const embed = together<string, Sent<string>>(batchSize, async (texts, signal) => {
    const request = { model, input: [...texts], encoding_format: 'base64', ...fields }
    const body = await endpoint.post('/embeddings', request, signal, 64 * 2 ** 20)
    const vectors = vectorsOf(body.data, texts.length)
    const { inputTokens } = tokensUsed(body)
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    return texts.map((text, index) => ({
      answer: Buffer.from(vectors[index]!.buffer).toString('base64'),
      outputTokens: 0,
      // of a request of several texts each has its share by length
      ...(inputTokens === undefined
        ? {}
        : { inputTokens: Math.round(bytes === 0 ? 0 : (inputTokens * Buffer.byteLength(text)) / bytes) }),
    }))
  })
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
          send: (stop) => embed(text, stop),
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

/** One vector for each of `count` texts, in their order. Throws a `CallError` (to be tried again) for anything else. */
function vectorsOf(data: unknown, count: number): Float32Array[] {
  if (!Array.isArray(data) || data.length !== count)
    throw malformed('the answer has no embedding for each text')
  const vectors: Float32Array[] = []
  for (const [place, item] of data.entries()) {
    const index = isObject(item) ? (item.index ?? place) : undefined
    if (typeof index !== 'number' || !(index in data) || vectors[index] !== undefined)
      throw malformed('the embeddings are not numbered as the texts are')
    vectors[index] = vectorOf((item as Record<string, unknown>).embedding)
  }
  return vectors
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
