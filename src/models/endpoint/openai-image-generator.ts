import { isObject } from '../../core/index.ts'
import { loadImage } from '../../data/images.ts'
import type { Raster } from '../embedder.ts'
import type { Generator } from '../generator.ts'
import { failed, isFailed } from '../outcome.ts'
import { seedNumber } from './chat-requests.ts'
import { Endpoint, type EndpointOptions, malformed } from './endpoint.ts'
import { tokensUsed } from './openai-reply.ts'

export interface OpenAIImageOptions extends EndpointOptions {
  /** Such as `1024x1024`. @default the endpoint's */
  readonly size?: string
}

/** Longest answer: an image of some megapixels as base64 [bytes]. */
const maxBytes = 128 * 2 ** 20

/**
 * Images from `/images/generations` of an endpoint that speaks OpenAI's protocol. It tells no log-probabilities, and
 * takes a seed where the endpoint knows one (`parameters: { seed: null }` leaves it out for one that refuses it);
 * another seed is another draw in any case.
 *
 * @throws GuerdonError `bad-option` for an address or limit that is none
 */
export function openaiImageGenerator(model: string, options: OpenAIImageOptions = {}): Generator<Raster> {
  const endpoint = new Endpoint(options)
  const ask = endpoint.asking(model, 'image')
  const size = options.size === undefined ? {} : { size: options.size }
  return {
    id: endpoint.idOf(model),
    async generate(prompts, { seed = 0, signal } = {}) {
      const outcomes = await ask(
        prompts,
        (prompt, index) => ({
          identity: { prompt, seed: `${seed}/${index}`, ...size },
          expected: { inputTokens: Math.ceil(Buffer.byteLength(prompt) / 4), outputTokens: undefined },
          send: async (stop) => {
            const format = /^gpt-image/.test(model) ? {} : { response_format: 'b64_json' }
            const own = endpoint.isOpenAIs ? {} : { seed: seedNumber(`${seed}/${index}`) }
            const fields = { model, prompt, n: 1, ...format, ...own, ...size }
            const body = await endpoint.post('/images/generations', fields, stop, maxBytes)
            const [item] = Array.isArray(body.data) ? body.data : []
            if (!isObject(item) || typeof item.b64_json !== 'string' || item.b64_json === '')
              throw malformed('the answer has no image')
            return { answer: item.b64_json, ...tokensUsed(body) }
          },
        }),
        signal,
      )
      return Promise.all(
        outcomes.map(async (outcome) => {
          if (isFailed(outcome)) return outcome
          try {
            const { width, height, data } = await loadImage({ bytes: Buffer.from(outcome.answer, 'base64') })
            return { output: { width, height, data } }
          } catch (error) {
            return failed(
              'unparsable',
              `${model} gave an image that cannot be read: ${(error as Error).message}`,
            )
          }
        }),
      )
    },
  }
}
