import {
  GuerdonError,
  imagesOf,
  isDialogue,
  promptText,
  type Sample,
  type Turns,
  textOf,
  textOfContent,
} from '../../core/index.ts'
import { bytePairTokenizer } from '../../models/byte-pair-tokenizer.ts'
import type { ChatMessage } from '../../models/chat-model.ts'
import type { Embedder } from '../../models/embedder.ts'
import { type Failed, failed, isFailed, type Outcome, runReadable } from '../../models/outcome.ts'
import type { Raster } from '../../models/raster.ts'
import { type Tokenizer, wordTokenizer } from '../../models/tokenizer.ts'
import { checkImageSize, conversationTokens, imageTensor } from '../../nets/embedded/conversation.ts'
import type { RewardRows, RewardTrunk } from '../../nets/reward-network.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import { embedImages, embedTexts, isVector } from '../embedding/embed.ts'
import { isUnread, readPictures } from '../pictures.ts'
import type { Pool, RewardManifest, RewardReading } from './reward-manifest.ts'
import { surfaceFeatures } from './surface-features.ts'

/** A sample as the network reads it. */
export interface Reading {
  /** Prompt, answer and end; empty for a trunk of vectors. */
  readonly tokens: readonly number[]
  /** Place of the first token of the answer. */
  readonly start: number
  readonly image?: Raster
  readonly vector?: Float32Array
  readonly surface?: Float32Array
}

export interface RewardReader {
  readonly tokenizer?: Tokenizer
  /** Readings in order; what cannot be read says why. */
  read(samples: readonly Sample[], signal?: AbortSignal): Promise<Outcome<Reading>[]>
  /**
   * Readings as rows of one length.
   * @param places what of each reading is read, Float[T] each, as many for every reading. @default the pool of the manifest
   */
  rows(
    readings: readonly Reading[],
    places?: (reading: Reading, length: number) => readonly Float32Array[],
  ): RewardRows<Tensor>
}

/** A sum of states is divided by this, so that it is about as large as one of them. */
export const sumUnit = 32
/** Rows are padded to a multiple of this many tokens, so that few graphs are compiled. */
const lengthStep = 16

/** @param embedder for a trunk of vectors */
export function rewardReader(
  { network: { trunk }, reading }: Pick<RewardManifest, 'network' | 'reading'>,
  embedder?: () => Promise<Embedder>,
): RewardReader {
  return reading.kind === 'tokens' ? tokenReader(trunk, reading) : vectorReader(reading, embedder)
}

export function tokenizerOf(reading: Extract<RewardReading, { kind: 'tokens' }>): Tokenizer {
  const { tokenizer } = reading
  return tokenizer.kind === 'words' ? wordTokenizer(tokenizer) : bytePairTokenizer(tokenizer)
}

function tokenReader(trunk: RewardTrunk, reading: Extract<RewardReading, { kind: 'tokens' }>): RewardReader {
  const { dialogue, pool, prompt: readsPrompt, reference: readsReference, cut, ngrams } = reading
  const places = ngrams && new Map(ngrams.map((name, place) => [name, place]))
  const tokenizer = tokenizerOf(reading)
  const seeing = trunk.kind === 'vision-language' ? trunk.config : undefined
  const { context } = trunk.kind === 'decoder' ? trunk.config : seeing!.decoder
  const end = tokenizer.id(dialogue.end)
  const tokensOf = (sample: Sample): Reading => {
    const asked = readsPrompt ? sample.prompt : ''
    const conversation = conversationOf(asked)
    if (readsReference) conversation.push({ role: 'user', text: referenceText(sample) })
    let before = conversationTokens(conversation, tokenizer, dialogue)
    let answer = tokenizer.encode(textOf(sample.output))
    const surplus = before.length + answer.length + 1 - context
    if (surplus > 0 && !cut)
      throw new GuerdonError(
        'too-long',
        `prompt and answer have ${before.length + answer.length} tokens, the reward model reads ${context - 1}.`,
      )
    if (surplus > 0) {
      // at least a quarter of the context is for the prompt, if it needs as much
      const room = Math.max(Math.min(before.length, context >> 2), context - 1 - answer.length)
      if (before.length > room) before = before.slice(before.length - room)
      answer = answer.slice(0, context - 1 - before.length)
    }
    return {
      tokens: [...before, ...answer, end],
      start: before.length,
      ...(places && { surface: surfaceFeatures(textOf(sample.output), places) }),
    }
  }
  return {
    tokenizer,
    read: (samples, signal) =>
      runReadable(
        samples,
        async (sample) => {
          const read = tokensOf(sample)
          const sources = [...imagesOf(sample.prompt), ...imagesOf(sample.output)]
          if (seeing === undefined || sources.length === 0) return read
          if (sources.length > 1)
            throw new GuerdonError('too-many-images', `${sources.length} images; the model sees one at most.`)
          const [image] = await readPictures(sources)
          if (isUnread(image!)) throw new GuerdonError('bad-image', image.reason)
          checkImageSize(image!, seeing.connector.image)
          return { ...read, image: image! }
        },
        async (readings) => readings,
        signal,
      ),
    rows(readings, readsOf = (each, length) => [pooled(pool, each, length)]) {
      const longest = Math.max(...readings.map(({ tokens }) => tokens.length))
      const length = Math.min(context, Math.ceil(longest / lengthStep) * lengthStep)
      const tokens = new Int32Array(readings.length * length)
      const reads = readings.map((each, row) => {
        tokens.set(each.tokens, row * length)
        return readsOf(each, length)
      })
      const count = reads[0]!.length
      const flat = new Float32Array(readings.length * count * length)
      reads.flat().forEach((own, index) => {
        flat.set(own, index * length)
      })
      return {
        tokens: tensor(tokens, [readings.length, length], 'int32'),
        reads: tensor(flat, [readings.length, count, length]),
        ...(places && { surface: stacked(readings.map(({ surface }) => surface!)) }),
        ...(seeing &&
          imageTensor(
            readings.map(({ image }) => image),
            seeing.connector.image,
          )),
      }
    },
  }
}

/** What of the hidden states is read for the score of an answer: Float[length]. */
export function pooled(pool: Pool, { tokens, start }: Reading, length: number): Float32Array {
  const reads = new Float32Array(length)
  const count = tokens.length - start
  if (pool === 'last') reads[tokens.length - 1] = 1
  else reads.fill(pool === 'mean' ? 1 / count : 1 / sumUnit, start, tokens.length)
  return reads
}

function vectorReader(
  { embedder: name, of }: Extract<RewardReading, { kind: 'vectors' }>,
  embedder: (() => Promise<Embedder>) | undefined,
): RewardReader {
  return {
    async read(samples, signal) {
      if (embedder === undefined) throw new GuerdonError('bad-option', `the embedder "${name}" is not there.`)
      const model = await embedder()
      const outputs = await vectorsOf(
        model,
        samples.map(({ output }) => output),
        signal,
      )
      if (of === 'output') return outputs.map((vector) => asReading(vector))
      const prompts = await vectorsOf(
        model,
        samples.map(({ prompt }) => prompt),
        signal,
      )
      return outputs.map((output, index) => {
        const prompt = prompts[index]!
        if (isFailed(output)) return output
        if (isFailed(prompt)) return prompt
        return asReading(Float32Array.from([...prompt, ...output, ...output.map((x, i) => x * prompt[i]!)]))
      })
    },
    rows: (readings) => ({ vectors: stacked(readings.map(({ vector }) => vector!)) }),
  }
}

function stacked(vectors: readonly Float32Array[]): Tensor {
  const size = vectors[0]!.length
  const data = new Float32Array(vectors.length * size)
  vectors.forEach((vector, row) => {
    data.set(vector, row * size)
  })
  return tensor(data, [vectors.length, size])
}

function asReading(vector: Float32Array | Failed): Outcome<Reading> {
  // a unit vector of many dims has tiny numbers; of deviation 1 they suit the perceptron
  return isFailed(vector)
    ? vector
    : { tokens: [], start: 0, vector: vector.map((x) => x * Math.sqrt(vector.length)) }
}

/** Of images where there are some (their mean), else of the text. */
async function vectorsOf(
  model: Embedder,
  turns: readonly Turns[],
  signal: AbortSignal | undefined,
): Promise<(Float32Array | Failed)[]> {
  const images = turns.map(imagesOf)
  const pictures = await readPictures(images.flat())
  const seen = await embedImages(
    model,
    pictures.filter((picture): picture is Raster => !isUnread(picture)),
    signal,
  )
  const texts = turns.map((each, index) => (images[index]!.length > 0 ? undefined : promptText(each)))
  const written = await embedTexts(
    model,
    texts.filter((text) => text !== undefined),
    signal,
  )
  let [nextPicture, nextSeen, nextText] = [0, 0, 0]
  return turns.map((_, index) => {
    if (texts[index] !== undefined) {
      const vector = written[nextText++]!
      return isVector(vector) ? vector : failed(vector.code, vector.reason)
    }
    const own = images[index]!.map(() => {
      const picture = pictures[nextPicture++]!
      return isUnread(picture) ? picture : seen[nextSeen++]!
    })
    const bad = own.find((vector) => !isVector(vector))
    if (bad !== undefined && !isVector(bad)) return failed(bad.code, bad.reason)
    const vectors = own.filter(isVector)
    return vectors[0]!.map((_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0) / vectors.length)
  })
}

function referenceText({ reference }: Sample): string {
  if (typeof reference === 'string' || typeof reference === 'number') return String(reference)
  throw new GuerdonError('bad-reference', 'a verifier reads the right answer, as text or a number.')
}

/** A prompt as a conversation; it is the user's, and what tools said is too. */
function conversationOf(prompt: Turns): ChatMessage[] {
  if (!isDialogue(prompt)) return [{ role: 'user', text: promptText(prompt) }]
  return prompt.map(({ role, content }) => ({
    role: role === 'tool' ? 'user' : role,
    text: textOfContent(content),
  }))
}
