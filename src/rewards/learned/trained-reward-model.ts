import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  defineBatchReward,
  GuerdonError,
  type Reward,
  Rng,
  type Sample,
  type Score,
  type StepReward,
  textOf,
  unscored,
} from '../../core/index.ts'
import type { Embedder } from '../../models/embedder.ts'
import { isFailed, type Outcome } from '../../models/outcome.ts'
import type { Tokenizer } from '../../models/tokenizer.ts'
import { resolveModel } from '../../nets/resolve-model.ts'
import {
  initialRewardNetwork,
  type RewardNetwork,
  rewardFeatures,
  userGain,
} from '../../nets/reward-network.ts'
import { sigmoid } from '../../stats/logistic.ts'
import { standardDeviation } from '../../stats/moments.ts'
import { type Checkpoint, loadCheckpoint, restored, saveCheckpoint } from '../../tensor/checkpoint.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import { compileByShape } from '../../tensor/compile-by-shape.ts'
import { leavesOf, type Tensor, type Tree } from '../../tensor/tree.ts'
import {
  checkView,
  type Pool,
  type RewardManifest,
  type RewardView,
  readRewardManifest,
  rewardManifestFile,
  rewardModelFolder,
  rewardNeeds,
  rewardWeightsFile,
} from './reward-manifest.ts'
import { type Reading, type RewardReader, rewardReader, sumUnit } from './reward-reader.ts'

export interface RewardValue {
  /** Log-odds over an ordinary answer: differences are log-odds that the better one is preferred. */
  readonly value: number
  /** Of each dimension, where there are several. */
  readonly parts?: Readonly<Record<string, number>>
  /** Standard deviation over the members, where there are several. */
  readonly uncertainty?: number
}

export interface RewardModelOptions extends RewardView {
  /** `probability`: that it is preferred to an ordinary answer, in (0, 1). @default 'log-odds' */
  readonly as?: 'log-odds' | 'probability'
}

/** A trained reward model. */
export interface RewardModel {
  readonly manifest: RewardManifest
  readonly members: readonly RewardNetwork<Tensor>[]
  readonly reader: RewardReader
  readonly tokenizer?: Tokenizer
  /** Of a model over vectors, where it was given in code. */
  readonly embedder?: Embedder
  values(samples: readonly Sample[], view?: RewardView, signal?: AbortSignal): Promise<Outcome<RewardValue>[]>
  /** As a reward of single answers. Throws `unknown-dimension` or `unknown-user`. */
  reward(options?: RewardModelOptions): Reward
  /** Rewards of the tokens or segments of an answer: what each adds to its score. */
  stepReward(options?: RewardView & StepOptions): StepReward
  dispose(): Promise<void>
}

export interface StepOptions {
  /** `segment`: sentences and lines. @default 'token' */
  readonly unit?: 'token' | 'segment'
}

/** Answers that run together, always as many: a score does not depend on its neighbours. */
const together = 16

/** @param embedder for a model over vectors. @default the one that the manifest names */
export function trainedRewardModel(
  manifest: RewardManifest,
  members: readonly RewardNetwork<Tensor>[],
  { embedder, ...options }: CompileOptions & { readonly embedder?: Embedder } = {},
): RewardModel {
  const { network, reading, dimensions, users, shifts } = manifest
  const source = reading.kind === 'vectors' ? reading.embedder : ''
  const reader = rewardReader(manifest, async () => embedder ?? ((await resolveModel(source)) as Embedder))
  const compiled = compileByShape<readonly Tree<Tensor>[], Tensor>(
    ((parameters: never, rows: never) => rewardFeatures(parameters, network, rows)) as never,
    options,
  )
  /** Features of each place of each reading, by member: [member][reading][place]. */
  const featuresOf = async (
    readings: readonly Reading[],
    places?: Parameters<RewardReader['rows']>[1],
  ): Promise<Float32Array[][][]> => {
    const all = members.map(() => new Array<Float32Array[]>(readings.length))
    // those of one length together: rows are padded to the longest
    const byLength = readings.map((_, index) => index)
    byLength.sort((a, b) => readings[a]!.tokens.length - readings[b]!.tokens.length)
    for (const own of batchesOf(byLength, (index) => Math.ceil(readings[index]!.tokens.length / 16))) {
      const filled = Array.from({ length: together }, (_, row) => readings[own[row] ?? own[0]!]!)
      const rows = reader.rows(filled, places)
      for (const [member, parameters] of members.entries()) {
        const { data, shape } = await compiled.run(parameters as Tree<Tensor>, rows as Tree<Tensor>)
        const width = shape[1]!
        const count = shape[0]! / together
        own.forEach((index, row) => {
          all[member]![index] = Array.from({ length: count }, (_, place) => {
            const at = (row * count + place) * width
            return (data as Float32Array).slice(at, at + width)
          })
        })
      }
    }
    return all
  }
  const valueWith = (features: readonly Float32Array[], view: RewardView): RewardValue => {
    const each = features.map(
      (own, member) =>
        plainValue(members[member]!, manifest, own, weightsFor(member, view)) - shifts[member]!,
    )
    const value = each.reduce((sum, one) => sum + one, 0) / each.length
    const spread = standardDeviation(each, { ddof: 1 })
    const parts =
      users === undefined && dimensions.length > 1 && view.dimension === undefined
        ? Object.fromEntries(
            dimensions.map((dimension) => [dimension, valueWith(features, { dimension }).value] as const),
          )
        : undefined
    return {
      value,
      ...(parts === undefined ? {} : { parts }),
      ...(spread === null ? {} : { uncertainty: spread }),
    }
  }
  const weightsFor = (member: number, { dimension, user }: RewardView): readonly number[] => {
    if (dimension !== undefined) {
      return dimensions.map((name) => Number(name === dimension))
    }
    const mixtures = userWeights(members[member]!)
    if (user !== undefined) return mixtures[users!.indexOf(user)]!
    if (mixtures.length === 0) return dimensions.map(() => 1 / dimensions.length)
    return dimensions.map((_, k) => mixtures.reduce((sum, own) => sum + own[k]!, 0) / mixtures.length)
  }
  const values: RewardModel['values'] = async (samples, view = {}, signal) => {
    checkView(manifest, view)
    const readings = await reader.read(samples, signal)
    const read = readings.filter((reading): reading is Reading => !isFailed(reading))
    const features = await featuresOf(read)
    let next = 0
    return readings.map((reading) => {
      if (isFailed(reading)) return reading
      const index = next++
      return valueWith(
        features.map((own) => own[index]![0]!),
        view,
      )
    })
  }
  const identity = { weights: manifest.weights }
  return {
    manifest,
    members,
    reader,
    ...(reader.tokenizer === undefined ? {} : { tokenizer: reader.tokenizer }),
    ...(embedder === undefined ? {} : { embedder }),
    values,
    reward({ as = 'log-odds', ...view } = {}) {
      checkView(manifest, view)
      return defineBatchReward({
        name: 'reward-model',
        range: as === 'log-odds' ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [0, 1],
        needs: rewardNeeds(manifest),
        params: { model: manifest.name, ...identity, ...view, as },
        judgeAll: async (samples, { signal }) =>
          (await values(samples, view, signal)).map((outcome) =>
            isFailed(outcome)
              ? unscored(outcome.failure.code, outcome.failure.reason)
              : as === 'log-odds'
                ? outcome
                : { ...outcome, value: sigmoid(outcome.value) },
          ),
      })
    },
    stepReward({ unit = 'token', ...view } = {}) {
      if (reading.kind !== 'tokens')
        throw new GuerdonError('bad-option', 'a reward model over vectors has no rewards of tokens.')
      checkView(manifest, view)
      const { pool } = reading
      return {
        name: 'reward-model',
        version: '1',
        params: { model: manifest.name, ...identity, ...view, unit },
        unit,
        range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
        async scoreSteps(samples, context) {
          const readings = await reader.read(samples, context?.signal)
          const results: (readonly Score[] | ReturnType<typeof unscored>)[] = []
          for (const [index, each] of readings.entries()) {
            if (isFailed(each)) {
              results.push(unscored(each.failure.code, each.failure.reason))
              continue
            }
            const { tokens, start } = each
            // every token of the answer is a place, filled up so that few shapes occur
            const count = Math.ceil((tokens.length - start + 1) / 16) * 16
            const features = await featuresOf([each], (_, length) =>
              Array.from({ length: count }, (_, place) => {
                const reads = new Float32Array(length)
                const at = start - 1 + place // the first is before the answer
                if (at >= 0 && at < tokens.length) reads[at] = 1
                return reads
              }),
            )
            const along = Array.from(
              { length: tokens.length - start + 1 },
              (_, place) =>
                valueWith(
                  features.map((own) => own[0]![place]!),
                  view,
                ).value,
            )
            const added = contributions(along, pool)
            const scores = unit === 'token' ? added : bySegment(reader.tokenizer!, samples[index]!, added)
            results.push(scores.map((value) => ({ value })))
          }
          return results
        },
      }
    },
    dispose: () => compiled.dispose(),
  }
}

/** Readings of one padded length, `together` at most. */
function* batchesOf(order: readonly number[], length: (index: number) => number): Generator<number[]> {
  let own: number[] = []
  for (const index of order) {
    if (own.length === together || (own.length > 0 && length(own[0]!) !== length(index))) {
      yield own
      own = []
    }
    own.push(index)
  }
  if (own.length > 0) yield own
}

/**
 * What each token of the answer (its end included) adds to the score, of values at the token before the answer and at
 * each of its tokens: the change of value, or its share of the mean or sum.
 */
function contributions(along: readonly number[], pool: Pool): number[] {
  const own = along.slice(1)
  if (pool === 'last') return own.map((value, index) => value - along[index]!)
  return own.map((value) => (pool === 'mean' ? value / own.length : value / sumUnit))
}

/** Sums over the sentences and lines of an answer; the end token belongs to the last. */
function bySegment(tokenizer: Tokenizer, sample: Sample, added: readonly number[]): number[] {
  const segments = textOf(sample.output).match(/\s*[^.!?\n]*[.!?\n]+|\s*[^.!?\n]+$/g) ?? ['']
  const sums = segments.map(() => 0)
  let token = 0
  segments.forEach((segment, index) => {
    const upTo =
      index === segments.length - 1
        ? added.length
        : Math.min(added.length, token + tokenizer.encode(segment).length)
    for (; token < upTo; token++) sums[index]! += added[token]!
  })
  return sums
}

/** The head on one state's features, at plain numbers. */
function plainValue(
  { head }: RewardNetwork<Tensor>,
  { network }: RewardManifest,
  features: Float32Array,
  weights: readonly number[],
): number {
  if (network.head.kind === 'linear')
    return weights.reduce((sum, weight, index) => sum + weight * features[index]!, 0)
  const { data } = (head as { readonly prototypes: Tensor }).prototypes
  const { space } = network.head
  let squares = 0
  for (let i = 0; i < space; i++) {
    const ideal = weights.reduce((sum, weight, k) => sum + weight * Number(data[k * space + i]!), 0)
    squares += (features[i]! - ideal) ** 2
  }
  return -Math.sqrt(squares)
}

/** Mixtures of all users of a member. */
export function userWeights({ users }: RewardNetwork<Tensor>): number[][] {
  if (users === undefined) return []
  const [count, outputs] = users.shape as [number, number]
  return Array.from({ length: count }, (_, row) => {
    const raw = Array.from(
      (users.data as Float32Array).subarray(row * outputs, (row + 1) * outputs),
      (value) => userGain * value,
    )
    const top = Math.max(...raw)
    const powers = raw.map((value) => Math.exp(value - top))
    const total = powers.reduce((a, b) => a + b, 0)
    return powers.map((value) => value / total)
  })
}

/** Writes manifest and weights to a folder; gives the manifest with the hash of the weights. */
export async function saveRewardModel(
  manifest: Omit<RewardManifest, 'weights'>,
  members: readonly RewardNetwork<Tensor>[],
  folder: string,
): Promise<RewardManifest> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, rewardWeightsFile)
  await saveCheckpoint(file, { members: members as readonly Tree<Tensor>[] })
  const whole = { ...manifest, weights: (await loadCheckpoint(file)).metadata.sha256! }
  const partial = join(folder, `${rewardManifestFile}.partial`)
  await writeFile(partial, `${JSON.stringify(whole, null, 1)}\n`)
  await rename(partial, join(folder, rewardManifestFile))
  return whole
}

/**
 * Loads what `guerdon train reward` or `trainRewardModel` wrote: a folder, or the name of a reward model of this package.
 *
 * Throws a `GuerdonError`: `checkpoint-missing`, `bad-weights`, `checkpoint-damaged`, `checkpoint-mismatch`.
 *
 * @example
 * const model = await loadRewardModel('my-reward')
 * const scores = await model.reward().score(samples)
 */
export async function loadRewardModel(
  path: string,
  options: CompileOptions & { readonly embedder?: Embedder } = {},
): Promise<RewardModel> {
  const manifest = readRewardManifest(path)
  const file = join(rewardModelFolder(path), rewardWeightsFile)
  const checkpoint = await loadCheckpoint(file)
  if (checkpoint.metadata.sha256 !== manifest.weights)
    throw new GuerdonError('checkpoint-damaged', 'these are not the weights that the manifest speaks of.', {
      place: { file },
    })
  return trainedRewardModel(manifest, membersOf(manifest, checkpoint), options)
}

function membersOf(manifest: RewardManifest, checkpoint: Checkpoint): RewardNetwork<Tensor>[] {
  const like = initialRewardNetwork(new Rng('structure'), manifest.network) as Tree<Tensor>
  const { members } = restored({ members: manifest.shifts.map(() => like) }, checkpoint) as {
    members: RewardNetwork<Tensor>[]
  }
  return members
}

/** Number of weights of one member. */
export function rewardModelSize({ members }: Pick<RewardModel, 'members'>): number {
  return leavesOf(members[0] as Tree<Tensor>).reduce((sum, { leaf }) => sum + leaf.data.length, 0)
}
