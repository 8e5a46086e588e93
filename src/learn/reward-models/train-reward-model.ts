import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GuerdonError, identityOf, type Json, type Preference, Rng, type Sample } from '../../core/index.ts'
import { isFailed } from '../../models/outcome.ts'
import {
  initialRewardNetwork,
  type RewardNetwork,
  type RewardNetworkConfig,
} from '../../nets/reward-network.ts'
import type { RewardManifest } from '../../rewards/learned/reward-manifest.ts'
import { type Reading, rewardReader } from '../../rewards/learned/reward-reader.ts'
import { formCount } from '../../rewards/learned/surface-features.ts'
import {
  type RewardModel,
  saveRewardModel,
  trainedRewardModel,
} from '../../rewards/learned/trained-reward-model.ts'
import { mean } from '../../stats/moments.ts'
import { loadCheckpoint } from '../../tensor/checkpoint.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import { adamW, warmupCosine } from '../../tensor/optimiser.ts'
import { type StepReport, train } from '../../tensor/train.ts'
import { flatLeaves, type PathPattern, type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { rewardBatches } from './reward-batches.ts'
import { type RewardEvaluation, type RewardEvaluationOptions, rewardEvaluation } from './reward-evaluation.ts'
import {
  type Comparison,
  type ComparisonDetails,
  type LabelledAnswer,
  rewardExamples,
} from './reward-examples.ts'
import { type AuxiliaryLoss, type ComparisonLoss, type RewardBatch, rewardLoss } from './reward-loss.ts'
import { type ChosenTrunk, chosenTrunk, type TrunkOptions } from './reward-trunk.ts'
import { formRidge, ngramRidge, type SparseFeatures, sparseBradleyTerry } from './sparse-bradley-terry.ts'
import { stepLog } from './step-log.ts'

export interface TrainRewardModelOptions extends CompileOptions, TrunkOptions, RewardEvaluationOptions {
  readonly name?: string
  /** Pairs to learn from. */
  readonly preferences?: readonly Preference[]
  /** Answers, or their steps, with a label each, to learn from as well or instead. */
  readonly labelled?: readonly LabelledAnswer[]
  /** Pairs that are measured on. */
  readonly heldOut?: readonly Preference[]
  /** Respects in which answers are judged. @default ['reward'] */
  readonly dimensions?: readonly string[]
  /** Names of the users whose preferences these are; `details` says whose each is. */
  readonly users?: readonly string[]
  /** Of a model of users: prototypes that each user is a mixture of. @default 2 */
  readonly prototypes?: number
  /** `ideal-points`: PAL's distances in a space of so many dims. @default 'linear' */
  readonly head?: 'linear' | { readonly kind: 'ideal-points'; readonly space: number }
  /** What a preference says beside its order. @default nothing: the margin alone is read */
  readonly details?: (preference: Preference) => ComparisonDetails
  /** @default Bradley-Terry */
  readonly loss?: ComparisonLoss
  readonly auxiliary?: readonly AuxiliaryLoss[]
  /** Which parameters change, by path such as `trunk.`, `head.`. @default all but a visual connector */
  readonly trainable?: PathPattern
  /** @default 400 */
  readonly steps?: number
  /** Answers in a batch. @default 32 */
  readonly rows?: number
  /** Comparisons in a batch at most. @default 4 * rows */
  readonly comparisons?: number
  /** Highest learning rate: after a tenth of the steps, then down a cosine. @default 1e-3 */
  readonly learningRate?: number
  /** @default 0.01 */
  readonly weightDecay?: number
  /** Share of an answer's tokens blanked out in training, with a vocabulary of one's own. @default 0 */
  readonly blank?: number
  /** Decay of a moving average of the weights, which then is the model. @default none */
  readonly average?: number
  /** Models of different seeds, whose mean is the reward and whose spread its uncertainty. @default 1 */
  readonly members?: number
  /** @default 0 */
  readonly seed?: string | number
  /** Where the model goes, and the state of training meanwhile: given again, an interrupted training goes on. */
  readonly folder?: string
  /** A folder for one JSON line a step: `seed-0.jsonl`, and so on for each member. */
  readonly log?: string
  /** Kept in the manifest: where the data came from. */
  readonly source?: Json
  /** Kept in the manifest. */
  readonly command?: string
  readonly onStep?: (report: StepReport & { readonly member: number }) => void
  readonly signal?: AbortSignal
}

export interface TrainedRewardModel {
  readonly model: RewardModel
  /** On the held-out pairs; null without any. */
  readonly evaluation: RewardEvaluation | null
  /** Answers that could not be read, and their pairs left out; why the first of them. */
  readonly unread: number
  readonly unreadReason?: string
}

/**
 * Trains a reward model on pairs, or on labelled answers and steps, and measures it: accuracy on held-out pairs, and
 * whether length or form do its work. With a folder it is saved there (`loadRewardModel`, `reward-model(path=...)`).
 * The same options and seed give the same model, however often training was interrupted.
 *
 * Throws a `GuerdonError`: `nothing-to-train` when nothing can be read, `bad-preference`, and those of `train`.
 */
export async function trainRewardModel(options: TrainRewardModelOptions): Promise<TrainedRewardModel> {
  const {
    preferences = [],
    labelled = [],
    heldOut = [],
    users,
    members = 1,
    seed = 0,
    folder,
    signal,
  } = options
  const chosen = chosenTrunk(options)
  const { embedder, reading } = chosen
  const network = networkOf(options, chosen)
  const { head } = network
  const dimensions =
    users === undefined
      ? (options.dimensions ?? ['reward'])
      : Array.from({ length: head.outputs }, (_, k) => `prototype ${k + 1}`)
  const reader = rewardReader({ network, reading }, embedder && (async () => embedder))
  const examples = rewardExamples(
    preferences,
    labelled,
    users === undefined ? { dimensions } : { dimensions, users },
    options.details,
  )
  const outcomes = await reader.read(examples.answers, signal)
  const readings = outcomes.map((each): Reading | undefined => (isFailed(each) ? undefined : each))
  const failure = outcomes.find(isFailed)?.failure
  if (readings.every((each) => each === undefined))
    throw new GuerdonError('nothing-to-train', 'no answer can be read.', {
      fix: failure?.reason ?? 'Give preferences or labelled answers.',
    })
  const {
    rows = 32,
    steps = 400,
    learningRate = 1e-3,
    loss = { kind: 'bradley-terry' },
    auxiliary = [],
  } = options
  const draw = rewardBatches(examples, readings, reader, {
    rows,
    comparisons: options.comparisons ?? 4 * rows,
    pool: reading.kind === 'tokens' ? reading.pool : 'last',
    ...(options.blank === undefined || chosen.blank === undefined
      ? {}
      : { blank: { share: options.blank, token: chosen.blank } }),
  })

  const state = identityOf([
    network,
    reading,
    examples.comparisons,
    examples.labels,
    { steps, rows, learningRate, loss, seed, auxiliary: auxiliary.map(({ name, weight }) => [name, weight]) },
    [options.comparisons, options.weightDecay, options.blank, options.average].map((each) => each ?? null),
  ])
  if (folder !== undefined) await checkStates(folder, members, state)
  const isTrained = pathMatcher(options.trainable ?? ((path) => !path.startsWith('trunk.connector')))
  const surface =
    chosen.given?.surface ??
    withSurface(initialRewardNetwork(new Rng('surface'), network), readings, examples.comparisons).surface
  const networks: RewardNetwork<Tensor>[] = []
  const log = options.log === undefined ? undefined : stepLog(options.log)
  for (let member = 0; member < members; member++) {
    const own = members === 1 ? String(seed) : `${seed}/${member}`
    const trained = await train<Tree<Tensor>>({
      ...options,
      parameters: {
        ...initialRewardNetwork(new Rng(`reward-model/${own}`), network, chosen.given),
        ...(surface === undefined ? {} : { surface }),
      } as Tree<Tensor>,
      trainable: (path) => !path.startsWith('surface.') && isTrained(path),
      optimiser: adamW({ weightDecay: options.weightDecay ?? 0.01 }),
      seed: own,
      steps,
      schedule: warmupCosine({ peak: learningRate, warmup: Math.max(1, steps / 10), total: steps }),
      loss: (parameters, batch: RewardBatch) => rewardLoss(network, loss, auxiliary, parameters, batch),
      batches: (_, rng) => {
        const { batch, drawn } = draw(rng)
        if (auxiliary.length === 0) return batch
        const given = auxiliary.flatMap((each) =>
          each.given === undefined ? [] : [[each.name, each.given(drawn)] as const],
        )
        return { ...(batch as Record<string, Tree<Tensor>>), auxiliary: Object.fromEntries(given) }
      },
      ...(folder === undefined
        ? {}
        : {
            checkpoint: {
              path: trainingState(folder, members)[member]!,
              every: 100,
              metadata: { training: state },
            },
          }),
      onStep: (report) => {
        log?.({ ...report, member })
        options.onStep?.({ ...report, member })
      },
    })
    networks.push((trained.averaged ?? trained.parameters) as RewardNetwork<Tensor>)
  }

  const draft: RewardManifest = {
    format: 1,
    name: options.name ?? 'reward-model',
    network,
    reading,
    dimensions,
    ...(users === undefined ? {} : { users }),
    shifts: networks.map(() => 0),
    weights: identityOf(
      networks.map((own) => flatLeaves(own as Tree<Tensor>).map(({ data }) => Array.from(data, Number))),
    ),
    data: {
      source: options.source ?? null,
      hash: identityOf(preferences.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected])),
      pairs: preferences.length,
      labelled: labelled.length,
      heldOut: heldOut.length,
    },
    training: {
      seed,
      members,
      steps,
      rows,
      learningRate,
      loss,
      auxiliary: auxiliary.map(({ name, weight }) => ({ name, weight })),
      command: options.command ?? null,
    },
    metrics: null,
  }
  const running = { ...options, ...(embedder === undefined ? {} : { embedder }) }
  const model = async (manifest: RewardManifest, own = networks) => trainedRewardModel(manifest, own, running)
  const shifts: number[] = []
  for (const own of networks)
    shifts.push(await meanScore(await model({ ...draft, shifts: [0] }, [own]), examples.answers))
  const centred = { ...draft, shifts }
  const unsaved = await model(centred)
  const evaluation =
    heldOut.length === 0
      ? null
      : await rewardEvaluation(unsaved, heldOut, { ...options, training: preferences })
  const unread = {
    unread: readings.filter((each) => each === undefined).length,
    ...(failure === undefined ? {} : { unreadReason: failure.reason }),
  }
  if (folder === undefined) return { model: unsaved, evaluation, ...unread }
  await unsaved.dispose()
  const whole = { ...centred, metrics: evaluation as unknown as Json }
  const saved = await saveRewardModel(whole, networks, folder)
  for (const file of trainingState(folder, members)) await rm(file, { force: true })
  return { model: await model(saved), evaluation, ...unread }
}

/** Files of the state of an interrupted training, one for each member. */
export function trainingState(folder: string, members: number): string[] {
  return Array.from({ length: members }, (_, member) => join(folder, `training-${member}.safetensors`))
}

/** Throws `checkpoint-mismatch` where a folder holds the state of another training. */
async function checkStates(folder: string, members: number, state: string): Promise<void> {
  for (const file of trainingState(folder, members)) {
    if (!existsSync(file)) continue
    const { metadata } = await loadCheckpoint(file)
    if (metadata.training !== state)
      throw new GuerdonError('checkpoint-mismatch', 'the folder holds the state of another training.', {
        place: { file },
        fix: 'Give the same data and options, another folder, or begin anew without --resume.',
      })
  }
}

function networkOf(
  { dimensions = ['reward'], users, prototypes = 2, head = 'linear' }: TrainRewardModelOptions,
  { trunk, surface, head: before }: Pick<ChosenTrunk, 'trunk' | 'surface' | 'head'>,
): RewardNetworkConfig {
  const outputs = before?.outputs ?? (users === undefined ? dimensions.length : prototypes)
  const counted = { outputs, ...(users === undefined ? {} : { users: users.length }) }
  return {
    trunk,
    head: { ...(before ?? (head === 'linear' ? { kind: 'linear' } : head)), ...counted },
    ...(surface === undefined ? {} : { surface }),
  }
}

function pathMatcher(pattern: PathPattern): (path: string) => boolean {
  return typeof pattern === 'function' ? pattern : (path) => pattern.test(path)
}

/**
 * The same network, with weights of the surface fitted to all comparisons at once: the trunk then learns what they leave
 * over.
 */
function withSurface(
  network: RewardNetwork<Tensor>,
  readings: readonly (Reading | undefined)[],
  comparisons: readonly Comparison[],
): RewardNetwork<Tensor> {
  if (network.surface === undefined) return network
  const rows = readings.map(
    (each): SparseFeatures =>
      Array.from(each?.surface ?? []).flatMap((value, feature) =>
        value === 0 ? [] : [[feature, value] as const],
      ),
  )
  const [size, outputs] = network.surface.weight.shape as [number, number]
  const { weights, scale } = sparseBradleyTerry(rows, size, comparisons, {
    ridge: (feature) => (feature < formCount ? formRidge : ngramRidge),
  })
  const weight = Float32Array.from({ length: size * outputs }, (_, at) => weights[Math.floor(at / outputs)]!)
  return { ...network, surface: { weight: tensor(weight, [size, outputs]), scale: tensor(scale, [size]) } }
}

/** Mean score of the answers that can be read; at most a thousand, evenly chosen, are asked. */
async function meanScore(model: RewardModel, answers: readonly Sample[]): Promise<number> {
  const stride = Math.max(1, Math.ceil(answers.length / 1000))
  const outcomes = await model.values(answers.filter((_, index) => index % stride === 0))
  await model.dispose()
  return mean(outcomes.flatMap((each) => (isFailed(each) ? [] : [each.value]))) ?? 0
}
