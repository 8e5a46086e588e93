import { type Array as JaxArray, lax } from '@jax-js/jax'
import { GuerdonError } from '../../core/index.ts'
import { rasterOf } from '../../models/chat-image.ts'
import type { ChatMessage } from '../../models/chat-model.ts'
import type { Raster } from '../../models/raster.ts'
import { type CachedDecoder, cachedDecoder } from '../../nets/cached-decoder.ts'
import { type Decoder, type DecoderConfig, decoderHidden, tokenLogp } from '../../nets/decoder.ts'
import { imageTensor } from '../../nets/embedded/conversation.ts'
import type { EmbeddedLanguageModel } from '../../nets/embedded/language-model.ts'
import { guidedDecoder, logSoftmax } from '../../nets/guided-decoder.ts'
import { imageEncoder } from '../../nets/image-encoder.ts'
import { type SampledText, type SamplingOptions, sampledTexts } from '../../nets/sampling.ts'
import { type ValueGuide, valueGuidedDecoder } from '../../nets/value-guided-decoder.ts'
import { imagePrefix, type VisionLanguage, type VisionLanguageConfig } from '../../nets/vision-language.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import { compileByShape } from '../../tensor/compile-by-shape.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'

/** A prompt as the network reads it. */
export interface PolicyPrompt {
  readonly tokens: readonly number[]
  readonly image?: Raster
}

/** A prompt and what follows it; the end token is part of it where the text ended by itself. */
export interface PolicyRow extends PolicyPrompt {
  readonly response: readonly number[]
  /**
   * The tokens that might stand in the place of each token of the response: probabilities are normalised over them.
   * @default all
   */
  readonly choices?: readonly (readonly number[])[]
}

/** Rows of one shape, for traced functions. C columns are the tokens whose probability is asked: all but the first. */
export type PolicyBatch<Leaf> = {
  /** Int[B, T] */
  readonly tokens: Leaf
  /** Float[B, C]: 1 at tokens of the response. */
  readonly mask: Leaf
  /** Of rows with choices: what is added to the logits, Float[B, C, vocabulary]. */
  readonly shift?: Leaf
  /** Of a policy that sees: Float[B, size, size, channels], and 1 where there is none, Float[B]. */
  readonly images?: Leaf
  readonly dropped?: Leaf
}

/** A language model as what is trained: how it writes, and how likely it finds what is written. */
export interface LanguagePolicy {
  readonly initial: Tree<Tensor>
  /** The end token. */
  readonly end: number
  /** Most tokens of prompt and response. */
  readonly context: number
  promptOf(conversation: readonly ChatMessage[]): Promise<PolicyPrompt>
  encode(text: string): readonly number[]
  decode(tokens: readonly number[]): string
  /**
   * Continues each prompt up to the end token, or to one that `stop` has beside it. The `logp` of a guided text is under
   * policy and guides together.
   */
  sample(
    parameters: Tree<Tensor>,
    prompts: readonly PolicyPrompt[],
    options: Omit<SamplingOptions, 'stop'> & GuidanceOptions & { readonly stop?: readonly number[] },
  ): Promise<SampledText[]>
  /** What it writes with. */
  readonly decoder: CachedDecoder
  decoderOf(parameters: Tree<Tensor>): Decoder<Tensor>
  /** Throws `text-too-long` for a row beyond the context. */
  batchOf(rows: readonly PolicyRow[]): PolicyBatch<Tensor>
  /**
   * Traced: log-probabilities of the tokens, Float[B, C], aligned with the mask [nats]; what stands outside of the
   * mask is not meant. Consumes the batch, its mask too.
   */
  logp(parameters: any, batch: PolicyBatch<JaxArray>): JaxArray
  /** Traced: hidden states before the tokens of the columns, Float[B, C, width], as a critic reads them. Consumes the batch. */
  hidden(parameters: any, batch: PolicyBatch<JaxArray>): JaxArray
  /** Index of the token of the first column: without an image before it, the first token has no probability. */
  readonly firstColumn: 0 | 1
  /** Numbers in a hidden state. */
  readonly width: number
  /** The same at plain tensors, without a gradient: one array for each row, over its response. */
  score(parameters: Tree<Tensor>, rows: readonly PolicyRow[]): Promise<Float32Array[]>
  /** Log-probabilities of the token that follows each prompt: one array for each, over the vocabulary [nats]. */
  next(parameters: Tree<Tensor>, prompts: readonly PolicyPrompt[]): Promise<Float32Array[]>
  dispose(): Promise<void>
}

/** What has a say in a text beside the policy that writes it. */
export interface GuidanceOptions {
  /** Others that read along; each token's log-probability under each is added, times its weight (`guidedLogp`). */
  readonly guides?: readonly PolicyGuide[]
  /** Divides the sum by one and all weights. @default false */
  readonly normalised?: boolean
  /** Values of the likeliest next tokens, such as those of a reward model on what is written so far. */
  readonly valued?: ValueGuide
}

/** A policy that guides another one by its own likelihoods, such as an autoregressive reward model. */
export interface PolicyGuide {
  readonly policy: LanguagePolicy
  readonly parameters: Tree<Tensor>
  /** alpha = 1 / beta of the decoding; unrelated to the beta that the guide was trained with. */
  readonly weight: number
  /** Its own number of a token of the writer; it then rules out those that it does not know. @default the same */
  readonly tokenOf?: (token: number) => number | undefined
}

/** A conversation and an answer to it, ended: what is learnt from demonstrations. */
export async function policyRow(
  policy: LanguagePolicy,
  conversation: readonly ChatMessage[],
  answer: string,
): Promise<PolicyRow> {
  return { ...(await policy.promptOf(conversation)), response: [...policy.encode(answer), policy.end] }
}

/** Rows are padded to a multiple of this many tokens, so that few graphs are compiled. */
const lengthStep = 16

/** @param model keeps its own parameters; the policy starts from them */
export function languagePolicy(model: EmbeddedLanguageModel, options: CompileOptions = {}): LanguagePolicy {
  const { network } = model.manifest
  const seeing: VisionLanguageConfig | undefined =
    network.kind === 'vision-language' ? network.config : undefined
  const config = seeing?.decoder ?? (network.config as DecoderConfig)
  const eyes = seeing && imageEncoder(seeing, options)
  const decoder = cachedDecoder(config, options)
  const decoderOf = (parameters: Tree<Tensor>) =>
    (seeing ? (parameters as VisionLanguage<Tensor>).decoder : parameters) as Decoder<Tensor>
  /** A text without an image before it has no probability of its first token. */
  const offset = seeing ? 0 : 1

  const logp = (parameters: any, { tokens, mask, shift, images, dropped }: PolicyBatch<JaxArray>) => {
    mask.dispose()
    if (seeing === undefined) return tokenLogp(parameters, config, { tokens }, { shift })
    const prefix = imagePrefix(parameters, seeing, images!, dropped)
    return tokenLogp(parameters.decoder, config, { tokens, prefix }, { shift })
  }
  const hidden = (parameters: any, { tokens, mask, shift, images, dropped }: PolicyBatch<JaxArray>) => {
    const length = tokens.shape[1]!
    mask.dispose()
    shift?.dispose()
    if (seeing === undefined) return decoderHidden(parameters, config, { tokens }).slice([], [0, length - 1])
    const prefix = imagePrefix(parameters, seeing, images!, dropped)
    const before = prefix.tokens.shape[1]!
    return decoderHidden(parameters.decoder, config, { tokens, prefix }).slice(
      [],
      [before - 1, before + length - 1],
    )
  }
  const scores = compileByShape<readonly Tree<Tensor>[], Tensor>(
    ((parameters: unknown, batch: PolicyBatch<JaxArray>) =>
      lax.stopGradient(logp(parameters, batch))) as never,
    options,
  )

  const batchOf = (rows: readonly PolicyRow[]): PolicyBatch<Tensor> => {
    const lengths = rows.map(({ tokens, response }) => tokens.length + response.length)
    const longest = Math.max(...lengths)
    if (longest > config.context)
      throw new GuerdonError(
        'text-too-long',
        `prompt and response have ${longest} tokens, the policy's context holds ${config.context}.`,
      )
    const length = Math.min(config.context, Math.ceil(longest / lengthStep) * lengthStep)
    const columns = length - offset
    const tokens = new Int32Array(rows.length * length)
    const mask = new Float32Array(rows.length * columns)
    rows.forEach((row, index) => {
      tokens.set([...row.tokens, ...row.response], index * length)
      const start = index * columns + row.tokens.length - offset
      mask.fill(1, start, start + row.response.length)
    })
    return {
      tokens: tensor(tokens, [rows.length, length], 'int32'),
      mask: tensor(mask, [rows.length, columns]),
      ...(rows.some(({ choices }) => choices !== undefined) && {
        shift: tensor(shiftOf(rows, columns), [rows.length, columns, config.vocabulary]),
      }),
      ...(seeing &&
        imageTensor(
          rows.map(({ image }) => image),
          seeing.connector.image,
        )),
    }
  }

  /** 0 at the tokens to choose from, and where nothing is chosen; far below elsewhere. */
  function shiftOf(rows: readonly PolicyRow[], columns: number): Float32Array {
    const { vocabulary } = config
    const shift = new Float32Array(rows.length * columns * vocabulary)
    rows.forEach(({ tokens, choices = [] }, index) => {
      choices.forEach((choice, at) => {
        const start = (index * columns + tokens.length - offset + at) * vocabulary
        shift.fill(ruledOut, start, start + vocabulary)
        for (const token of choice) shift[start + token] = 0
      })
    })
    return shift
  }

  return {
    initial: model.parameters,
    end: model.end,
    context: config.context,
    async promptOf(conversation) {
      const image = conversation.flatMap(({ images = [] }) => images).at(-1)
      return {
        tokens: model.promptTokens(conversation),
        ...(image === undefined ? {} : { image: await rasterOf(image) }),
      }
    },
    encode: (text) => model.tokenizer.encode(text),
    decode: (tokens) => model.tokenizer.decode(tokens),

    decoder,
    decoderOf,
    async sample(parameters, prompts, { guides = [], normalised = false, valued, process, ...sampling }) {
      checkGuides(guides, model.end)
      const guided = guidedDecoder(
        decoder,
        guides.map(({ policy, ...guide }) => ({ ...guide, source: policy.decoder })),
        { normalised },
      )
      const source = valued === undefined ? guided : valueGuidedDecoder(guided, valued)
      const spoken = {
        base: decoderOf(parameters),
        guides: guides.map(({ policy, parameters: own }) => policy.decoderOf(own)),
      }
      const size = sampling.batch ?? 64
      const texts: SampledText[] = []
      for (let first = 0; first < prompts.length; first += size) {
        const chunk = prompts.slice(first, first + size)
        const { seed = 0 } = sampling
        const prefix = seeing && (await imagesBefore(parameters as VisionLanguage<Tensor>, seeing, chunk))
        texts.push(
          ...(await sampledTexts(
            source as typeof guided,
            spoken,
            { tokens: chunk.map(({ tokens }) => tokens), prefix },
            {
              ...sampling,
              seed: typeof seed === 'function' ? (row) => seed(first + row) : `${seed}/${first}`,
              ...(process && { process: (logits, row, tokens) => process(logits, first + row, tokens) }),
              stop: [model.end, ...(sampling.stop ?? [])],
            },
          )),
        )
      }
      return texts
    },

    batchOf,
    logp,
    hidden,
    width: config.width,
    firstColumn: offset,

    async score(parameters, rows) {
      const results: Float32Array[] = []
      for (let first = 0; first < rows.length; first += scoredTogether) {
        const chunk = rows.slice(first, first + scoredTogether)
        const { data, shape } = await scores.run(parameters, batchOf(chunk) as Tree<Tensor>)
        const columns = shape[1]!
        chunk.forEach(({ tokens, response }, row) => {
          const start = row * columns + tokens.length - offset
          results.push((data as Float32Array).slice(start, start + response.length))
        })
      }
      return results
    },

    async next(parameters, prompts) {
      const results: Float32Array[] = []
      for (let first = 0; first < prompts.length; first += scoredTogether) {
        const chunk = prompts.slice(first, first + scoredTogether)
        // filled up to a power of two, so that few graphs are compiled
        const size = 2 ** Math.ceil(Math.log2(chunk.length))
        const rows = Array.from({ length: size }, (_, row) => chunk[row % chunk.length]!)
        const prefix = seeing && (await imagesBefore(parameters as VisionLanguage<Tensor>, seeing, rows))
        const { logits } = await decoder.prefill(decoderOf(parameters), {
          tokens: rows.map(({ tokens }) => tokens),
          prefix,
        })
        for (let row = 0; row < chunk.length; row++) {
          const own = logits.subarray(row * config.vocabulary, (row + 1) * config.vocabulary)
          results.push(Float32Array.from(logSoftmax(own)))
        }
      }
      return results
    },

    async dispose() {
      await Promise.all([decoder.dispose(), eyes?.dispose(), scores.dispose()])
    },
  }

  async function imagesBefore(
    parameters: VisionLanguage<Tensor>,
    { connector }: VisionLanguageConfig,
    prompts: readonly PolicyPrompt[],
  ) {
    const { images, dropped } = imageTensor(
      prompts.map(({ image }) => image),
      connector.image,
    )
    return eyes!.encode(parameters, images, dropped)
  }
}

/** Texts must be able to end, and a guide cannot see. */
function checkGuides(guides: readonly PolicyGuide[], end: number): void {
  for (const { policy, tokenOf = (token: number) => token } of guides) {
    if (policy.firstColumn === 0)
      throw new GuerdonError('bad-option', 'a policy that sees images cannot guide another one.')
    if (tokenOf(end) !== policy.end)
      throw new GuerdonError('bad-option', 'writer and guide end texts with different tokens.', {
        fix: "Give `tokenOf`, and let it map the writer's end token to the guide's.",
      })
  }
}

/** A logit that leaves no probability; finite, as it is added. */
const ruledOut = -1e9

/** Rows of one call of `score`. */
const scoredTogether = 64
