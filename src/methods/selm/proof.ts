import { dpoLosses } from '../../learn/objectives/dpo.ts'
import { selfExplorationTerms } from '../../learn/objectives/self-exploration.ts'
import { taskOracle } from '../../learn/tasks/text-tasks.ts'
import { iterativeTraining } from '../../learn/trainers/iterative.ts'
import { type PolicyPair, preferred } from '../../learn/trainers/objective.ts'
import type { Rollout } from '../../learn/trainers/rollouts.ts'
import { mean } from '../../stats/moments.ts'
import type { ArmResult, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import {
  bestAndWorst,
  corpusExample,
  heldOutInstructions,
  newInstructions,
  qualityExamples,
  qualityOf,
} from '../reproduce/text-proof.ts'
import { answersTo, startingPolicy, tunedStart } from '../reproduce/text-world.ts'
import { curvesOf, spentBy, tracked } from '../reproduce/tracked.ts'
import { banditReward } from './bandit.ts'

const settings = {
  start: { from: 'text-lm', steps: 120, peak: 1e-3 },
  iterations: 3,
  prompts: 96,
  /** Samples of a prompt: the first is what is explored, best and worst of all are the pair. */
  group: 4,
  maxTokens: 40,
  beta: 0.1,
  epochs: 2,
  batch: 16,
  /** Held-out prompts. */
  tested: 256,
  bandit: { seeds: 4, alphas: [0.03, 0.1, 0.3, 1, -0.3], pairs: [16, 64] },
} as const

/** Exploration, and the temperature of the samples. */
const arms: Readonly<Record<string, { readonly alpha: number; readonly temperature?: number }>> = {
  'iterative DPO': { alpha: 0 },
  SELM: { alpha: 0.1 },
  'SELM, alpha 0.01': { alpha: 0.01 },
  'SELM, alpha 3': { alpha: 3 },
  'wrong sign': { alpha: -0.1 },
  'hotter DPO': { alpha: 0, temperature: 1.4 },
}

const wins = (alpha: number, pairs: number) => `alpha ${alpha}, ${pairs} pairs: wins`

export const selmProof: Reproduction = {
  id: 'selm',
  claim:
    "Pushing down the likelihood of the reference's own samples makes online preference learning explore: it ends at a higher " +
    'gold reward than iterative DPO of the same samples; the opposite sign does not, and too much of it hurts.',
  module: import.meta.url,
  settings: { ...settings, arms } as never,
  arms: {
    'iterative DPO': 'best and worst of 4 samples a prompt, reference rolling on, alpha 0',
    SELM: 'the same and the exploration term, alpha 0.1',
    'SELM, alpha 0.01': 'the same, alpha 0.01',
    'SELM, alpha 3': 'the same, alpha 3: too much',
    'wrong sign': 'the same, alpha -0.1',
    'hotter DPO': 'iterative DPO, samples at temperature 1.4',
    bandit: `a log-linear bandit of 200 responses, ${settings.bandit.seeds} worlds a seed, each alpha against alpha 0`,
    start: 'the common start, untrained',
  },
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'quality',
    arms: {
      'iterative DPO': [],
      SELM: ['SELM, alpha 0.01', 'SELM, alpha 3', 'wrong sign'],
      'hotter DPO': [],
    },
  },
  // one that goes too far may end early
  equalSamples: Object.keys(arms).filter((arm) => arm !== 'SELM, alpha 3'),
  quickArms: ['SELM', 'bandit'],
  notes: [
    `Start: text-lm, tuned for ${settings.start.steps} steps on answers of mixed quality. ${settings.iterations} iterations of ${settings.prompts} new prompts, ${settings.group} samples each, ranked by the verifiable quality, which is the gold reward; the reference is where the iteration began. beta ${settings.beta}, ${settings.epochs} passes.`,
    'alpha is not tuned: 0.1 was set beforehand, 0.01 and 3 show what it does; nor are beta, passes and rows of an update. The explored sample is the first of each prompt, whether or not it became chosen or rejected.',
    'Bandit: features are shared, the first policy leans against the gold reward (by 2.5 logits a deviation, chosen on twelve other worlds, where iterative DPO stayed below 0), rate and steps are fixed and were chosen there too, labels are drawn by Bradley-Terry; wins are counted over all worlds of all seeds.',
  ],
  criteria: (results) => {
    const { alphas, pairs, seeds: worlds } = settings.bandit
    const all = worlds * results.seeds.length
    const won = (alpha: number, count: number) =>
      results.values('bandit', wins(alpha, count)).reduce((a, b) => a + b, 0)
    const learnt = results.difference('iterative DPO', 'start', 'quality')
    const gain = results.difference('SELM', 'iterative DPO', 'quality')
    const wrong = results.difference('wrong sign', 'iterative DPO', 'quality')
    const much = results.difference('SELM, alpha 3', 'iterative DPO', 'quality')
    return [
      {
        name: 'online preferences teach: iterative DPO is above the start',
        kind: 'validity',
        holds: learnt.mean > 0,
        measured: learnt.text,
      },
      ...pairs.map((count) => ({
        name: `bandit, ${count} pairs: some alpha beats alpha 0 in at least 15 of 20 worlds`,
        kind: 'claim' as const,
        holds: alphas.some((alpha) => alpha > 0 && won(alpha, count) >= 0.75 * all),
        measured: `${alphas.map((alpha) => `${alpha}: ${won(alpha, count)}`).join(', ')} of ${all}`,
      })),
      ...pairs.map((count) => ({
        name: `bandit, ${count} pairs: the wrong sign wins at most 8 of 20 worlds`,
        kind: 'control' as const,
        holds: won(-0.3, count) <= 0.4 * all,
        measured: `${won(-0.3, count)} of ${all}`,
      })),
      {
        name: 'language: SELM is above iterative DPO, the interval excludes 0',
        kind: 'claim',
        holds: gain.interval !== null && gain.interval.low > 0,
        measured: gain.text,
      },
      {
        name: 'language: the wrong sign is not above iterative DPO beyond noise',
        kind: 'control',
        holds: !(wrong.interval !== null && wrong.interval.low > 0),
        measured: wrong.text,
      },
      { name: 'language: a large alpha hurts', kind: 'claim', holds: much.mean < 0, measured: much.text },
    ]
  },
}

export const prepare: Prepare = ({ seed, quick, folder }) =>
  tunedStart(folder, {
    ...settings.start,
    seed,
    steps: quick ? 20 : settings.start.steps,
    example: (rng) => corpusExample(`selm/${seed}`, rng),
  })

export const runArm: RunArm = async (run, context): Promise<ArmResult> => {
  const { seed, quick, tuned: learningRate = 3e-4 } = run
  if (run.arm === 'bandit') return banditResult(seed, quick)
  const policy = await startingPolicy(run.start)
  const arm = arms[run.arm]
  const iterations = quick ? 2 : settings.iterations
  const prompts = quick ? 8 : settings.prompts
  const held = heldOutInstructions('selm/held-out', seed, quick ? 32 : settings.tested)
  const { beta } = settings
  const { parameters, records } =
    arm === undefined
      ? { parameters: policy.initial, records: [] }
      : await iterativeTraining<PolicyPair>({
          ...tracked(run, context, { iterations }),
          policy,
          learningRate,
          reward: taskOracle(),
          group: settings.group,
          maxTokens: settings.maxTokens,
          temperature: arm.temperature ?? 1,
          epochs: settings.epochs,
          batch: settings.batch,
          moments: 'fresh',
          onDivergence: 'stop',
          reference: 'current',
          objective: preferred(policy, {
            beta,
            losses: ({ margins, others }) =>
              dpoLosses({ margins }, { beta }).add(
                selfExplorationTerms(others.explored!, { beta, alpha: arm.alpha }),
              ),
          }),
          build: (groups) => groups.flatMap(exploredPair),
          tasks: newInstructions(prompts),
        })
  const answers = await answersTo(policy, parameters, held, {
    maxTokens: settings.maxTokens,
    temperature: 1,
    seed: 1,
  })
  const explored = records.at(-1)?.updates['logp explored']
  return {
    metrics: {
      ...qualityOf(answers),
      ...(explored === undefined ? {} : { 'log-probability of what was explored': explored }),
    },
    curves: curvesOf(records),
    examples: qualityExamples(answers),
    ...spentBy(records),
  }
}

/** Best and worst of a prompt's samples, and the sample of the reference that is pushed down; none where all are equal. */
function exploredPair(group: readonly Rollout[]): PolicyPair[] {
  const pair = bestAndWorst(group)
  return pair === undefined ? [] : [{ ...pair, others: { explored: group[0]! } }]
}

function banditResult(seed: number, quick: boolean): ArmResult {
  const { alphas, pairs } = settings.bandit
  const worlds = Array.from({ length: quick ? 1 : settings.bandit.seeds }, (_, index) => `${seed}/${index}`)
  const metrics: Record<string, number> = {}
  for (const count of pairs) {
    const gold = (alpha: number) => worlds.map((world) => banditReward({ seed: world, alpha, pairs: count }))
    const plain = gold(0)
    metrics[`alpha 0, ${count} pairs: gold`] = mean(plain)!
    for (const alpha of alphas) {
      const own = gold(alpha)
      metrics[`alpha ${alpha}, ${count} pairs: gold`] = mean(own)!
      metrics[wins(alpha, count)] = own.filter((value, index) => value > plain[index]!).length
    }
  }
  return { metrics, samples: 0, rewardCalls: 0 }
}
