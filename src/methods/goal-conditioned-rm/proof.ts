import { type Json, type Preference, Rng, type Sample } from '../../core/index.ts'
import { goalContrastAuxiliary } from '../../learn/reward-models/auxiliary-losses.ts'
import { rewardTraces } from '../../learn/reward-models/reward-traces.ts'
import { trainRewardModel } from '../../learn/reward-models/train-reward-model.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { mean } from '../../stats/moments.ts'
import { areaUnderRoc } from '../../stats/pair-accuracy.ts'
import { courtesies, isWord } from '../../worlds/text/answer-grammar.ts'
import { type ArithmeticOptions, arithmeticResult } from '../../worlds/text/arithmetic.ts'
import { readArithmetic } from '../../worlds/text/arithmetic-check.ts'
import { drawOpenInstruction, styledAnswer } from '../../worlds/text/styles.ts'
import {
  drawCandidate,
  goldAnswer,
  judgeTask,
  type TextTask,
  taskAt,
  textTasks,
} from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { ArmResult, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import { answersTo, startingPolicy } from '../reproduce/text-world.ts'
import { filteredVote, type VotedSample } from './filtered-vote.ts'

const settings = {
  pairs: 3000,
  /** Pairs of instructions beside them, for steering. */
  instructions: 600,
  steps: 240,
  rows: 24,
  questions: 240,
  votes: { questions: 48, samples: 20 },
  steering: { prompts: 32, candidates: 8, block: 6, blocks: 6 },
} as const

const usual: ArithmeticOptions = { operations: [1, 3], stories: 0.3 }
const harder: ArithmeticOptions = { operations: [4, 5], stories: 0.3 }
const arithmeticOnly = (arithmetic: ArithmeticOptions) => ({ kinds: { arithmetic: 1 }, arithmetic }) as const

export const goalConditionedRmProof: Reproduction = {
  id: 'goal-conditioned-rm',
  claim:
    'A reward model that is also trained to place early states of a good solution near its later ones tells right from ' +
    'wrong solutions better, earlier, and on harder problems; its cosine to the goal stops bad solutions early and steers.',
  module: import.meta.url,
  arms: {
    BT: 'Bradley-Terry alone',
    'BT + contrast': 'Bradley-Terry and the goal-conditioned contrastive loss, beta 0.5, 16 draws',
  },
  seeds: 5,
  settings: settings as unknown as Json,
  tuning: {
    what: 'learning rate',
    grid: [5e-4, 1e-3],
    metric: 'AUROC',
    arms: { BT: [], 'BT + contrast': [] },
  },
  equalSamples: ['BT', 'BT + contrast'],
  notes: [
    'Trunk: text-lm; 3,000 pairs of a right and a faulty solution of arithmetic (1 to 3 operations), and 600 pairs of answers to instructions, which only steering needs. Same start, data and steps in both arms.',
    'AUROC: reward against the correctness of one solution each of text-lm (temperature 0.7) to 240 held-out problems, and to as many of 4 and 5 operations.',
    'Goal vector: the mean state at the end token of 300 right solutions of the training part. Threshold: the largest on 48 other questions that loses no point of the vote; control: solutions cut at random places so that as many tokens are saved.',
    'Not tuned: beta 0.5, 16 draws, steps and rows, the same for all seeds.',
    'Steering: blocks of 6 tokens, the best of 8 by the cosine of their mean state to the mean state of 60 exemplars.',
  ],
  criteria: (results) => {
    const gain = (metric: string) => results.difference('BT + contrast', 'BT', metric)
    const at = (metric: string) => results.mean('BT + contrast', metric)
    const seeds = results.seeds.length
    const claim = (name: string, metric: string) => ({
      name,
      kind: 'claim' as const,
      holds: gain(metric).mean > 0 && gain(metric).above >= Math.min(seeds, 4),
      measured: gain(metric).text,
    })
    return [
      {
        name: 'solutions can be told apart: AUROC of Bradley-Terry is 0.6 or more, and below 0.99',
        kind: 'validity',
        holds: results.mean('BT', 'AUROC') >= 0.6 && results.mean('BT', 'AUROC') < 0.99,
        measured: results.mean('BT', 'AUROC').toFixed(3),
      },
      claim('AUROC gains on problems like those of training, in 4 of 5 seeds', 'AUROC'),
      claim('AUROC gains on harder problems, in 4 of 5 seeds', 'AUROC harder'),
      {
        name: 'AUROC at 60 % of the solution is higher',
        kind: 'claim',
        holds: gain('AUROC at 60 %').mean > 0,
        measured: gain('AUROC at 60 %').text,
      },
      {
        name: 'the cosine to the goal tells more than chance at half length (AUROC 0.6)',
        kind: 'claim',
        holds: at('goal AUROC at half') >= 0.6,
        measured: at('goal AUROC at half').toFixed(3),
      },
      {
        name: 'at least 20 % of tokens are saved at no more than 1 point of the vote',
        kind: 'claim',
        holds: at('saved') >= 0.2 && at('vote lost') <= 0.01,
        measured: `saved ${at('saved').toFixed(3)}, lost ${at('vote lost').toFixed(3)}`,
      },
      {
        name: 'solutions cut at random lose more of the vote at the same saving',
        kind: 'control',
        holds: at('vote lost at random') > at('vote lost'),
        measured: `${at('vote lost at random').toFixed(3)} against ${at('vote lost').toFixed(3)}`,
      },
      {
        name: 'steering makes answers at least 10 % shorter, and politer by 10 points',
        kind: 'claim',
        holds: at('shorter') >= 0.1 && at('politer') >= 0.1,
        measured: `${at('shorter').toFixed(3)}, ${at('politer').toFixed(3)}`,
      },
    ]
  },
}

export const runArm: RunArm = async (run, context): Promise<ArmResult> => {
  const { arm, seed, quick, tuned: learningRate = 1e-3 } = run
  const policy = await startingPolicy('text-lm')
  const count = quick ? 60 : settings.pairs
  const steps = quick ? 6 : settings.steps
  const { model } = await trainRewardModel({
    preferences: [
      ...solutionPairs(`goal/${seed}`, count),
      ...instructionPairs(`goal/${seed}`, quick ? 10 : settings.instructions),
    ],
    trunk: policy.model,
    auxiliary: arm === 'BT' ? [] : [goalContrastAuxiliary({ beta: 0.5, draws: 16, pairs: 8 })],
    steps,
    rows: settings.rows,
    learningRate,
    seed,
    threads: 1,
    signal: context.signal,
    onStep: ({ step, loss }) =>
      context.progress({ done: step + 1, all: steps, note: `loss ${loss.toFixed(3)}` }),
  })
  const traces = rewardTraces(model, { threads: 1 })
  const right = Array.from({ length: quick ? 20 : 300 }, (_, index) => {
    const task = taskAt(`goal/${seed}/right`, index, { ...arithmeticOnly(usual), split: 'train' })
    return sampleOf(task, goldAnswer(task, new Rng(index))!)
  })
  const goal = meanVector((await traces.of(right)).map(({ states }) => states.at(-1)!))

  const metrics: Record<string, number | null> = {}
  const solved = async (options: ArithmeticOptions, name: string) => {
    const tasks = textTasks(`goal/${name}`, quick ? 24 : settings.questions, {
      ...arithmeticOnly(options),
      split: 'test',
    })
    const answers = await answersTo(policy, policy.initial, tasks, {
      maxTokens: 56,
      temperature: 0.7,
      seed: 1,
    })
    const isRight = answers.map(({ verdict }) => verdict.parts.correctness === 1)
    const read = await traces.of(
      answers.map(({ task, text }) => ({ ...textPolicyTask('', task).sample, output: text })),
    )
    const auroc = (of: (index: number) => number) => {
      const values = read.map((_, index) => of(index))
      return areaUnderRoc(
        values.filter((_, index) => isRight[index]),
        values.filter((_, index) => !isRight[index]),
      )
    }
    const at = <Value>(values: readonly Value[], share: number) =>
      values[Math.max(Math.floor(values.length * share) - 1, 0)]!
    return {
      whole: auroc((index) => read[index]!.values.at(-1)!),
      partial: auroc((index) => at(read[index]!.values, 0.6)),
      goal: auroc((index) => cosine(at(read[index]!.states, 0.5), goal)),
    }
  }
  const own = await solved(usual, 'usual')
  metrics.AUROC = own.whole
  metrics['AUROC at 60 %'] = own.partial
  metrics['goal AUROC at half'] = own.goal
  if (!quick) metrics['AUROC harder'] = (await solved(harder, 'harder')).whole

  if (!quick) {
    const chosen = await votes(policy, traces, goal, 'goal/validation')
    const threshold = thresholdOf(chosen)
    const tested = await votes(policy, traces, goal, 'goal/votes')
    const plain = accuracyAt(tested, Number.NEGATIVE_INFINITY)
    const filtered = accuracyAt(tested, threshold)
    metrics.saved = filtered.saved
    metrics['vote lost'] = plain.accuracy - filtered.accuracy
    metrics['vote lost at random'] = plain.accuracy - randomCut(tested, filtered.dropped, seed)
    Object.assign(metrics, await steered(policy, traces))
  }
  await Promise.all([traces.dispose(), model.dispose(), policy.dispose()])
  return { metrics, samples: steps * settings.rows, rewardCalls: 0 }
}

function solutionPairs(seed: string, count: number): Preference[] {
  const pairs: Preference[] = []
  for (let index = 0; pairs.length < count; index++) {
    const task = taskAt(seed, index, { ...arithmeticOnly(usual), split: 'train' })
    const rng = new Rng(`${seed}/${index}`)
    const wrong = drawCandidate(task, rng, { good: 0 })
    if (judgeTask(task, wrong.tokens).parts.correctness === 1) continue
    pairs.push(pairOf(`solution-${index}`, task, goldAnswer(task, rng)!, wrong.tokens))
  }
  return pairs
}

function instructionPairs(seed: string, count: number): Preference[] {
  return Array.from({ length: count }, (_, index) => {
    const rng = new Rng(`${seed}/instruction/${index}`)
    const instruction = drawOpenInstruction(rng)
    const other = drawCandidate(instruction, rng, { recipes: { relevance: 1, truthfulness: 1, format: 1 } })
    return pairOf(`instruction-${index}`, instruction, styledAnswer(instruction, {}, rng), other.tokens)
  })
}

function pairOf(
  id: string,
  task: TextTask,
  chosen: readonly string[],
  rejected: readonly string[],
): Preference {
  const { prompt } = sampleOf(task, [])
  return {
    id,
    prompt,
    chosen: textVocabulary.join(chosen),
    rejected: textVocabulary.join(rejected),
    meta: {},
  }
}

function sampleOf(task: TextTask, tokens: readonly string[]): Sample {
  return { ...textPolicyTask('', task).sample, output: textVocabulary.join(tokens) }
}

type Traces = ReturnType<typeof rewardTraces>
type Policy = Awaited<ReturnType<typeof startingPolicy>>
type Question = { readonly right: string; readonly samples: readonly VotedSample[] }

/** Samples of each question, with the cosine to the goal at each token. */
async function votes(policy: Policy, traces: Traces, goal: Float32Array, name: string): Promise<Question[]> {
  const { questions, samples } = settings.votes
  const tasks = textTasks(name, questions, {
    ...arithmeticOnly({ ...usual, operations: [2, 3] }),
    split: 'test',
  })
  const answers = await answersTo(
    policy,
    policy.initial,
    tasks.flatMap((task) => Array.from({ length: samples }, () => task)),
    { maxTokens: 40, temperature: 1, seed: 2 },
  )
  const read = await traces.of(
    answers.map(({ task, text }) => ({ ...textPolicyTask('', task).sample, output: text })),
  )
  return tasks.map((task, question) => ({
    right: String(task.task === 'arithmetic' ? arithmeticResult(task) : ''),
    samples: Array.from({ length: samples }, (_, index): VotedSample => {
      const place = question * samples + index
      const { answer } = readArithmetic(textVocabulary.split(answers[place]!.text), 'chain')
      return {
        answer: answer === null ? null : String(answer),
        values: read[place]!.states.map((state) => cosine(state, goal)),
      }
    }),
  }))
}

function accuracyAt(questions: readonly Question[], threshold: number) {
  const outcomes = questions.map(({ samples, right }) => filteredVote(samples, right, threshold))
  const counted = outcomes.reduce((sum, each) => sum + each.counted, 0)
  return {
    accuracy: mean(outcomes.map(({ isRight }) => Number(isRight)))!,
    saved: outcomes.reduce((sum, each) => sum + each.saved, 0) / counted,
    dropped: mean(
      questions.flatMap(({ samples }) =>
        samples.map(({ values }) => Number(values.slice(5).some((value) => value < threshold))),
      ),
    )!,
  }
}

/** The largest threshold that loses nothing of the vote. */
function thresholdOf(questions: readonly Question[]): number {
  const plain = accuracyAt(questions, Number.NEGATIVE_INFINITY).accuracy
  const grid = Array.from({ length: 40 }, (_, index) => -1 + index / 20)
  return grid.filter((threshold) => accuracyAt(questions, threshold).accuracy >= plain).at(-1) ?? -1
}

/** Accuracy of the vote when as large a share of the samples is given up, whichever they are. */
function randomCut(questions: readonly Question[], share: number, seed: number): number {
  const rng = new Rng(`goal/${seed}/random`)
  return accuracyAt(
    questions.map(({ right, samples }) => ({
      right,
      samples: samples.map(({ answer }) => {
        const isCut = rng.chance(share)
        return { answer, values: Array.from({ length: 6 }, () => (isCut ? -2 : 1)) }
      }),
    })),
    -1,
  ).accuracy
}

/** How far answers are shortened, and made polite, by choosing blocks near the states of exemplars. */
async function steered(policy: Policy, traces: Traces): Promise<Record<string, number>> {
  const { prompts: count, candidates, block, blocks } = settings.steering
  const tasks = Array.from({ length: count }, (_, index) =>
    drawOpenInstruction(new Rng(`goal/steering/${index}`)),
  )
  const exemplars = async (style: Parameters<typeof styledAnswer>[1]) => {
    const samples = Array.from({ length: 60 }, (_, index) => {
      const rng = new Rng(`goal/exemplar/${index}`)
      const instruction = drawOpenInstruction(rng)
      return sampleOf(instruction, styledAnswer(instruction, style, rng))
    })
    return meanVector((await traces.of(samples)).map(({ states }) => meanVector(states)))
  }
  const write = async (goal: Float32Array | undefined) => {
    const prompts = await Promise.all(
      tasks.map((task) => policy.promptOf(textPolicyTask('', task).conversation)),
    )
    const written = tasks.map(() => ({ tokens: [] as number[], ended: false }))
    for (let step = 0; step < blocks; step++) {
      const open = written.flatMap((each, index) => (each.ended ? [] : [index]))
      if (open.length === 0) break
      const repeats = goal === undefined ? 1 : candidates
      const asked = open.flatMap((index) => Array.from({ length: repeats }, () => index))
      const texts = await policy.sample(
        policy.initial,
        asked.map((index) => ({ tokens: [...prompts[index]!.tokens, ...written[index]!.tokens] })),
        { maxTokens: block, temperature: 1, seed: `steer/${step}` },
      )
      const drafts = asked.map((index, row) => [...written[index]!.tokens, ...texts[row]!.tokens])
      const likeness =
        goal === undefined
          ? drafts.map(() => 0)
          : (
              await traces.of(
                asked.map((index, row) => ({
                  ...textPolicyTask('', tasks[index]!).sample,
                  output: policy.decode(drafts[row]!),
                })),
              )
            ).map(({ states }) => cosine(meanVector(states), goal))
      open.forEach((index, position) => {
        const own = Array.from({ length: repeats }, (_, candidate) => position * repeats + candidate)
        const best = own.reduce((a, b) => (likeness[b]! > likeness[a]! ? b : a))
        written[index] = { tokens: drafts[best]!, ended: texts[best]!.stopped }
      })
    }
    return written.map(({ tokens }) => textVocabulary.split(policy.decode(tokens)))
  }
  const words = (answers: readonly (readonly string[])[]) =>
    mean(answers.map((tokens) => tokens.filter(isWord).length))!
  const polite = (answers: readonly (readonly string[])[]) =>
    mean(
      answers.map((tokens) =>
        Number(Object.values(courtesies).some((phrase) => tokens.join(' ').includes(phrase.join(' ')))),
      ),
    )!
  const plain = await write(undefined)
  const short = await write(await exemplars({ padding: 0, courteous: false }))
  const courteous = await write(await exemplars({ courteous: true }))
  return { shorter: 1 - words(short) / words(plain), politer: polite(courteous) - polite(plain) }
}

function meanVector(vectors: readonly Float32Array[]): Float32Array {
  return vectors[0]!.map((_, at) => vectors.reduce((sum, vector) => sum + vector[at]!, 0) / vectors.length)
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, first, second] = [0, 0, 0]
  for (let at = 0; at < a.length; at++) {
    product += a[at]! * b[at]!
    first += a[at]! ** 2
    second += b[at]! ** 2
  }
  return product / Math.sqrt(first * second || 1)
}
