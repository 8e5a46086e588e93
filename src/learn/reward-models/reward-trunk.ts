import { type Preference, promptText, textOf } from '../../core/index.ts'
import { trainedBytePairs } from '../../models/byte-pair-tokenizer.ts'
import type { Embedder } from '../../models/embedder.ts'
import type { EmbeddedLanguageModel } from '../../nets/embedded/language-model.ts'
import type { RewardTrunk } from '../../nets/reward-network.ts'
import type { Pool, RewardReading } from '../../rewards/learned/reward-manifest.ts'
import { formCount } from '../../rewards/learned/surface-features.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { LabelledAnswer } from './reward-examples.ts'

/** A small transformer of one's own, with a sub-word vocabulary learned from the training texts. */
export interface OwnTrunk {
  /** @default 64 */
  readonly width?: number
  /** @default 2 */
  readonly depth?: number
  /** @default 4 */
  readonly heads?: number
  /** Most tokens of prompt and answer; more is cut. @default 256 */
  readonly context?: number
  /** Tokens, 256 bytes among them. @default 2048 */
  readonly vocabulary?: number
  /**
   * Whether form and words also count by themselves, each with a weight: what little data can teach. Words are hashed to
   * so many places. @default 4096; 0 for none
   */
  readonly buckets?: number
}

/** An embedder, and its name, under which the saved reward model finds it again. */
export interface EmbedderTrunk {
  readonly embedder: Embedder
  readonly name: string
  /** @default 'prompt and output' */
  readonly of?: 'output' | 'prompt and output'
  /** Widths of the layers over the vectors. @default [64] */
  readonly hidden?: readonly number[]
}

export interface TrunkOptions {
  readonly preferences?: readonly Preference[]
  readonly labelled?: readonly LabelledAnswer[]
  /** @default a transformer of one's own */
  readonly trunk?: OwnTrunk | EmbeddedLanguageModel | EmbedderTrunk
  /** What of the hidden states is judged. @default 'last' with a language model, 'mean' with one's own */
  readonly pool?: Pool
  /** Whether the prompt is read before the answer. @default true */
  readonly prompt?: boolean
}

/** What reads the answers: its sizes, how samples become rows, and weights that it starts from. */
export interface ChosenTrunk {
  readonly trunk: RewardTrunk
  readonly reading: RewardReading
  readonly given?: Tree<Tensor>
  readonly embedder?: Embedder
  /** Numbers known of the surface of an answer. */
  readonly surface?: number
  /** The token that stands for one that is blanked out. */
  readonly blank?: number
}

const marks = ['<blank>', '<prompt>', '<answer>', '<end>'] as const

export function chosenTrunk(options: TrunkOptions): ChosenTrunk {
  const { trunk = {}, pool, prompt = true } = options
  if ('embedder' in trunk) return vectorTrunk(trunk)
  if ('manifest' in trunk) {
    const { network, tokenizer, dialogue } = trunk.manifest
    return {
      trunk: network as RewardTrunk,
      reading: {
        kind: 'tokens',
        tokenizer: { kind: 'words', ...tokenizer },
        dialogue: dialogue!,
        pool: pool ?? 'last',
        prompt,
        cut: false,
      },
      given: trunk.parameters,
    }
  }
  const { width = 64, depth = 2, heads = 4, context = 256, vocabulary = 2048, buckets = 4096 } = trunk
  const tokenizer = trainedBytePairs(textsOf(options), { size: vocabulary, marks })
  const size = marks.length + 256 + tokenizer.merges.length
  return {
    trunk: { kind: 'decoder', config: { width, depth, heads, context, vocabulary: size, tied: true } },
    reading: {
      kind: 'tokens',
      tokenizer: { kind: 'byte-pairs', ...tokenizer },
      dialogue: { before: ['<prompt>'], between: ['<answer>'], end: '<end>' },
      pool: pool ?? 'mean',
      prompt,
      cut: true,
      ...(buckets === 0 ? {} : { buckets }),
    },
    ...(buckets === 0 ? {} : { surface: formCount + buckets }),
    blank: 0,
  }
}

function vectorTrunk({
  embedder,
  name,
  of = 'prompt and output',
  hidden = [64],
}: EmbedderTrunk): ChosenTrunk {
  const size = embedder.dimensions!
  const inputs = of === 'output' ? size : 3 * size // prompt, output, and their product
  return {
    trunk: { kind: 'vectors', config: { sizes: [inputs, ...hidden], activation: 'gelu' } },
    reading: { kind: 'vectors', embedder: name, of },
    embedder,
  }
}

/** Different texts of the training part, once each. */
function textsOf({ preferences = [], labelled = [] }: TrunkOptions): Set<string> {
  const texts = new Set<string>()
  for (const { prompt, chosen, rejected } of preferences)
    for (const text of [promptText(prompt), textOf(chosen), textOf(rejected)]) texts.add(text)
  for (const { sample } of labelled)
    for (const text of [promptText(sample.prompt), textOf(sample.output)]) texts.add(text)
  return texts
}
