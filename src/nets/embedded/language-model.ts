import { GuerdonError, Rng } from '../../core/index.ts'
import { beginnings } from '../../models/beginnings.ts'
import { type ChatMessage, type ChatModel, failedChat } from '../../models/chat-model.ts'
import type { GenerateOptions, Generator, LikelyGenerated } from '../../models/generator.ts'
import { isFailed, runReadable } from '../../models/outcome.ts'
import type { Raster } from '../../models/raster.ts'
import { choiceProbabilities, type TokenModel, type TokenView } from '../../models/token-model.ts'
import { wordTokenizer } from '../../models/tokenizer.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { type CachedDecoder, cachedDecoder, type Decoded, type PrefixTensors } from '../cached-decoder.ts'
import { type Decoder, initialDecoder } from '../decoder.ts'
import { imageEncoder } from '../image-encoder.ts'
import { type SamplingOptions, sampledTexts } from '../sampling.ts'
import { initialVisionLanguage, type VisionLanguage } from '../vision-language.ts'
import { checkImageSize, conversationTokens, imageOfConversation, imageTensor } from './conversation.ts'
import type { Manifest } from './manifest.ts'

/** A language model, with or without eyes, through all interfaces of models that write. */
export interface EmbeddedLanguageModel extends ChatModel, TokenModel, Generator<string> {
  readonly kind: 'language'
  readonly id: string
  readonly manifest: Manifest
  /** Of the network named in the manifest. */
  readonly parameters: Tree<Tensor>
  /** Most tokens of a conversation with its answer. */
  readonly context: number
  /** Tokens of a conversation up to where the answer begins. */
  promptTokens(conversation: readonly ChatMessage[]): number[]
  /** Throws a `GuerdonError` (`unknown-word`) for a prompt that it cannot read. */
  generate(prompts: readonly string[], options?: GenerateOptions): Promise<readonly LikelyGenerated<string>[]>
  dispose(): Promise<void>
}

/** Rows that run together. */
const batchSize = 64

/** @param parameters of the network that the manifest names */
export function embeddedLanguageModel(
  id: string,
  manifest: Manifest,
  parameters: Tree<Tensor>,
  options: CompileOptions,
): EmbeddedLanguageModel {
  const { network, dialogue } = manifest
  if ((network.kind !== 'decoder' && network.kind !== 'vision-language') || dialogue === undefined)
    throw new GuerdonError('bad-weights', `${manifest.name} is no model that answers.`)
  const seeing = network.kind === 'vision-language' ? network.config : undefined
  const config = network.kind === 'vision-language' ? network.config.decoder : network.config
  const eyes = seeing && imageEncoder(seeing, options)
  const whole = parameters as VisionLanguage<Tensor>
  const decoderParameters = seeing ? whole.decoder : (parameters as Decoder<Tensor>)
  const tokenizer = wordTokenizer(manifest.tokenizer)
  const end = tokenizer.id(dialogue.end)

  const decoders = new Map<string, CachedDecoder>()
  const decoderFor = (taps: readonly number[] = []): CachedDecoder => {
    const key = taps.join()
    const bad = taps.find((layer) => !(Number.isInteger(layer) && layer >= 0 && layer < config.depth))
    if (bad !== undefined)
      throw new GuerdonError(
        'bad-option',
        `there is no block ${bad}: they run from 0 to ${config.depth - 1}.`,
      )
    if (!decoders.has(key)) decoders.set(key, cachedDecoder(config, { ...options, taps }))
    return decoders.get(key)!
  }

  const promptTokens = (conversation: readonly ChatMessage[]) =>
    conversationTokens(conversation, tokenizer, dialogue)

  const checkLength = (length: number) => {
    if (length > config.context)
      throw new GuerdonError(
        'too-long',
        `the conversation has ${length} tokens, the model reads ${config.context} at most.`,
      )
  }

  /** Throws a `GuerdonError` for what the model cannot read. */
  const readingOf = async (conversation: readonly ChatMessage[]): Promise<Reading> => {
    const image = await imageOfConversation(conversation)
    if (image !== undefined && seeing === undefined)
      throw new GuerdonError('no-images', `${manifest.name} sees no images.`)
    if (image !== undefined) checkImageSize(image, seeing!.connector.image)
    const tokens = promptTokens(conversation)
    checkLength(tokens.length)
    return { tokens, image }
  }

  /** The images of conversations as the vectors before their texts. */
  const prefixOf = async (readings: readonly Reading[]): Promise<PrefixTensors | undefined> => {
    if (seeing === undefined) return undefined
    const parts: Tensor[] = []
    for (const chunk of chunks(readings.map(({ image }) => image))) {
      const { images: pixels, dropped } = imageTensor(filledUp(chunk), seeing.connector.image)
      const { tokens } = await eyes!.encode(whole, pixels, dropped)
      parts.push(firstRows(tokens, chunk.length))
    }
    return { tokens: joinedRows(parts) }
  }

  const sample = async (
    readings: readonly Reading[],
    { maxTokens = config.context, ...sampling }: Partial<SamplingOptions>,
    signal: AbortSignal | undefined,
  ) => {
    const prompts = { tokens: readings.map(({ tokens }) => tokens), prefix: await prefixOf(readings) }
    const texts = await sampledTexts(decoderFor(), decoderParameters, prompts, {
      maxTokens,
      stop: [end],
      batch: batchSize,
      ...sampling,
      ...(signal === undefined ? {} : { signal }),
    })
    return texts.map((text) => ({ ...text, text: tokenizer.decode(text.tokens) }))
  }

  /** Ends an answer at its end token, or where its text holds one of the stops. */
  const endingAt = (stops: readonly string[]) =>
    stops.length === 0
      ? [end]
      : (tokens: readonly number[]) =>
          tokens.at(-1) === end || firstOf(stops, tokenizer.decode(tokens)) !== undefined

  const scored = async (
    given: readonly { readonly prompt: Reading; readonly answer: readonly number[] }[],
    signal: AbortSignal | undefined,
  ) => {
    const scores: { tokens: readonly number[]; logp: Float32Array }[] = []
    for (const chunk of chunks(given)) {
      signal?.throwIfAborted()
      const rows = filledUp(chunk)
      const prefix = await prefixOf(rows.map(({ prompt }) => prompt))
      const tokens = rows.map(({ prompt, answer }) => [...prompt.tokens, ...answer])
      const logp = await decoderFor().score(decoderParameters, { tokens, prefix })
      chunk.forEach(({ prompt, answer }, row) => {
        scores.push({ tokens: answer, logp: logp[row]!.slice(prompt.tokens.length) })
      })
    }
    return scores
  }

  const viewOf = (decoder: CachedDecoder, decoded: Decoded): TokenView => {
    const rows = decoded.cache.batch
    const rowsOf = (data: Float32Array, width: number) =>
      Array.from({ length: rows }, (_, row) => data.slice(row * width, (row + 1) * width))
    return {
      rows,
      logits: rowsOf(decoded.logits, config.vocabulary),
      hidden: decoded.hidden.map(({ data }) => rowsOf(data as Float32Array, config.width)),
      append: async (tokens) => viewOf(decoder, await decoder.step(decoded.cache, tokens)),
      async select(chosen) {
        const pick = (data: Float32Array, width: number) => {
          const picked = new Float32Array(chosen.length * width)
          chosen.forEach((row, index) => {
            picked.set(data.subarray(row * width, (row + 1) * width), index * width)
          })
          return picked
        }
        return viewOf(decoder, {
          cache: await decoder.select(decoded.cache, chosen),
          logits: pick(decoded.logits, config.vocabulary),
          hidden: decoded.hidden.map(({ data }) =>
            tensor(pick(data as Float32Array, config.width), [chosen.length, config.width]),
          ),
        })
      },
    }
  }

  return {
    kind: 'language',
    id,
    manifest,
    parameters,
    tokenizer,
    end,
    context: config.context,
    promptTokens,

    async chat(conversations, options = {}) {
      const { maxTokens, temperature = 0, topP = 1, seed = 0, stop = [], signal } = options
      const answer = async (readings: readonly Reading[], indices: readonly number[]) => {
        const sampling = {
          temperature,
          topP,
          // by the place among all, so that a conversation that cannot be read shifts no other's stream
          seed: (row: number) =>
            typeof seed === 'object'
              ? new Rng(seed[indices[row]!] ?? 0).fork(0)
              : new Rng(seed).fork(indices[row]!),
          stop: endingAt(stop),
          ...(maxTokens === undefined ? {} : { maxTokens }),
        }
        const texts = await sample(readings, sampling, signal)
        return texts.map(({ text, stopped, tokens }, row) => {
          const cut = firstOf(stop, text)
          return {
            text: cut === undefined ? text : text.slice(0, cut).trimEnd(),
            finish: stopped ? ('stop' as const) : ('length' as const),
            usage: { calls: 1, inputTokens: readings[row]!.tokens.length, outputTokens: tokens.length },
          }
        })
      }
      const replies = await runReadable(conversations, readingOf, answer, signal)
      return replies.map((reply) => (isFailed(reply) ? failedChat(reply.failure) : reply))
    },

    async generate(prompts, { seed = 0, temperature = 1, steps, signal } = {}) {
      if (prompts.length === 0) return []
      const readings = await Promise.all(prompts.map((text) => readingOf([{ role: 'user', text }])))
      const sampling = { temperature, seed, ...(steps === undefined ? {} : { maxTokens: steps }) }
      const texts = await sample(readings, sampling, signal)
      return texts.map(({ text, logp }) => ({ output: text, logp }))
    },

    logProbabilities: (pairs, { ended = false, signal } = {}) =>
      runReadable(
        pairs,
        async ({ prompt, answer: given }) => {
          const words = typeof given === 'string' ? tokenizer.encode(given) : given
          const answer = ended ? [...words, end] : words
          const reading = await readingOf(prompt)
          checkLength(reading.tokens.length + answer.length)
          return { prompt: reading, answer }
        },
        (readings) => scored(readings, signal),
        signal,
      ),

    async choices(conversations, variants, { signal } = {}) {
      const choices = Object.keys(variants) as (keyof typeof variants)[]
      const answers = choices.flatMap((choice) =>
        beginnings(variants[choice].map((text) => tokenizer.encode(text))).map((answer) => ({
          choice,
          answer,
        })),
      )
      const judge = async (readings: readonly Reading[]) => {
        const scores = await scored(
          readings.flatMap((prompt) => answers.map(({ answer }) => ({ prompt, answer }))),
          signal,
        )
        return readings.map((_, row) => {
          const logps = Object.fromEntries(choices.map((choice) => [choice, [] as number[]])) as Record<
            (typeof choices)[number],
            number[]
          >
          answers.forEach(({ choice }, index) => {
            const { logp } = scores[row * answers.length + index]!
            logps[choice].push(logp.reduce((a, b) => a + b, 0))
          })
          return choiceProbabilities(logps)
        })
      }
      return runReadable(conversations, readingOf, judge, signal)
    },

    async open(conversations, { taps, signal } = {}) {
      signal?.throwIfAborted()
      const decoder = decoderFor(taps)
      const readings = await Promise.all(conversations.map(readingOf))
      const prefix = await prefixOf(readings)
      return viewOf(
        decoder,
        await decoder.prefill(decoderParameters, { tokens: readings.map(({ tokens }) => tokens), prefix }),
      )
    },

    async dispose() {
      await eyes?.dispose()
      for (const decoder of decoders.values()) await decoder.dispose()
      decoders.clear()
    },
  }
}

/** A conversation as the network reads it. */
interface Reading {
  readonly tokens: readonly number[]
  readonly image: Raster | undefined
}

/** Where the first of the stops begins in a text. */
function firstOf(stops: readonly string[], text: string): number | undefined {
  const places = stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0)
  return places.length === 0 ? undefined : Math.min(...places)
}

/** Parameters of the right structure, to restore weights into. */
export function languageStructure(
  manifest: Manifest,
  rng: Parameters<typeof initialDecoder>[0],
): Tree<Tensor> {
  const { network } = manifest
  return network.kind === 'vision-language'
    ? initialVisionLanguage(rng, network.config)
    : initialDecoder(rng, network.config as Parameters<typeof initialDecoder>[1])
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / batchSize) }, (_, index) =>
    items.slice(index * batchSize, (index + 1) * batchSize),
  )
}

/** Filled up to a power of two with the first item, so that few graphs are compiled. */
function filledUp<Item>(items: readonly Item[]): Item[] {
  const size = 2 ** Math.ceil(Math.log2(items.length))
  return Array.from({ length: size }, (_, index) => items[index < items.length ? index : 0]!)
}

function firstRows({ data, shape }: Tensor, rows: number): Tensor {
  const size = shape.slice(1).reduce((a, b) => a * b, 1)
  return tensor((data as Float32Array).slice(0, rows * size), [rows, ...shape.slice(1)])
}

function joinedRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts
  if (parts.length === 1) return first!
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0)
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0))
  let at = 0
  for (const part of parts) {
    data.set(part.data as Float32Array, at)
    at += part.data.length
  }
  return tensor(data, [rows, ...first!.shape.slice(1)])
}
