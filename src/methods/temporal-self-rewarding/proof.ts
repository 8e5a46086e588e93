import { anchoredChoice } from '../../apply/anchored-pairs.ts'
import { Rng } from '../../core/index.ts'
import { dpoLosses } from '../../learn/objectives/dpo.ts'
import type { PolicyRow } from '../../learn/policies/language-policy.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { type BuildContext, iterativeTraining } from '../../learn/trainers/iterative.ts'
import { type PolicyPair, preferred, supervised } from '../../learn/trainers/objective.ts'
import type { Draft, Rollout } from '../../learn/trainers/rollouts.ts'
import { selfJudge } from '../../learn/trainers/self-judges.ts'
import { ask } from '../../models/chat-model.ts'
import { mean, standardDeviation } from '../../stats/moments.ts'
import { drawCandidate, judgeTask, type TextTask, taskPrompt } from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { ArmResult, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import type { SeedResults } from '../reproduce/results.ts'
import {
  bestAndWorst,
  corpusExample,
  heldOutInstructions,
  newInstructions,
  qualityExamples,
  qualityOf,
} from '../reproduce/text-proof.ts'
import { answersTo, startingPolicy, tunedStart } from '../reproduce/text-world.ts'
import { curvesOf, tracked } from '../reproduce/tracked.ts'

const settings = {
  /** Half of the examples are answers of mixed quality, half are judgements. */
  start: { from: 'text-lm', steps: 300, peak: 1e-3 },
  prompts: 64,
  maxTokens: 40,
  beta: 0.1,
  epochs: 2,
  batch: 16,
  /** Held-out prompts, and held-out pairs of answers for the judge. */
  tested: 256,
  judged: 256,
} as const

interface Arm {
  readonly iterations: number
  /** Samples of a prompt from each model that writes. */
  readonly group: number
  readonly past?: boolean
  readonly future?: boolean
  readonly objective?: 'preferences' | 'best'
  readonly text: string
}

/** Each takes 24 samples of as many prompts in all and 4 trainings. */
const arms: Readonly<Record<string, Arm>> = {
  'self-rewarding': { iterations: 4, group: 6, text: 'best and worst of its own 6 samples, 4 iterations' },
  temporal: {
    iterations: 2,
    group: 4,
    past: true,
    future: true,
    text: 'rejected from the first model, chosen from a future one; 4 samples of each of three models, 2 iterations of 2 trainings',
  },
  'past only': {
    iterations: 4,
    group: 3,
    past: true,
    text: 'rejected from the first model, 3 samples of each of two models, 4 iterations',
  },
  'future only': {
    iterations: 2,
    group: 6,
    future: true,
    text: 'chosen from a future model, 6 samples of each of two models, 2 iterations of 2 trainings',
  },
  'rejection sampling': {
    iterations: 4,
    group: 6,
    objective: 'best',
    text: 'the best of its own 6 samples, imitated, 4 iterations',
  },
}

export const temporalSelfRewardingProof: Reproduction = {
  id: 'temporal-self-rewarding',
  claim:
    'When a model judges itself, chosen and rejected answers grow alike; rejected ones from the first model and chosen ones from a ' +
    'provisional next one keep them apart and lead to better answers at equal samples and trainings.',
  module: import.meta.url,
  settings: { ...settings, arms } as never,
  arms: {
    ...Object.fromEntries(Object.entries(arms).map(([name, { text }]) => [name, text])),
    start: 'the common start, untrained',
  },
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'quality',
    arms: {
      'self-rewarding': [],
      temporal: ['past only', 'future only'],
      'rejection sampling': [],
    },
  },
  equalSamples: Object.keys(arms),
  quickArms: ['temporal', 'start'],
  notes: [
    `Start: text-lm, tuned for ${settings.start.steps} steps, half of them on answers of mixed quality, half on judging: prompt and answer are read, a grade from 0 to 5 is the reply. Scores are the expected grade under the probabilities of the six replies, always by the model at the start of the iteration.`,
    `${settings.prompts} prompts an iteration. Self-rewarding runs 4 iterations (not 5), so that all arms take 4 trainings and ${24 * settings.prompts} samples. beta ${settings.beta}, ${settings.epochs} passes; the loss compares with the model at the start of the iteration, and the next one is trained from it.`,
    'Gaps are means over the pairs that are learnt from: by the own judge and by the oracle. Win rates compare answers of one seed to the same held-out prompt by the oracle, ties count half; with lengths matched, only answers whose lengths differ by 2 tokens at most.',
    'Not tuned, the same for all: beta, passes, rows of an update, temperature 1, and the mixture of the start.',
    'Closeness of hidden states, the diagnostic of the theory, is not measured.',
  ],
  criteria: (results) => {
    const enough = Math.ceil(0.8 * results.seeds.length)
    const kept = (arm: string, gap: string) =>
      results.mean(arm, `${gap} gap at the end`) / results.mean(arm, `${gap} gap at first`)
    const wins = winRates(results, 'temporal', 'self-rewarding')
    const matched = winRates(results, 'temporal', 'self-rewarding', 2)
    const past = results.difference('past only', 'self-rewarding', 'quality')
    const accuracy = results.mean('start', 'accuracy of the judge')
    return [
      {
        name: 'the judge is imperfect but no coin: right in 60 to 90 % of the pairs',
        kind: 'validity',
        holds: accuracy >= 0.6 && accuracy <= 0.9,
        measured: accuracy.toFixed(3),
      },
      ...['judge', 'oracle'].map((gap) => ({
        name: `self-rewarding: the ${gap}'s gap of chosen and rejected falls below 60 % by iteration 4`,
        kind: 'claim' as const,
        holds: kept('self-rewarding', gap) < 0.6,
        measured: kept('self-rewarding', gap).toFixed(2),
      })),
      ...['judge', 'oracle'].map((gap) => ({
        name: `temporal keeps at least 80 % of the ${gap}'s gap`,
        kind: 'claim' as const,
        holds: kept('temporal', gap) >= 0.8,
        measured: kept('temporal', gap).toFixed(2),
      })),
      {
        name: 'temporal wins against self-rewarding in four of five seeds, and over all with an interval above 50 %',
        kind: 'claim',
        holds: wins.seeds.filter((rate) => rate > 0.5).length >= enough && wins.low > 0.5,
        measured: wins.text,
      },
      {
        name: 'it still does among answers of equal length',
        kind: 'control',
        holds: matched.mean > 0.5,
        measured: matched.text,
      },
      { name: 'past only is above self-rewarding', kind: 'claim', holds: past.mean > 0, measured: past.text },
    ]
  },
}

/** How often the first arm's answer is better, over prompts of all seeds; ties half. */
function winRates(results: SeedResults, first: string, second: string, apart = Number.POSITIVE_INFINITY) {
  const curve = (arm: string, seed: number, name: string) =>
    (results.runs.find((run) => run.arm === arm && run.seed === seed)?.curves?.[name] ?? []) as number[]
  const each = results.seeds.map((seed) => {
    const lengths = curve(second, seed, lengthByPrompt)
    const other = curve(second, seed, qualityByPrompt)
    const own = curve(first, seed, lengthByPrompt)
    return curve(first, seed, qualityByPrompt).flatMap((quality, prompt) =>
      Math.abs(own[prompt]! - lengths[prompt]!) > apart
        ? []
        : [quality === other[prompt] ? 0.5 : Number(quality > other[prompt]!)],
    )
  })
  const all = each.flat()
  const average = mean(all) ?? Number.NaN
  const half = (1.96 * (standardDeviation(all, { ddof: 1 }) ?? Number.NaN)) / Math.sqrt(all.length)
  const seeds = each.map((own) => mean(own) ?? Number.NaN)
  return {
    seeds,
    mean: average,
    low: average - half,
    text: `${average.toFixed(3)} [${(average - half).toFixed(3)}, ${(average + half).toFixed(3)}]; by seed ${seeds.map((rate) => rate.toFixed(2)).join(', ')}`,
  }
}

const qualityByPrompt = 'quality of each held-out prompt'
const lengthByPrompt = 'tokens of each held-out prompt'

/** How a model is asked for its grade of an answer, and what the grades are worth. */
const judgement = (task: TextTask, answer: readonly string[]) => [...taskPrompt(task), ':', ...answer]
const worth = { '0': 0, '1': 1, '2': 2, '3': 3, '4': 4, '5': 5 }
const ownJudge = () =>
  selfJudge({
    conversation: ({ sample, text }) =>
      ask(textVocabulary.join(judgement(sample.meta.task as TextTask, textVocabulary.split(text)))),
    worth,
  })

export const prepare: Prepare = ({ seed, quick, folder }) =>
  tunedStart(folder, {
    ...settings.start,
    seed,
    steps: quick ? 20 : settings.start.steps,
    example: (rng) => {
      const { task, answer } = corpusExample(`temporal/${seed}`, rng)
      if (rng.chance(0.5)) return { task, answer }
      const grade = Math.round(5 * judgeTask(task, answer).total)
      return { task, prompt: judgement(task, answer), answer: [String(grade)] }
    },
  })

export const runArm: RunArm = async (run, context): Promise<ArmResult> => {
  const { seed, quick, tuned: learningRate = 3e-4 } = run
  const policy = await startingPolicy(run.start)
  const arm = arms[run.arm]
  const prompts = quick ? 8 : settings.prompts
  const iterations = Math.min(quick ? 1 : 4, arm?.iterations ?? 0)
  const held = heldOutInstructions('temporal/held-out', seed, quick ? 32 : settings.tested)
  const common = arm && {
    ...tracked(run, context, { iterations }),
    policy,
    learningRate,
    reward: ownJudge(),
    group: quick ? 2 : arm.group,
    maxTokens: settings.maxTokens,
    epochs: settings.epochs,
    batch: settings.batch,
    moments: 'fresh' as const,
    onDivergence: 'stop' as const,
    tasks: newInstructions(prompts),
  }
  const { parameters, records } =
    arm === undefined || common === undefined
      ? { parameters: policy.initial, records: [] }
      : arm.objective === 'best'
        ? await iterativeTraining<PolicyRow>({
            ...common,
            objective: supervised(policy),
            build: (groups) => groups.flatMap((group) => bestAndWorst(group)?.chosen ?? []),
          })
        : await iterativeTraining<PolicyPair>({
            ...common,
            reference: 'current',
            objective: preferred(policy, {
              beta: settings.beta,
              losses: ({ margins }) => dpoLosses({ margins }, { beta: settings.beta }),
            }),
            build: (groups, iteration) => anchoredRounds(groups, iteration, arm),
          })

  const answers = await answersTo(policy, parameters, held, {
    maxTokens: settings.maxTokens,
    temperature: 1,
    seed: 1,
  })
  const gaps = records.flatMap(({ updates }) =>
    updates['judge gap'] === undefined
      ? []
      : [{ judge: updates['judge gap'], oracle: updates['oracle gap']! }],
  )
  const writers = 1 + Number(arm?.past ?? false) + Number(arm?.future ?? false)
  const samples = iterations * prompts * (common?.group ?? 0) * writers
  return {
    metrics: {
      ...qualityOf(answers),
      'accuracy of the judge': await judgeAccuracy(policy, parameters, seed, quick ? 32 : settings.judged),
      ...(gaps.length === 0
        ? {}
        : {
            'judge gap at first': gaps[0]!.judge,
            'judge gap at the end': gaps.at(-1)!.judge,
            'oracle gap at first': gaps[0]!.oracle,
            'oracle gap at the end': gaps.at(-1)!.oracle,
          }),
    },
    curves: {
      ...curvesOf(records),
      'judge gap': gaps.map(({ judge }) => judge),
      'oracle gap': gaps.map(({ oracle }) => oracle),
      [qualityByPrompt]: answers.map(({ verdict }) => verdict.total),
      [lengthByPrompt]: answers.map(({ tokens }) => tokens),
    },
    examples: qualityExamples(answers),
    samples,
    rewardCalls: samples,
  }
}

/** Phase 1 anchors what is rejected in the past; phase 2 takes what is chosen from a model trained on phase 1. */
async function anchoredRounds(
  groups: readonly (readonly Rollout[])[],
  { write, trained, measure }: BuildContext<PolicyPair>,
  { past: anchored = false, future: guided = false }: Arm,
): Promise<PolicyPair[]> {
  const past = anchored ? await write('initial') : groups.map(() => [])
  const pairsWith = (future?: readonly (readonly Rollout[])[]) =>
    groups.flatMap((present, task) => {
      const lists = { present, past: past[task]!, future: future?.[task] ?? [] }
      const values = (list: readonly Rollout[]) => list.map(({ score }) => score.value)
      const choice = anchoredChoice({
        present: values(lists.present),
        past: values(lists.past),
        future: values(lists.future),
      })
      if (choice === null) return []
      const chosen = lists[choice.chosen.policy][choice.chosen.index]!
      const rejected = lists[choice.rejected.policy][choice.rejected.index]!
      return chosen.text === rejected.text ? [] : [{ chosen, rejected }]
    })
  const first = pairsWith()
  const pairs = guided ? pairsWith(await write({ name: 'future', parameters: await trained(first) })) : first
  const gap = (worthOf: (rollout: Rollout) => number) =>
    mean(pairs.map(({ chosen, rejected }) => worthOf(chosen) - worthOf(rejected)))!
  // without a pair there is no gap
  if (pairs.length > 0)
    measure({ 'judge gap': gap(({ score }) => score.value!), 'oracle gap': gap(qualityOfDraft) })
  return pairs
}

function qualityOfDraft({ sample, text }: Draft): number {
  return judgeTask(sample.meta.task as TextTask, textVocabulary.split(text)).total
}

/** Share of held-out pairs of answers of different quality that the model grades in the right order; null when no pair differs. */
async function judgeAccuracy(
  policy: Awaited<ReturnType<typeof startingPolicy>>,
  parameters: typeof policy.initial,
  seed: number,
  count: number,
): Promise<number | null> {
  const drafts = heldOutInstructions('temporal/judged', seed, count).flatMap((task, index) => {
    const rng = new Rng(`temporal/judged/${index}`)
    return [0, 1].map((side): Draft => {
      const text = textVocabulary.join(drawCandidate(task, rng.fork(side)).tokens)
      const { sample } = textPolicyTask(`${index}-${side}`, task)
      return {
        tokens: [],
        response: [],
        logp: [],
        stopped: true,
        task: index,
        text,
        sample: { ...sample, output: text },
      }
    })
  })
  const named = () => parameters
  const checkpoints = {
    initial: parameters,
    previous: parameters,
    current: parameters,
    best: parameters,
    named,
  }
  const grades = await ownJudge().at({ policy, checkpoints, iteration: 0 })(drafts)
  const right: number[] = []
  for (let row = 0; row < drafts.length; row += 2) {
    const apart = qualityOfDraft(drafts[row]!) - qualityOfDraft(drafts[row + 1]!)
    if (apart === 0) continue
    const graded = grades[row]!.value! - grades[row + 1]!.value!
    right.push(graded === 0 ? 0.5 : Number(graded > 0 === apart > 0))
  }
  return mean(right)
}
