import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { splitByPrompt } from '../../apply/split.ts'
import { GuerdonError, type Json, type Preference, promptText, Rng } from '../../core/index.ts'
import { readPreferences } from '../../data/index.ts'
import {
  type ComparisonLoss,
  type RewardEvaluation,
  type TrainRewardModelOptions,
  trainingState,
  trainRewardModel,
} from '../../learn/reward-models/index.ts'
import {
  type Measured,
  type TrainingDocumentOptions,
  trainingDocument,
} from '../../learn/trainers/kept-training.ts'
import type { Embedder } from '../../models/embedder.ts'
import { resolveModel } from '../../nets/resolve-model.ts'
import type { Pool } from '../../rewards/learned/reward-manifest.ts'
import { rewardModelSize } from '../../rewards/learned/trained-reward-model.ts'
import { figure } from '../../stats/figure.ts'
import type { BootstrapInterval } from '../../stats/index.ts'
import { type GlobalOptions, keepDocument } from '../session.ts'
import { table } from '../table.ts'
import { duration, type ExitCode, type Terminal } from '../terminal.ts'

interface TrainRewardCommandOptions extends GlobalOptions {
  readonly out: string
  readonly on: string
  readonly test?: string
  readonly testShare: number
  readonly splitBy?: string
  readonly prompt: boolean
  readonly pool?: Pool
  readonly loss: ComparisonLoss['kind']
  readonly steps: number
  readonly rows: number
  readonly rate: number
  readonly width: number
  readonly depth: number
  readonly vocabulary: number
  readonly members: number
  readonly seed: string
  readonly user?: string
  readonly prototypes: number
  readonly dimension?: string
  readonly confidence?: string
  readonly weight?: string
  readonly resume?: boolean
  readonly threads: number
}

/** `guerdon train reward PAIRS`: trains a reward model, measures it, and says whether length or form do its work. */
export async function trainRewardCommand(
  source: string,
  options: TrainRewardCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const all = await preferencesOf(source, terminal)
  const { train, test } =
    options.test === undefined
      ? split(all, options)
      : { train: all, test: await preferencesOf(options.test, terminal) }
  if (train.length === 0) throw new GuerdonError('no-preferences', `${source} has no pairs to train on.`)
  const trunk = await trunkOf(options)
  const views = viewsOf(options, train)
  const command = `guerdon train reward ${source} --out ${options.out} --seed ${options.seed} --steps ${options.steps}`
  const log = join(options.out, 'log')
  const kept = {
    logs: log,
    title: `Reward model ${basename(options.out)}`,
    created: new Date().toISOString(),
  }
  const keep = (state: Omit<TrainingDocumentOptions, 'logs' | 'created'>) =>
    keepDocument(options, trainingDocument({ ...kept, claim: command, ...state }))
  if (!options.resume)
    for (const file of trainingState(options.out, options.members)) await rm(file, { force: true })
  const interrupted = new AbortController()
  const stop = () => interrupted.abort(new Stopped())
  process.once('SIGINT', stop)
  const started = performance.now()
  let isDone = false
  try {
    await keep({ status: 'running' })
    const made = await trainRewardModel({
      ...trunk,
      ...views,
      name: basename(options.out) || 'reward-model',
      preferences: train,
      heldOut: test,
      prompt: options.prompt,
      ...(options.pool === undefined ? {} : { pool: options.pool }),
      loss: { kind: options.loss },
      steps: options.steps,
      rows: options.rows,
      learningRate: options.rate,
      members: options.members,
      seed: options.seed,
      threads: options.threads,
      folder: options.out,
      log,
      source,
      command,
      ...(options.splitBy === undefined
        ? {}
        : { cluster: (preference: Preference) => String(preference.meta[options.splitBy!]) }),
      signal: interrupted.signal,
      onStep: ({ step, member, loss, metrics }) =>
        terminal.progress(
          'training',
          member * options.steps + step + 1,
          options.members * options.steps,
          `loss ${figure(loss)}${metrics.accuracy === undefined ? '' : `  accuracy ${figure(metrics.accuracy)}`}`,
        ),
    })
    terminal.progressEnd()
    const { model, evaluation, unread, unreadReason } = made
    const seconds = (performance.now() - started) / 1000
    isDone = true
    await keep({
      status: 'complete',
      ...(evaluation === null ? {} : { measured: measuredOf(evaluation), notes: verdictsOf(evaluation) }),
    })
    if (unread > 0) terminal.problem(`${figure(unread)} answers could not be read: ${unreadReason}`)
    if (options.json) {
      const { name, data, training } = model.manifest
      terminal.result(
        JSON.stringify({ name, folder: options.out, seconds, data, training, evaluation, unread }),
      )
    } else {
      terminal.result(
        `${figure(train.length)} pairs, ${figure(rewardModelSize(model))} weights${options.members > 1 ? ` x ${options.members}` : ''}, ${duration(seconds)}`,
      )
      for (const line of evaluation === null ? ['no pairs were held out'] : evaluationLines(evaluation))
        terminal.result(line)
      terminal.result(`reward: reward-model(path=${JSON.stringify(options.out)})`)
    }
    await model.dispose()
    return 0
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    terminal.progressEnd()
    terminal.note('stopped; the same command with --resume goes on')
    return 130
  } finally {
    process.off('SIGINT', stop)
    if (!isDone) await keep({ status: 'stopped' })
  }
}

class Stopped extends Error {}

async function preferencesOf(source: string, terminal: Terminal): Promise<Preference[]> {
  const preferences: Preference[] = []
  let ties = 0
  for await (const batch of readPreferences(source)) {
    preferences.push(...batch.preferences)
    ties += batch.ties
    for (const error of batch.errors) terminal.problem(error.message)
  }
  if (ties > 0) terminal.note(`${figure(ties)} ties left out`)
  return preferences
}

/**
 * By prompt, or by the values of a field: a topic stands on one side only. Of few topics the share is met as nearly as whole
 * ones allow, by one at least: drawing each by itself often holds out none.
 */
function split(all: readonly Preference[], { testShare, splitBy }: TrainRewardCommandOptions) {
  if (splitBy === undefined) return splitByPrompt(all, { test: testShare })
  const field = (preference: Preference) => String(fieldOf(preference, splitBy))
  const values = new Rng('split').shuffled([...new Set(all.map(field))].sort())
  const count = testShare > 0 && values.length > 1 ? Math.max(1, Math.round(testShare * values.length)) : 0
  const tested = new Set(values.slice(0, count))
  return {
    train: all.filter((each) => !tested.has(field(each))),
    test: all.filter((each) => tested.has(field(each))),
  }
}

async function trunkOf({
  on,
  width,
  depth,
  vocabulary,
}: TrainRewardCommandOptions): Promise<Pick<TrainRewardModelOptions, 'trunk'>> {
  if (on === 'own') return { trunk: { width, depth, vocabulary } }
  const model = await resolveModel(on)
  if ('manifest' in model) return { trunk: model as never }
  if (model.embedText === undefined && model.embedImage === undefined)
    throw new GuerdonError('bad-option', `a reward model cannot stand on ${on}.`, {
      fix: 'Give "own", an embedded language model such as embedded:text-lm, or an embedder.',
    })
  return { trunk: { embedder: model as Embedder, name: on } }
}

function viewsOf(
  { user, dimension, confidence, weight, prototypes }: TrainRewardCommandOptions,
  train: readonly Preference[],
): Pick<TrainRewardModelOptions, 'users' | 'dimensions' | 'prototypes' | 'details' | 'view'> {
  const names = (field: string) => [...new Set(train.map((each) => String(fieldOf(each, field))))].sort()
  const number = (preference: Preference, field: string) => {
    const value = Number(fieldOf(preference, field))
    if (Number.isFinite(value)) return value
    throw new GuerdonError('bad-preference', `${field} is no number.`, {
      place: { sample: preference.id, field },
    })
  }
  const users = user === undefined ? undefined : names(user)
  const dimensions = dimension === undefined ? undefined : names(dimension)
  return {
    ...(users === undefined ? {} : { users, prototypes }),
    ...(dimensions === undefined ? {} : { dimensions }),
    details: (each) => ({
      ...(user === undefined ? {} : { user: String(fieldOf(each, user)) }),
      ...(dimension === undefined ? {} : { dimension: String(fieldOf(each, dimension)) }),
      ...(confidence === undefined ? {} : { confidence: number(each, confidence) }),
      ...(weight === undefined ? {} : { weight: number(each, weight) }),
    }),
    view: (each) => {
      const own = user === undefined ? undefined : String(fieldOf(each, user))
      return {
        ...(own !== undefined && users!.includes(own) ? { user: own } : {}),
        ...(dimension === undefined ? {} : { dimension: String(fieldOf(each, dimension)) }),
      }
    },
  }
}

function fieldOf({ id, prompt, meta }: Preference, field: string): Json {
  if (field === 'prompt') return promptText(prompt)
  const value = meta[field]
  if (value !== undefined && value !== null) return value
  throw new GuerdonError('bad-preference', `the pair has no ${field}.`, { place: { sample: id, field } })
}

function evaluationLines(evaluation: RewardEvaluation): string[] {
  return [
    ...table(
      ['on held-out pairs', 'value', '95% interval', 'n'],
      measuredOf(evaluation).map(({ name, value, low, high, n }) => [
        name,
        figure(value),
        low === undefined || high === undefined ? '' : `${figure(low)} to ${figure(high)}`,
        n === undefined ? '' : figure(n),
      ]),
    ).map((line) => `  ${line}`),
    ...verdictsOf(evaluation),
  ]
}

function measuredOf({ pairs, accuracy, logLoss, length, form }: RewardEvaluation): Measured[] {
  const row = (name: string, interval: BootstrapInterval | null): Measured =>
    interval === null
      ? { name, value: null, n: 0 }
      : { name, value: interval.estimate, low: interval.low, high: interval.high, n: interval.n }
  return [
    row('accuracy', accuracy),
    { name: 'log loss [nats]', value: logLoss, n: pairs },
    row('accuracy of length alone', length.baseline),
    row('  above length alone', length.aboveBaseline),
    row('accuracy where lengths are equal (10 %)', length.onMatched),
    row('accuracy where the better is longer', length.whenLonger),
    row('accuracy where the better is shorter', length.whenShorter),
    { name: 'correlation of score and length', value: length.correlation },
    row('accuracy of form alone', form.baseline),
    row('  above form alone', form.aboveBaseline),
    { name: 'decides as form alone does', value: form.agreement },
  ]
}

function verdictsOf({ unread, length, form }: RewardEvaluation): string[] {
  const strongest = Object.entries(form.weights)
    .slice(0, 3)
    .map(([name, weight]) => `${name} ${figure(weight, 2)}`)
  return [
    `length: ${length.verdict}`,
    `form: strongest features ${strongest.join(', ')}`,
    ...(unread === 0 ? [] : [`${figure(unread)} held-out pairs could not be read`]),
  ]
}
