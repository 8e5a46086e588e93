import { GuerdonError } from '../../core/index.ts'
import type { ChatMessage, ChatModel } from '../../models/chat-model.ts'
import type { Generator } from '../../models/generator.ts'
import { choiceProbabilities, type TokenModel, type TokenView } from '../../models/token-model.ts'
import { wordTokenizer } from '../../models/tokenizer.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { type CachedDecoder, cachedDecoder, type Decoded, type PrefixTensors } from '../cached-decoder.ts'
import { type Decoder, initialDecoder } from '../decoder.ts'
import { imageEncoder } from '../image-encoder.ts'
import { sampledTexts } from '../sampling.ts'
import { initialVisionLanguage, type VisionLanguage } from '../vision-language.ts'
import { conversationTokens, imageOfConversation, imageTensor } from './conversation.ts'
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

  /** The images of conversations as the vectors before their texts. */
  const prefixOf = async (
    conversations: readonly (readonly ChatMessage[])[],
  ): Promise<PrefixTensors | undefined> => {
    const images = conversations.map(imageOfConversation)
    if (seeing === undefined) {
      if (images.some((image) => image !== undefined))
        throw new GuerdonError('no-images', `${manifest.name} sees no images.`)
      return undefined
    }
    const parts: Tensor[] = []
    for (const chunk of chunks(images)) {
      const { images: pixels, dropped } = imageTensor(filledUp(chunk), seeing.connector.image)
      const { tokens } = await eyes!.encode(whole, pixels, dropped)
      parts.push(firstRows(tokens, chunk.length))
    }
    return { tokens: joinedRows(parts) }
  }

  const sample = async (
    conversations: readonly (readonly ChatMessage[])[],
    { maxTokens = config.context, ...sampling }: Partial<Parameters<typeof sampledTexts>[3]>,
  ) => {
    if (conversations.length === 0) return []
    const prompts = { tokens: conversations.map(promptTokens), prefix: await prefixOf(conversations) }
    const texts = await sampledTexts(decoderFor(), decoderParameters, prompts, {
      maxTokens,
      stop: [end],
      batch: batchSize,
      ...sampling,
    })
    return texts.map((text) => ({ ...text, text: tokenizer.decode(text.tokens) }))
  }

  const scored = async (
    given: readonly { readonly prompt: readonly ChatMessage[]; readonly answer: readonly number[] }[],
    signal: AbortSignal | undefined,
  ) => {
    const scores: { tokens: readonly number[]; logp: Float32Array }[] = []
    for (const chunk of chunks(given)) {
      signal?.throwIfAborted()
      const rows = filledUp(chunk)
      const prompts = rows.map(({ prompt }) => promptTokens(prompt))
      const prefix = await prefixOf(rows.map(({ prompt }) => prompt))
      const tokens = rows.map(({ answer }, row) => [...prompts[row]!, ...answer])
      const logp = await decoderFor().score(decoderParameters, { tokens, prefix })
      chunk.forEach(({ answer }, row) => {
        scores.push({ tokens: answer, logp: logp[row]!.slice(prompts[row]!.length) })
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

    async chat(conversations, { maxTokens, temperature = 0, topP = 1, seed = 0, signal } = {}) {
      const texts = await sample(conversations, {
        temperature,
        topP,
        seed,
        ...(maxTokens === undefined ? {} : { maxTokens }),
        ...(signal === undefined ? {} : { signal }),
      })
      return texts.map(({ text, stopped }) => ({ text, finish: stopped ? 'stop' : 'length' }))
    },

    async generate(prompts, { seed = 0, temperature = 1, steps, signal } = {}) {
      const conversations = prompts.map((text): readonly ChatMessage[] => [{ role: 'user', text }])
      const texts = await sample(conversations, {
        temperature,
        seed,
        ...(steps === undefined ? {} : { maxTokens: steps }),
        ...(signal === undefined ? {} : { signal }),
      })
      return texts.map(({ text, logp }) => ({ output: text, logp }))
    },

    logProbabilities(pairs, { ended = false, signal } = {}) {
      const given = pairs.map(({ prompt, answer }) => ({
        prompt,
        answer: [
          ...(typeof answer === 'string' ? tokenizer.encode(answer) : answer),
          ...(ended ? [end] : []),
        ],
      }))
      return scored(given, signal)
    },

    async choices(conversations, variants, { signal } = {}) {
      const choices = Object.keys(variants) as (keyof typeof variants)[]
      const answers = choices.flatMap((choice) =>
        variants[choice].map((text) => ({ choice, answer: tokenizer.encode(text) })),
      )
      const scores = await scored(
        conversations.flatMap((prompt) => answers.map(({ answer }) => ({ prompt, answer }))),
        signal,
      )
      return conversations.map((_, row) => {
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
    },

    async open(conversations, { taps, signal } = {}) {
      signal?.throwIfAborted()
      const decoder = decoderFor(taps)
      const prefix = await prefixOf(conversations)
      return viewOf(
        decoder,
        await decoder.prefill(decoderParameters, { tokens: conversations.map(promptTokens), prefix }),
      )
    },

    async dispose() {
      await eyes?.dispose()
      for (const decoder of decoders.values()) await decoder.dispose()
      decoders.clear()
    },
  }
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
