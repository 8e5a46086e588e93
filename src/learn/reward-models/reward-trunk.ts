import { type Preference, promptText, textOf } from '../../core/index.ts'
import { trainedBytePairs } from '../../models/byte-pair-tokenizer.ts'
import type { Embedder } from '../../models/embedder.ts'
import type { EmbeddedLanguageModel } from '../../nets/embedded/language-model.ts'
import type { RewardHead, RewardNetwork, RewardTrunk } from '../../nets/reward-network.ts'
import type { Pool, RewardReading } from '../../rewards/learned/reward-manifest.ts'
import { formCount, ngramCounts } from '../../rewards/learned/surface-features.ts'
import type { RewardModel } from '../../rewards/learned/trained-reward-model.ts'
import type { Tensor } from '../../tensor/tree.ts'
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
   * Whether form, words and pairs of words (so many, the most frequent) also count by themselves, each with a weight: what
   * little data can teach. @default 8192; 0 for none
   */
  readonly ngrams?: number
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
  /**
   * A transformer of one's own, the layers of an embedded language model, an embedder's vectors, or a reward model that
   * is trained further (its first member; users are begun anew). @default a transformer of one's own
   */
  readonly trunk?: OwnTrunk | EmbeddedLanguageModel | EmbedderTrunk | RewardModel
  /** What of the hidden states is judged. @default 'last' with a language model, 'mean' with one's own */
  readonly pool?: Pool
  /** Whether the prompt is read before the answer. @default true */
  readonly prompt?: boolean
  /** Whether the sample's reference is read after the prompt: a verifier. @default false */
  readonly reference?: boolean
}

/** What reads the answers: its sizes, how samples become rows, and weights that it starts from. */
export interface ChosenTrunk {
  readonly trunk: RewardTrunk
  readonly reading: RewardReading
  readonly given?: Partial<RewardNetwork<Tensor>>
  /** Of a reward model that is trained further. */
  readonly head?: RewardHead
  readonly embedder?: Embedder
  /** Numbers known of the surface of an answer. */
  readonly surface?: number
  /** The token that stands for one that is blanked out. */
  readonly blank?: number
}

const marks = ['<blank>', '<prompt>', '<answer>', '<end>'] as const

export function chosenTrunk(options: TrunkOptions): ChosenTrunk {
  const { trunk = {}, pool, prompt = true, reference = false } = options
  const read = { prompt, ...(reference ? { reference } : {}) }
  if ('members' in trunk) {
    const { network, reading } = trunk.manifest
    const { users: _, ...given } = trunk.members[0]!
    const { surface } = network
    return {
      trunk: network.trunk,
      head: network.head,
      reading,
      given,
      ...(surface === undefined ? {} : { surface }),
      ...(trunk.embedder === undefined ? {} : { embedder: trunk.embedder }),
    }
  }
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
        ...read,
        cut: false,
      },
      given: { trunk: trunk.parameters },
    }
  }
  const { width = 64, depth = 2, heads = 4, context = 256, vocabulary = 2048, ngrams = 8192 } = trunk
  const known = ngrams === 0 ? undefined : frequentNgrams(options, ngrams)
  const tokenizer = trainedBytePairs(textsOf(options), { size: vocabulary, marks })
  const size = marks.length + 256 + tokenizer.merges.length
  return {
    trunk: { kind: 'decoder', config: { width, depth, heads, context, vocabulary: size, tied: true } },
    reading: {
      kind: 'tokens',
      tokenizer: { kind: 'byte-pairs', ...tokenizer },
      dialogue: { before: ['<prompt>'], between: ['<answer>'], end: '<end>' },
      pool: pool ?? 'mean',
      ...read,
      cut: true,
      ...(known && { ngrams: known }),
    },
    ...(known && { surface: formCount + known.length }),
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

/** N-grams that stand in two answers or more, the most frequent first. */
function frequentNgrams(options: TrunkOptions, most: number): string[] {
  const standsIn = new Map<string, number>()
  for (const text of answersOf(options))
    for (const name of ngramCounts(text).keys()) standsIn.set(name, (standsIn.get(name) ?? 0) + 1)
  return [...standsIn]
    .filter(([, count]) => count > 1)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([name]) => name)
}

function answersOf({ preferences = [], labelled = [] }: TrunkOptions): Set<string> {
  const texts = new Set<string>()
  for (const { chosen, rejected } of preferences) texts.add(textOf(chosen)).add(textOf(rejected))
  for (const { sample } of labelled) texts.add(textOf(sample.output))
  return texts
}

/** Different texts of the training part, once each. */
function textsOf(options: TrunkOptions): Set<string> {
  const texts = answersOf(options)
  for (const { prompt } of options.preferences ?? []) texts.add(promptText(prompt))
  for (const { sample } of options.labelled ?? []) texts.add(promptText(sample.prompt))
  return texts
}
