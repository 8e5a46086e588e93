import { join } from 'node:path'
import { consistencyLosses, rankingConsistency } from '../../learn/objectives/consistency.ts'
import type { LanguagePolicy } from '../../learn/policies/language-policy.ts'
import { taskOracle, textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { type BuildContext, iterativeTraining } from '../../learn/trainers/iterative.ts'
import { type PolicyPair, preferred } from '../../learn/trainers/objective.ts'
import { type Draft, type Rollout, rollouts } from '../../learn/trainers/rollouts.ts'
import { likelihoodJudge } from '../../learn/trainers/self-judges.ts'
import { mean } from '../../stats/moments.ts'
import { loadCheckpoint, restored, saveCheckpoint } from '../../tensor/checkpoint.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { TextTask } from '../../worlds/text/task.ts'
import type { ArmResult, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import {
  bestAndWorst,
  corpusExample,
  heldOutInstructions,
  newInstructions,
  qualityExamples,
  qualityOf,
} from '../reproduce/text-proof.ts'
import { answersTo, meanPart, startingPolicy, tunedStart } from '../reproduce/text-world.ts'
import { curvesOf, spentBy, tracked } from '../reproduce/tracked.ts'

const settings = {
  /** M_0; the models that training begins with are M_0 after so many steps on faultless answers. */
  first: 'text-lm',
  steps: { noisy: 20, clean: 150 },
  peak: 1e-3,
  rounds: 3,
  prompts: 96,
  /** Samples of a prompt. */
  group: 5,
  temperature: 0.8,
  maxTokens: 40,
  beta: 0.1,
  epochs: 2,
  batch: 16,
  /** Held-out prompts; their samples are ranked by the last two models. */
  tested: 192,
  ranked: 48,
} as const

interface Arm {
  readonly start: 'noisy' | 'clean'
  /** How firm labels are: a number for all, the mean or each of the consistencies, or those dealt out at random. */
  readonly firm?: number | 'avg' | 'dyn' | 'shuffled'
  readonly labels?: 'own' | 'oracle'
}

const arms: Readonly<Record<string, Arm & { readonly text: string }>> = {
  'self-rewarding': {
    start: 'noisy',
    firm: 1,
    text: 'best and worst by its own log-ratio, labels of certainty 1',
  },
  'CREAM avg': { start: 'noisy', firm: 'avg', text: 'labels as firm as the mean consistency of the round' },
  'CREAM dyn': { start: 'noisy', firm: 'dyn', text: 'labels as firm as the consistency of each prompt' },
  'C = 0.6': { start: 'noisy', firm: 0.6, text: 'labels of certainty 0.6' },
  'C = 0.75': { start: 'noisy', firm: 0.75, text: 'labels of certainty 0.75' },
  'C = 0.9': { start: 'noisy', firm: 0.9, text: 'labels of certainty 0.9' },
  'random C': {
    start: 'noisy',
    firm: 'shuffled',
    text: 'consistencies of other prompts of the round, at random',
  },
  oracle: {
    start: 'noisy',
    firm: 1,
    labels: 'oracle',
    text: 'best and worst by the verifiable quality, certainty 1',
  },
  'self-rewarding, clean': { start: 'clean', firm: 1, text: 'self-rewarding from the better start' },
  'CREAM avg, clean': { start: 'clean', firm: 'avg', text: 'CREAM avg from the better start' },
  start: { start: 'noisy', text: 'the noisy start, untrained' },
}
const trained = Object.keys(arms).filter((arm) => arm !== 'start')

export const creamProof: Reproduction = {
  id: 'cream',
  claim:
    'A small model that rewards itself spoils by its own wrong labels; labels as firm as two successive models agree in their ' +
    'ranking keep it better, and its ranking steadier.',
  module: import.meta.url,
  settings: { ...settings, arms } as never,
  arms: Object.fromEntries(Object.entries(arms).map(([name, { text }]) => [name, text])),
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'quality',
    arms: {
      'self-rewarding': ['C = 0.6', 'C = 0.75', 'C = 0.9', 'self-rewarding, clean'],
      'CREAM avg': ['CREAM dyn', 'random C', 'CREAM avg, clean'],
      oracle: [],
    },
  },
  equalSamples: trained,
  quickArms: ['CREAM avg', 'start'],
  notes: [
    `M_0 is ${settings.first}, M_1 the same after ${settings.steps.noisy} steps on faultless answers (noisy: its log-ratio says little yet) or ${settings.steps.clean} (clean). Own rewards are sums of log p_t - log p_0 against M_0; the loss compares with the model at the start of its round. In the first round M_0 ranks by its mean log-likelihood, as its log-ratio is 0.`,
    `${settings.rounds} rounds of ${settings.prompts} new prompts, ${settings.group} samples each at temperature ${settings.temperature}, ${settings.epochs} passes, beta ${settings.beta}.`,
    `Kendall's tau is between the rankings of the last two models over ${settings.group} samples of ${settings.ranked} held-out prompts; KL between them is measured on the same samples, of the last model. Accuracy: share of pairs of chosen and rejected that the oracle orders likewise, ties left out.`,
    'Not tuned, the same for all: temperature, beta, passes, rows of an update, and how far the starts are trained.',
    'Consistency is not accuracy: both are in the curves.',
  ],
  criteria: (results) => {
    const seeds = results.seeds.length
    const enough = Math.ceil(0.8 * seeds)
    const gain = results.difference('CREAM avg', 'self-rewarding', 'quality')
    const ended = results.values('self-rewarding', 'quality')
    // a training that went too far may have ended before round 2
    const rounds = results
      .measured('self-rewarding', 'round 2')
      .flatMap((before, index) => (before === null ? [] : [{ before, after: ended[index]! }]))
    const drops = rounds.map(({ before, after }) => before - after)
    const tau = results.difference('CREAM avg', 'self-rewarding', 'tau')
    const kl = [
      results.mean('CREAM avg', 'KL to the model before'),
      results.mean('self-rewarding', 'KL to the model before'),
    ]
    const random = results.difference('CREAM avg', 'random C', 'quality')
    const clean = results.difference('CREAM avg, clean', 'self-rewarding, clean', 'quality')
    const fixed = ['C = 0.6', 'C = 0.75', 'C = 0.9'].map((arm) => results.mean(arm, 'quality'))
    const taught = results.difference('oracle', 'start', 'quality')
    return [
      {
        name: 'preferences teach: with the labels of the oracle it ends above the start',
        kind: 'validity',
        holds: taught.mean > 0,
        measured: taught.text,
      },
      {
        name: 'own labels are noisy: they agree with the oracle in less than 80 % of the pairs',
        kind: 'validity',
        holds: results.mean('self-rewarding', 'accuracy') < 0.8,
        measured: results.mean('self-rewarding', 'accuracy').toFixed(3),
      },
      {
        name: 'premise: certain labels spoil the model from round 2 to round 3',
        kind: 'claim',
        holds: (mean(drops) ?? 0) > 0,
        measured: rounds.map(({ before, after }) => `${before.toFixed(3)} to ${after.toFixed(3)}`).join(', '),
      },
      {
        name: 'CREAM avg ends above certain labels in at least four of five seeds',
        kind: 'claim',
        holds: gain.above >= enough,
        measured: gain.text,
      },
      {
        name: "Kendall's tau of the last two models is higher for CREAM avg by 0.2, at a KL at least half as large",
        kind: 'claim',
        holds: tau.mean >= 0.2 && kl[0]! >= 0.5 * kl[1]!,
        measured: `${tau.text}; KL ${kl[0]!.toFixed(2)} against ${kl[1]!.toFixed(2)} nats`,
      },
      {
        name: 'CREAM avg is not below consistencies dealt out at random',
        kind: 'control',
        holds: random.mean >= 0,
        measured: random.text,
      },
      {
        name: 'from the clean start CREAM avg is not below certain labels by more than a point',
        kind: 'control',
        holds: clean.mean >= -0.01,
        measured: clean.text,
      },
      {
        name: 'the gain is more than that of one fixed certainty (else it is label smoothing)',
        kind: 'control',
        holds: results.mean('CREAM avg', 'quality') > Math.max(...fixed),
        measured: `${results.mean('CREAM avg', 'quality').toFixed(3)} (mean consistency ${results.mean('CREAM avg', 'consistency').toFixed(2)}); fixed at 0.6, 0.75, 0.9: ${fixed.map((value) => value.toFixed(3)).join(', ')}`,
      },
    ]
  },
}

export const prepare: Prepare = async ({ seed, quick, folder }) => {
  const start = (kind: 'noisy' | 'clean') =>
    tunedStart(folder, {
      from: settings.first,
      name: kind,
      peak: settings.peak,
      seed,
      steps: quick ? 5 : settings.steps[kind],
      example: (rng) => corpusExample(`cream/${seed}`, rng, { answers: 'good' }),
    })
  return { noisy: await start('noisy'), clean: await start('clean') }
}

export const runArm: RunArm = async (run, context): Promise<ArmResult> => {
  const { seed, quick, tuned: learningRate = 3e-4 } = run
  const arm = arms[run.arm]!
  const policy = await startingPolicy((run.start as Record<Arm['start'], string>)[arm.start])
  const first = (await startingPolicy(settings.first)).initial
  const rounds = quick ? 2 : settings.rounds
  const prompts = quick ? 8 : settings.prompts
  const held = heldOutInstructions('cream/held-out', seed, quick ? 32 : settings.tested)
  const heldOut = (parameters: Tree<Tensor>) =>
    answersTo(policy, parameters, held, { maxTokens: settings.maxTokens, temperature: 1, seed: 1 })
  /** Parameters before the last round. */
  const before = join(run.folder, 'before.safetensors')
  const { firm, labels = 'own' } = arm
  const { parameters, records } =
    firm === undefined
      ? { parameters: policy.initial, records: [] }
      : await iterativeTraining<PolicyPair>({
          ...tracked(run, context, { iterations: rounds }),
          policy,
          learningRate,
          reward: labels === 'own' ? ownReward(first) : taskOracle(),
          oracle: taskOracle(),
          group: settings.group,
          maxTokens: settings.maxTokens,
          temperature: settings.temperature,
          epochs: settings.epochs,
          batch: settings.batch,
          moments: 'fresh',
          onDivergence: 'stop',
          reference: 'current',
          objective: preferred(policy, {
            beta: settings.beta,
            losses: ({ margins, values }) =>
              consistencyLosses({ margins, consistency: values.consistency! }, { beta: settings.beta }),
          }),
          build: async (groups, round) => {
            if (round.iteration === rounds - 1) await saveCheckpoint(before, round.checkpoints.current)
            return labelledPairs(groups, round, first, firm)
          },
          tasks: newInstructions(prompts),
          evaluate: { measure: async (current) => ({ quality: meanPart(await heldOut(current)) }) },
        })
  const answers = await heldOut(parameters)
  const average = (name: string) => mean(records.flatMap(({ updates }) => updates[name] ?? []))
  return {
    metrics: {
      ...qualityOf(answers),
      ...(records.length === 0
        ? {}
        : {
            'round 2': records.at(-2)?.evaluation?.quality ?? null,
            consistency: average('consistency'),
            accuracy: average('accuracy'),
            ...(await steadiness(
              {
                policy,
                first,
                before: restored(policy.initial, await loadCheckpoint(before)) as Tree<Tensor>,
              },
              parameters,
              held.slice(0, quick ? 4 : settings.ranked),
            )),
          }),
    },
    curves: {
      ...curvesOf(records),
      consistency: records.map(({ updates }) => updates.consistency ?? null),
      accuracy: records.map(({ updates }) => updates.accuracy ?? null),
    },
    examples: qualityExamples(answers),
    ...spentBy(records),
  }
}

/** Sums of log p_t - log p_0. */
function ownReward(first: Tree<Tensor>) {
  return likelihoodJudge({ over: { name: 'M_0', parameters: first } })
}

/** Best and worst of each prompt by the reward, and how firm that order is. */
async function labelledPairs(
  groups: readonly (readonly Rollout[])[],
  round: BuildContext<PolicyPair>,
  first: Tree<Tensor>,
  firm: NonNullable<Arm['firm']>,
): Promise<PolicyPair[]> {
  const { policy, checkpoints, iteration, rng } = round
  const own = await logRatios(policy, checkpoints.current, first, groups.flat())
  // the model before the first round is M_0 itself, whose log-ratio is 0
  const past =
    iteration === 0
      ? await meanLogp(policy, first, groups.flat())
      : await logRatios(policy, checkpoints.previous, first, groups.flat())
  let row = 0
  const built = groups.flatMap((group) => {
    const [now, then] = [own, past].map((scores) => scores.slice(row, row + group.length)) as [
      number[],
      number[],
    ]
    row += group.length
    const pair = bestAndWorst(group)
    return pair === undefined ? [] : [{ ...pair, consistency: rankingConsistency(now, then)! }]
  })
  const consistencies = built.map(({ consistency }) => consistency)
  const average = mean(consistencies)
  const right = built.flatMap(({ chosen, rejected }) => {
    const apart = chosen.oracle!.value! - rejected.oracle!.value!
    return apart === 0 ? [] : [Number(apart > 0)]
  })
  const accuracy = mean(right)
  round.measure({
    ...(average === null ? {} : { consistency: average }),
    ...(accuracy === null ? {} : { accuracy }),
  })
  const dealt = rng.shuffled(consistencies)
  return built.map(({ chosen, rejected, consistency }, index) => {
    const each = { avg: average!, dyn: consistency, shuffled: dealt[index]! }
    return { chosen, rejected, values: { consistency: typeof firm === 'number' ? firm : each[firm] } }
  })
}

async function logRatios(
  policy: LanguagePolicy,
  of: Tree<Tensor>,
  over: Tree<Tensor>,
  drafts: readonly Draft[],
): Promise<number[]> {
  const [own, other] = [await policy.score(of, drafts), await policy.score(over, drafts)]
  return own.map((logp, row) => sum(logp) - sum(other[row]!))
}

async function meanLogp(
  policy: LanguagePolicy,
  of: Tree<Tensor>,
  drafts: readonly Draft[],
): Promise<number[]> {
  return (await policy.score(of, drafts)).map((logp) => sum(logp) / logp.length)
}

/** Kendall's tau of the rankings by the last two models, and how far the last one went, on samples of its own. */
async function steadiness(
  { policy, first, before }: { policy: LanguagePolicy; first: Tree<Tensor>; before: Tree<Tensor> },
  last: Tree<Tensor>,
  tasks: readonly TextTask[],
): Promise<{ readonly tau: number; readonly 'KL to the model before': number }> {
  const drafts = await rollouts({
    policy,
    parameters: last,
    tasks: tasks.map((task, index) => textPolicyTask(`steadiness-${index}`, task)),
    group: settings.group,
    judge: async (written) => written.map(() => ({ value: 0 })),
    maxTokens: settings.maxTokens,
    temperature: 1,
    seed: 'steadiness',
  })
  const now = await logRatios(policy, last, first, drafts)
  const then = await logRatios(policy, before, first, drafts)
  const taus = tasks.map((_, task) => {
    const own = [task * settings.group, (task + 1) * settings.group] as const
    return 2 * rankingConsistency(now.slice(...own), then.slice(...own))! - 1
  })
  return {
    tau: mean(taus)!,
    'KL to the model before': mean(now.map((value, row) => value - then[row]!))!,
  }
}

function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let index = 0; index < values.length; index++) total += values[index]!
  return total
}
