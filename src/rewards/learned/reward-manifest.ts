import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { GuerdonError, type Json, messageOf, type Need, nearest } from '../../core/index.ts'
import type { BytePairSpec } from '../../models/byte-pair-tokenizer.ts'
import type { WordTokenizerSpec } from '../../models/tokenizer.ts'
import type { DialogueMarks } from '../../nets/embedded/manifest.ts'
import type { RewardNetworkConfig } from '../../nets/reward-network.ts'

/**
 * What of an answer's hidden states is judged: its end (`last`), their mean, or their sum: then every token adds a
 * reward of its own.
 */
export type Pool = 'last' | 'mean' | 'sum'

/** How samples become what the network reads. */
export type RewardReading =
  | {
      readonly kind: 'tokens'
      readonly tokenizer:
        | ({ readonly kind: 'words' } & WordTokenizerSpec)
        | ({ readonly kind: 'byte-pairs' } & BytePairSpec)
      readonly dialogue: DialogueMarks
      readonly pool: Pool
      /** Whether the prompt is read before the answer. */
      readonly prompt: boolean
      /** Whether the sample's reference is read too, after the prompt: a verifier. @default false */
      readonly reference?: boolean
      /** What is too long is cut, a prompt at its beginning and an answer at its end; otherwise it cannot be judged. */
      readonly cut: boolean
      /** Words and pairs of words of the answer that count by themselves, beside its form, where the surface counts too. */
      readonly ngrams?: readonly string[]
    }
  | {
      readonly kind: 'vectors'
      /** Name of an embedder, as `resolveModel` knows it. */
      readonly embedder: string
      /** Vectors that stand side by side: of the output, of the prompt too, or also their product. */
      readonly of: 'output' | 'prompt and output'
    }

/** What a reward model says of itself (`reward-model.json`): all that is needed to use it, and what is known of it. */
export interface RewardManifest {
  readonly format: 1
  readonly name: string
  readonly network: RewardNetworkConfig
  readonly reading: RewardReading
  /** Names of the outputs; of a model of users, of its prototypes. */
  readonly dimensions: readonly string[]
  /** Users known by name, in the order of their weights. */
  readonly users?: readonly string[]
  /** Mean score of the training answers by member, taken off: 0 is an ordinary answer. One for each seed. */
  readonly shifts: readonly number[]
  /** SHA-256 of the weights. */
  readonly weights: string
  /** Where the data came from, their hash, how many pairs trained and measured. */
  readonly data: Json
  /** Options, seeds and command. */
  readonly training: Json
  /** Measured on held-out pairs. */
  readonly metrics: Json
}

export const rewardManifestFile = 'reward-model.json'
export const rewardWeightsFile = 'reward-model.safetensors'

const schema = z.looseObject({
  format: z.literal(1),
  name: z.string(),
  network: z.looseObject({
    trunk: z.looseObject({ kind: z.enum(['decoder', 'vision-language', 'vectors']) }),
    head: z.looseObject({ kind: z.enum(['linear', 'ideal-points']), outputs: z.number().int().positive() }),
  }),
  reading: z.looseObject({ kind: z.enum(['tokens', 'vectors']) }),
  dimensions: z.array(z.string()).min(1),
  users: z.array(z.string()).optional(),
  shifts: z.array(z.number()).min(1),
  weights: z.string(),
})

/** The folder of a reward model: a path, or the name of one that comes with this package (`weights/NAME`). */
export function rewardModelFolder(path: string): string {
  if (existsSync(join(path, rewardManifestFile)) || /[/\\]/.test(path)) return path
  return fileURLToPath(new URL(`../../../weights/${path}`, import.meta.url))
}

/** Throws a `GuerdonError`: `checkpoint-missing` where there is no reward model, `bad-weights` for a broken manifest. */
export function readRewardManifest(path: string): RewardManifest {
  const file = join(rewardModelFolder(path), rewardManifestFile)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new GuerdonError('checkpoint-missing', `there is no reward model in "${path}".`, {
      place: { file },
      fix: 'Train one: guerdon train reward PAIRS --out DIR.',
      cause: error,
    })
  }
  const fail = (what: string): never => {
    throw new GuerdonError('bad-weights', `this is no manifest of a reward model: ${what}.`, {
      place: { file },
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return fail(messageOf(error))
  }
  const read = schema.safeParse(value)
  if (read.success) return read.data as unknown as RewardManifest
  const { path: place, message } = read.error.issues[0]!
  return fail(`"${place.join('.')}": ${message}`)
}

/** Whose or which of a model's numbers is meant. */
export interface RewardView {
  /** One of the dimensions. @default their mean, or of a model of users the mean user */
  readonly dimension?: string | undefined
  /** One of the users. */
  readonly user?: string | undefined
}

export function rewardNeeds({ reading }: RewardManifest): readonly Need[] {
  if (reading.kind === 'vectors') return ['embeddings']
  return reading.reference ? ['reference'] : []
}

/** Throws a `GuerdonError`: `unknown-dimension` or `unknown-user`. */
export function checkView(
  { dimensions, users = [] }: Pick<RewardManifest, 'dimensions' | 'users'>,
  { dimension, user }: RewardView,
): void {
  const check = (names: readonly string[], name: string | undefined, kind: 'dimension' | 'user') => {
    if (name === undefined || names.includes(name)) return
    const guess = nearest(name, names)
    throw new GuerdonError(`unknown-${kind}`, `the reward model has no ${kind} "${name}".`, {
      fix: guess
        ? `Did you mean "${guess}"?`
        : names.length === 0
          ? `It has no ${kind}s.`
          : `Such as ${names.slice(0, 5).join(', ')}.`,
    })
  }
  check(dimensions, dimension, 'dimension')
  check(users, user, 'user')
}
