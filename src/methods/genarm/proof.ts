import type { Rng } from '../../core/index.ts'
import { autoregressiveRewardLosses } from '../../learn/objectives/autoregressive-reward.ts'
import { dpoLosses } from '../../learn/objectives/dpo.ts'
import type { GuidanceOptions, LanguagePolicy, PolicyGuide } from '../../learn/policies/language-policy.ts'
import { trainRewardModel } from '../../learn/reward-models/train-reward-model.ts'
import { preferred } from '../../learn/trainers/objective.ts'
import { offlineTraining } from '../../learn/trainers/offline.ts'
import { isFailed } from '../../models/outcome.ts'
import type { ValueGuide } from '../../nets/value-guided-decoder.ts'
import { flatLeaves, mapLeaves, type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { type TextTask, taskPrompt, textTasks } from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type {
  ArmOptions,
  ArmResult,
  Prepare,
  Reproduction,
  RunArm,
  RunContext,
} from '../reproduce/reproduction.ts'
import { corpusExample, heldOutInstructions, qualityExamples, qualityOf } from '../reproduce/text-proof.ts'
import {
  type AnsweredTask,
  answersTo,
  meanPart,
  startingPolicy,
  textStart,
  tokensOf,
  tunedStart,
} from '../reproduce/text-world.ts'
import { tracked } from '../reproduce/tracked.ts'
import {
  answerPairs,
  halves,
  pairAccuracy,
  policyPairs,
  preferencesOf,
  unended,
  type Wish,
} from './preferences.ts'
import { decodingError } from './tabular.ts'

const instructions = { kinds: { instruction: 1 }, split: 'test' } as const

const settings = {
  start: { from: 'text-lm', steps: 120, peak: 1e-3 },
  /** A quarter of the start's parameters. */
  small: { width: 32, depth: 3, steps: 800, peak: 3e-3 },
  pairs: 2000,
  batch: 16,
  beta: { arm: 0.1, dpo: 0.1 },
  maxTokens: 40,
  /** Strengths of decoding that are tried on prompts of their own: of guides, and of values. */
  strengths: { guide: [0.5, 1, 2, 4], value: [0.5, 1, 2, 4] },
  chosenOn: 24,
  /** Tokens of which the trajectory model chooses, and samples. */
  top: 8,
  samples: 8,
  /** Held-out prompts, and pairs. */
  tested: 128,
  ranked: 256,
  sweep: 6,
} as const

export const genarmProof: Reproduction = {
  id: 'genarm',
  claim:
    'A frozen model that an autoregressive reward model guides token by token gets most of what DPO would teach it, more than ' +
    "by a trajectory's reward model on prefixes; the guide may be smaller, and several wishes are weighed at decoding.",
  module: import.meta.url,
  settings,
  arms: {
    ARM: 'frozen start, guided by an autoregressive reward model of its size',
    'trajectory model': `frozen start, argmax of log p + w r(prefix + token) over the ${settings.top} likeliest tokens (ARGS); and best of ${settings.samples} by the same model`,
    DPO: 'the start itself trained on the same pairs',
    'weak ARM': 'frozen start, guided by an autoregressive reward model of a quarter of its size',
    'two ARMs': 'frozen start, guided for quality and brevity, six weightings',
    soup: 'two DPO models, for quality and brevity, their weights interpolated in six steps',
    start: 'the common start, untrained',
  },
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [3e-4, 1e-3],
    metric: 'quality',
    arms: { ARM: ['weak ARM', 'two ARMs'], 'trajectory model': [], DPO: ['soup'] },
  },
  equalSamples: ['ARM', 'trajectory model', 'DPO', 'weak ARM'],
  quickArms: ['ARM', 'start'],
  notes: [
    `Start: text-lm, tuned for ${settings.start.steps} steps on answers of mixed quality. ${settings.pairs} pairs of answers of that mixture, ordered by the verifiable quality (or by length), read once; all that is trained begins with the start, but for the weak guide, which was trained from nothing for ${settings.small.steps} steps on the same mixture.`,
    `The strength of decoding (alpha of guides, w of values) is chosen of four for both, on ${settings.chosenOn} prompts of their own; alpha has nothing to do with the beta of training.`,
    `Passes of a network for each token: start and DPO 1, guided 2 (3 with two guides), ARGS ${1 + settings.top}, best of ${settings.samples} at least ${settings.samples}. ARGS is greedy by definition; all others sample at temperature 1. Greedy quality of the start and of guided decoding is measured beside, as greed alone gains much.`,
    'Not tuned: the betas of training (0.1), one pass, rows of an update; ARM and DPO have two learning rates each to choose of.',
    "Samples are pairs read; 'two ARMs' and the soup read twice as many.",
    'A strong model four times as large as the first was not trained: the weak guide is four times smaller instead.',
  ],
  criteria: (results) => {
    const seeds = results.seeds.length
    const quality = (arm: string) => results.values(arm, 'quality')
    const base = quality('start')
    const gains = quality('ARM').map((value, seed) => value - base[seed]!)
    const dpo = quality('DPO').map((value, seed) => value - base[seed]!)
    const overArgs = results.difference('ARM', 'trajectory model', 'quality')
    const most = seeds - 1
    const met = (flags: readonly boolean[]) => flags.filter(Boolean).length
    const accuracy = results.values('ARM', 'pairs right')
    const prefixes = results.difference('ARM', 'trajectory model', 'prefixes right')
    const weak = results.mean('weak ARM', 'quality') - results.mean('start', 'quality')
    const volume = results.difference('two ARMs', 'soup', 'hypervolume')
    const same = gains.reduce((a, b) => a + b, 0) / seeds
    const few = (values: readonly number[]) => values.map((value) => value.toFixed(3)).join(', ')
    return [
      {
        name: 'the pairs teach: DPO gains 3 points',
        kind: 'validity',
        holds: dpo.reduce((a, b) => a + b, 0) / seeds > 0.03,
        measured: few(dpo),
      },
      {
        name: 'quality: ARM is above ARGS by 3 points, in all seeds but one at most',
        kind: 'claim',
        holds: met(overArgs.differences.map((value) => value >= 0.03)) >= most,
        measured: overArgs.text,
      },
      {
        name: "quality: ARM gains at least half of DPO's gain, in all seeds but one at most",
        kind: 'claim',
        holds: met(gains.map((gain, seed) => gain >= 0.5 * dpo[seed]!)) >= most,
        measured: `${few(gains)} against ${few(dpo)}`,
      },
      {
        name: 'ARM orders at least 75 % of the held-out pairs, in all seeds but one at most',
        kind: 'claim',
        holds: met(accuracy.map((value) => value >= 0.75)) >= most,
        measured: few(accuracy),
      },
      {
        name: 'ARM orders more pairs by their first halves than the trajectory model, in all seeds but one at most',
        kind: 'claim',
        holds: prefixes.above >= most,
        measured: prefixes.text,
      },
      {
        name: 'weak to strong: the small guide gains at least half of what the guide of equal size does',
        kind: 'claim',
        holds: weak >= 0.5 * same,
        measured: `${weak.toFixed(3)} against ${same.toFixed(3)}`,
      },
      {
        name: 'two wishes: the weighting trades one for the other steadily, but for a step a seed',
        kind: 'claim',
        holds: results.values('two ARMs', 'steps back').every((steps) => steps <= 1),
        measured: results.values('two ARMs', 'steps back').join(', '),
      },
      {
        name: 'two wishes: more volume below the frontier than of interpolated DPO models',
        kind: 'claim',
        holds: volume.mean > 0,
        measured: volume.text,
      },
      {
        name: 'decoding is exact where continuations have one partition sum, and only there',
        kind: 'control',
        holds: results.mean('start', 'error, even') < 1e-5 && results.mean('start', 'error, uneven') > 1e-3,
        measured: `total variation ${results.mean('start', 'error, even').toExponential(1)} and ${results.mean('start', 'error, uneven').toFixed(3)}`,
      },
    ]
  },
}

export const prepare: Prepare = async ({ seed, quick, folder }) => {
  const example = (rng: Rng) => corpusExample(`genarm/${seed}`, rng)
  const steps = (full: number) => (quick ? 5 : full)
  return {
    start: await tunedStart(folder, { ...settings.start, seed, steps: steps(settings.start.steps), example }),
    small: await textStart(folder, {
      ...settings.small,
      name: 'small',
      seed,
      steps: steps(settings.small.steps),
      example,
    }),
  }
}

/** A run and what all of its parts share. */
interface Proof {
  readonly run: ArmOptions
  readonly context: RunContext
  readonly policy: Awaited<ReturnType<typeof startingPolicy>>
  readonly learningRate: number
  readonly pairs: number
  /** Prompts that strengths are chosen on, and those that measure. */
  readonly chosenOn: readonly TextTask[]
  readonly held: readonly TextTask[]
}

export const runArm: RunArm = async (run, context): Promise<ArmResult> => {
  const { seed, quick, tuned: learningRate = 1e-3 } = run
  const starts = run.start as { readonly start: string; readonly small: string }
  const proof: Proof = {
    run,
    context,
    policy: await startingPolicy(starts.start),
    learningRate,
    pairs: quick ? 32 : settings.pairs,
    chosenOn: textTasks(`genarm/strength/${seed}`, quick ? 4 : settings.chosenOn, instructions),
    held: heldOutInstructions('genarm/held-out', seed, quick ? 16 : settings.tested),
  }
  switch (run.arm) {
    case 'ARM':
      return guidedRun(proof, proof.policy)
    case 'weak ARM':
      return guidedRun(proof, await startingPolicy(starts.small))
    case 'trajectory model':
      return trajectoryRun(proof)
    case 'DPO':
      return result(proof, await written(proof, proof.policy, await dpoTrained(proof, 'quality')))
    case 'two ARMs':
      return twoGuides(proof)
    case 'soup':
      return soup(proof)
    default: {
      const { policy, held } = proof
      const greedy = await answersTo(policy, policy.initial, held, { maxTokens: settings.maxTokens })
      const error = (even: boolean) => decodingError(String(seed), { even })
      const found = await written(proof, policy, policy.initial)
      return result(proof, found, {
        greedy: meanPart(greedy),
        'error, even': error(true),
        'error, uneven': error(false),
      })
    }
  }
}

const written = (
  { held }: Proof,
  policy: LanguagePolicy,
  parameters: Tree<Tensor>,
  guidance: GuidanceOptions & { readonly temperature?: number } = {},
  tasks = held,
) =>
  answersTo(policy, parameters, tasks, {
    maxTokens: settings.maxTokens,
    temperature: 1,
    seed: 1,
    ...guidance,
  })

function result(
  { run, pairs }: Proof,
  answers: readonly AnsweredTask[],
  metrics: Readonly<Record<string, number>> = {},
  rest: Partial<ArmResult> = {},
): ArmResult {
  const read = run.arm === 'start' ? 0 : pairs
  return {
    metrics: { ...qualityOf(answers), ...metrics },
    examples: qualityExamples(answers),
    samples: read,
    rewardCalls: read,
    ...rest,
  }
}

async function trainedOnPairs(
  { run, context, learningRate, pairs }: Proof,
  policy: LanguagePolicy,
  wish: Wish,
  options: Parameters<typeof preferred>[1],
): Promise<Tree<Tensor>> {
  const items = await policyPairs(policy, answerPairs(`genarm/${run.seed}`, pairs, wish, 'train'))
  // ten parts of the one pass, so that progress shows
  const parts = run.quick ? 1 : 10
  const { parameters } = await offlineTraining({
    ...tracked(run, context, { iterations: parts, part: wish }),
    policy,
    learningRate: (update) => learningRate * Math.min(1, (update + 1) / 10),
    batch: settings.batch,
    items: (iteration) => items.filter((_, index) => index % parts === iteration),
    objective: preferred(policy, options),
  })
  return parameters
}

function armTrained(proof: Proof, policy: LanguagePolicy, wish: Wish): Promise<Tree<Tensor>> {
  const beta = settings.beta.arm
  return trainedOnPairs(proof, policy, wish, {
    reference: 'none',
    beta,
    losses: ({ margins }) => autoregressiveRewardLosses({ margins }, { beta }),
  })
}

function dpoTrained(proof: Proof, wish: Wish): Promise<Tree<Tensor>> {
  const beta = settings.beta.dpo
  return trainedOnPairs(proof, proof.policy, wish, {
    beta,
    losses: ({ margins }) => dpoLosses({ margins }, { beta }),
  })
}

/** The strength whose answers are best on the prompts for that. */
async function chosenStrength(
  strengths: readonly number[],
  quality: (strength: number) => Promise<readonly AnsweredTask[]>,
): Promise<number> {
  const means: number[] = []
  for (const strength of strengths) means.push(meanPart(await quality(strength)))
  return strengths[means.indexOf(Math.max(...means))]!
}

async function guidedRun(proof: Proof, guide: LanguagePolicy): Promise<ArmResult> {
  const { policy, run, chosenOn } = proof
  const parameters = await armTrained(proof, guide, 'quality')
  const by = (weight: number) => ({ guides: [{ policy: guide, parameters, weight }] })
  const alpha = await chosenStrength(settings.strengths.guide, (weight) =>
    written(proof, policy, policy.initial, by(weight), chosenOn),
  )
  const answers = await written(proof, policy, policy.initial, by(alpha))
  const ranked = answerPairs('genarm/ranked', run.quick ? 16 : settings.ranked, 'quality', 'test')
  const sums = async (rows: Parameters<LanguagePolicy['score']>[1]) =>
    (await guide.score(parameters, rows)).map((logp) => logp.reduce((a, b) => a + b, 0))
  const whole = await policyPairs(guide, ranked)
  const begun = await policyPairs(guide, ranked.map(halves))
  return result(proof, answers, {
    alpha,
    greedy: meanPart(await written(proof, policy, policy.initial, { ...by(alpha), temperature: 0 })),
    'pairs right': pairAccuracy(
      await sums(whole.map(({ chosen }) => chosen)),
      await sums(whole.map(({ rejected }) => rejected)),
    ),
    'prefixes right': pairAccuracy(
      await sums(unended(begun.map(({ chosen }) => chosen))),
      await sums(unended(begun.map(({ rejected }) => rejected))),
    ),
  })
}

async function trajectoryRun(proof: Proof): Promise<ArmResult> {
  const { policy, run, context, learningRate, pairs, chosenOn, held } = proof
  const { model } = await trainRewardModel({
    preferences: preferencesOf(answerPairs(`genarm/${run.seed}`, pairs, 'quality', 'train')),
    trunk: policy.model,
    rows: 2 * settings.batch,
    comparisons: settings.batch,
    steps: Math.ceil(pairs / settings.batch),
    learningRate,
    seed: run.seed,
    signal: context.signal,
  })
  const valuesOf = async (texts: readonly { readonly prompt: string; readonly output: string }[]) => {
    const values = await model.values(texts.map((text, index) => ({ id: String(index), ...text, meta: {} })))
    return values.map((found) => (isFailed(found) ? Number.NEGATIVE_INFINITY : found.value))
  }
  /** The prompts' texts by their tokens. */
  const prompts = new Map<string, string>()
  for (const task of [...chosenOn, ...held]) {
    const text = textVocabulary.join(taskPrompt(task))
    const { tokens } = await policy.promptOf([{ role: 'user', text }])
    prompts.set(tokens.join(' '), text)
  }
  const valued = (weight: number): ValueGuide => ({
    weight,
    top: settings.top,
    values: (texts) =>
      valuesOf(
        texts.map(({ prompt, tokens }) => ({
          prompt: prompts.get(prompt.join(' '))!,
          output: policy.decode(tokens),
        })),
      ),
  })
  const searched = (weight: number, tasks = held) =>
    answersTo(policy, policy.initial, tasks, { maxTokens: settings.maxTokens, valued: valued(weight) })
  const w = await chosenStrength(settings.strengths.value, (weight) => searched(weight, chosenOn))
  const answers = await searched(w)

  const drawn = await written(
    proof,
    policy,
    policy.initial,
    {},
    held.flatMap((task) => Array.from({ length: settings.samples }, () => task)),
  )
  const worth = await valuesOf(
    drawn.map(({ task, text }) => ({ prompt: textVocabulary.join(taskPrompt(task)), output: text })),
  )
  const best = held.map((_, index) => {
    const own = worth.slice(index * settings.samples, (index + 1) * settings.samples)
    return drawn[index * settings.samples + own.indexOf(Math.max(...own))]!
  })
  const ranked = answerPairs('genarm/ranked', run.quick ? 16 : settings.ranked, 'quality', 'test')
  const right = async (own: typeof ranked) => {
    const preferences = preferencesOf(own)
    const side = (name: 'chosen' | 'rejected') =>
      valuesOf(preferences.map((pair) => ({ prompt: pair.prompt as string, output: pair[name] as string })))
    return pairAccuracy(await side('chosen'), await side('rejected'))
  }
  const metrics = {
    w,
    'best of 8': meanPart(best),
    'pairs right': await right(ranked),
    'prefixes right': await right(ranked.map(halves)),
  }
  await model.dispose()
  return result(proof, answers, metrics)
}

/** Steps from all quality to all brevity. */
const shares = Array.from({ length: settings.sweep }, (_, step) => step / (settings.sweep - 1))

async function twoGuides(proof: Proof): Promise<ArmResult> {
  const { policy, chosenOn } = proof
  const guide = async (wish: Wish): Promise<PolicyGuide> => ({
    policy,
    parameters: await armTrained(proof, policy, wish),
    weight: 1,
  })
  const [quality, brevity] = [await guide('quality'), await guide('brevity')]
  const alpha = await chosenStrength(settings.strengths.guide, (weight) =>
    written(proof, policy, policy.initial, { guides: [{ ...quality, weight }] }, chosenOn),
  )
  return frontier(proof, (share) =>
    written(proof, policy, policy.initial, {
      guides: [
        { ...quality, weight: alpha * (1 - share) },
        { ...brevity, weight: alpha * share },
      ],
    }),
  )
}

async function soup(proof: Proof): Promise<ArmResult> {
  const { policy } = proof
  const [quality, brevity] = [await dpoTrained(proof, 'quality'), await dpoTrained(proof, 'brevity')]
  return frontier(proof, (share) => written(proof, policy, between(quality, brevity, share)))
}

/** Parameters on the line from the first to the second. */
function between(first: Tree<Tensor>, second: Tree<Tensor>, share: number): Tree<Tensor> {
  const other = flatLeaves(second)
  let index = 0
  return mapLeaves(first, ({ data, shape }: Tensor) => {
    const own = other[index++]!.data
    return tensor(
      Float32Array.from(data as Float32Array, (value, at) => (1 - share) * value + share * Number(own[at])),
      shape,
    )
  })
}

/** Quality and brevity (1 for no token, 0 at the limit) along the shares. */
async function frontier(
  proof: Proof,
  at: (share: number) => Promise<readonly AnsweredTask[]>,
): Promise<ArmResult> {
  const points: { readonly quality: number; readonly brevity: number }[] = []
  let first: readonly AnsweredTask[] = []
  for (const share of shares) {
    const answers = await at(share)
    if (share === 0) first = answers
    points.push({ quality: meanPart(answers), brevity: 1 - tokensOf(answers) / settings.maxTokens })
  }
  const slack = 0.01
  const back = points.slice(1).filter((point, index) => {
    const before = points[index]!
    return point.quality > before.quality + slack || point.brevity < before.brevity - slack
  })
  return result(
    proof,
    first,
    { hypervolume: hypervolume(points), 'steps back': back.length },
    {
      curves: {
        'quality by share of brevity': points.map(({ quality }) => quality),
        'brevity by share of brevity': points.map(({ brevity }) => brevity),
      },
      samples: 2 * proof.pairs,
      rewardCalls: 2 * proof.pairs,
    },
  )
}

/** Area that the points dominate above 0. */
function hypervolume(points: readonly { readonly quality: number; readonly brevity: number }[]): number {
  let area = 0
  let reached = 0
  for (const { quality, brevity } of points.toSorted((a, b) => b.quality - a.quality)) {
    area += quality * Math.max(0, brevity - reached)
    reached = Math.max(reached, brevity)
  }
  return area
}
