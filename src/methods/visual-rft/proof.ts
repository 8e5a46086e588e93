import { defineBatchReward, type Reward, rewardIdentity, type Variant } from '../../core/index.ts'
import type { PolicyRow } from '../../learn/policies/language-policy.ts'
import {
  answerIn,
  rereading,
  sceneOf,
  scenePolicyTask,
  thoughtAndAnswer,
} from '../../learn/tasks/scene-tasks.ts'
import { supervised } from '../../learn/trainers/objective.ts'
import { offlineTraining } from '../../learn/trainers/offline.ts'
import { policyGradient } from '../../learn/trainers/policy-gradient.ts'
import { calibration } from '../../stats/calibration.ts'
import { figure } from '../../stats/figure.ts'
import { mean } from '../../stats/moments.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { intersectionOverUnion } from '../../worlds/scenes/oracle.ts'
import type { Box } from '../../worlds/scenes/scene.ts'
import { commonTypes, sceneWorld } from '../../worlds/scenes/scene-world.ts'
import type { ArmResult, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import { type RuleAttack, rulesCriterion, rulesPaid } from '../reproduce/rules-paid.ts'
import {
  type AnsweredScene,
  answersToScenes,
  exampleRows,
  heldOutScenes,
  passesOver,
  sceneExampleOf,
  tunedSceneStart,
  wordsOnly,
} from '../reproduce/scene-proof.ts'
import { startingPolicy } from '../reproduce/text-world.ts'
import { curvesOf, spentBy, tracked } from '../reproduce/tracked.ts'
import { visualRft } from '../visual-rft.ts'
import {
  classCount,
  className,
  classScenes,
  classTask,
  cleanScenes,
  detectionScenes,
  detectionTask,
  fewClassScenes,
  rareTypes,
  thoughtfulBoxes,
  thoughtfulClass,
} from './few-shot-tasks.ts'
import { positionsJson, readStatedBoxes } from './stated-boxes.ts'

const settings = {
  /** `skill`: share of the answers that are the right class; `boxes`: of the boxes that are right. */
  start: {
    known: { steps: 240, peak: 3e-3, skill: 1 },
    habit: { steps: 40, peak: 1e-3, skill: 0.4 },
    boxes: 0.8,
  },
  shots: 4,
  images: 32,
  iterations: { classes: 60, detection: 40 },
  tasks: 8,
  group: 8,
  maxTokens: { classes: 16, detection: 36 },
  tested: { classes: 192, detection: 128 },
} as const
const perIteration = settings.tasks * settings.group

export const visualRftProof: Reproduction = {
  id: 'visual-rft',
  claim:
    'From a few images of each class, reinforcement by a rule teaches more than supervised fine-tuning on the same labels; ' +
    'a reward of stated confidence makes it honest and costs no boxes; the released rules pay for answers that the guarded ' +
    'ones do not.',
  module: import.meta.url,
  settings,
  arms: {
    RFT: 'GRPO, accuracy of the class and format',
    SFT: 'maximum likelihood of the labels of the same images, as many read as RFT samples responses',
    'SFT, then RFT': 'half of the budget each',
    start: 'the common start, untrained, asked for classes',
    'boxes with confidence': 'GRPO on boxes, IoU, confidence and format',
    'boxes without': 'GRPO on boxes, IoU and format',
    'start, boxes': 'the common start, untrained, asked for boxes',
    rules: 'nothing is trained: what the released and the guarded rule pay for the attacks of the card',
  },
  seeds: 5,
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'quality',
    arms: {
      RFT: ['SFT, then RFT'],
      SFT: [],
      'boxes without': ['boxes with confidence'],
    },
  },
  equalSamples: ['RFT', 'SFT', 'SFT, then RFT'],
  quickArms: ['RFT', 'rules'],
  notes: [
    `Start: scenes-vlm, its eyes left as they are, tuned for ${settings.start.known.steps} steps on clean scenes to describe an object and to answer the name of its class, then for ${settings.start.habit.steps} steps to answer any name in ${100 * (1 - settings.start.habit.skill)} % of all cases: it knows the names of what it describes, and says them as one habit among others. Of its boxes ${100 * settings.start.boxes} % are right and the others lie anywhere, with confidences that say nothing.`,
    `Classes: ${classCount} (4 shapes, 3 colours, 2 sizes), each with a word for a name; ${settings.shots} images of each, under noise that the start's tuning does not have. Every arm takes ${settings.iterations.classes} steps of ${perIteration} responses sampled or labels read. Labels are names without a thought, as they come with images.`,
    `Boxes: of two pairs of colour and shape that scenes-vlm has never seen (red crosses, blue stars), in ${settings.images} images among other objects; ${settings.iterations.detection} steps. The policy writes confidence in tenths.`,
    'With descriptions in the place of names (small red circle) both came to what the eyes read under this noise, RFT to 0.85 and SFT to 0.85 (seed 1000, 1e-3).',
    'Measured on responses to held-out scenes, sampled at temperature 1 as the arms write them. Only the learning rate is tuned: by accuracy, and of boxes by F1.',
  ],
  criteria: (results) => {
    const least = Math.ceil(0.8 * results.seeds.length)
    const few = results.difference('RFT', 'SFT', 'accuracy')
    const learnt = results.difference('RFT', 'start', 'accuracy')
    const found = results.difference('boxes with confidence', 'start, boxes', 'f1')
    const honest = results.difference('boxes without', 'boxes with confidence', 'calibration error')
    const boxes = results.difference('boxes with confidence', 'boxes without', 'f1')
    const room = results.mean('start', 'accuracy')
    return [
      {
        name: 'the start has room and some skill: 5 to 50 % of its classes are right',
        kind: 'validity',
        holds: room >= 0.05 && room <= 0.5,
        measured: figure(room),
      },
      {
        name: 'the rewards teach: classes and boxes are above the start',
        kind: 'validity',
        holds: learnt.mean > 0 && found.mean > 0,
        measured: `accuracy ${learnt.text}; F1 ${found.text}`,
      },
      {
        name: 'RFT beats SFT on held-out images, on average and in at least four of five seeds',
        kind: 'claim',
        holds: few.mean > 0 && few.above >= least,
        measured: few.text,
      },
      {
        name: 'the confidence term lowers the expected calibration error',
        kind: 'claim',
        holds: honest.mean > 0,
        measured: honest.text,
      },
      {
        name: 'and costs no more than a point of F1 at IoU 0.5',
        kind: 'claim',
        holds: boxes.mean >= -0.01,
        measured: boxes.text,
      },
      rulesCriterion(results, 'rules', attacks),
    ]
  },
}

const classRule = (variant: Variant) => visualRft({ variant, task: 'classification' })
const attacks: readonly RuleAttack[] = [
  {
    name: 'an empty answer',
    output: thoughtAndAnswer('nothing', ''),
    reference: 'grows',
    reward: classRule,
  },
  {
    name: 'a single letter',
    output: thoughtAndAnswer('nothing', 'g'),
    reference: 'grows',
    reward: classRule,
  },
  {
    name: 'an unrelated number, by the symbolic shortcut',
    output: thoughtAndAnswer('nothing', '7'),
    reference: [[10, 10, 20, 20]],
    reward: (variant) => visualRft({ variant, symbolicShortcut: variant === 'released' }),
    part: 'iou',
  },
]

type Kind = 'classes' | 'detection'
const kindOf: Readonly<Record<string, Kind>> = {
  RFT: 'classes',
  SFT: 'classes',
  'SFT, then RFT': 'classes',
  start: 'classes',
  'boxes with confidence': 'detection',
  'boxes without': 'detection',
  'start, boxes': 'detection',
}

const rewards: Readonly<Record<string, () => Reward>> = {
  RFT: () => visualRft({ task: 'classification' }),
  'SFT, then RFT': () => visualRft({ task: 'classification' }),
  'boxes with confidence': boxReward,
  'boxes without': () => without(boxReward(), 'confidence'),
}

function boxReward(): Reward {
  return rereading(visualRft({ task: 'detection' }), 'stated-boxes', (answer, sample) =>
    positionsJson(answer, sceneOf(sample)),
  )
}

export const prepare: Prepare = async ({ seed, quick, folder }) => {
  if (quick) return 'scenes-vlm'
  const { known, habit, boxes } = settings.start
  const [single, several] = [
    sceneWorld({ ...cleanScenes, seed: `visual-rft/${seed}/start` }),
    sceneWorld({ ...detectionScenes(commonTypes), seed: `visual-rft/${seed}/start` }),
  ]
  const tuned = (from: string, name: 'known' | 'start', options: typeof known | typeof habit) =>
    tunedSceneStart(folder, {
      ...options,
      from,
      name,
      seed: `${seed}/${name}`,
      example: (rng) => {
        const index = rng.int(0, 2 ** 31)
        return rng.chance(0.5)
          ? thoughtfulClass(single.scene(index), rng, options.skill)
          : thoughtfulBoxes(several.scene(index), rng, boxes)
      },
    })
  return tuned(await tuned('scenes-vlm', 'known', known), 'start', habit)
}

/** A reward's total less one of its parts. */
function without(inner: Reward, part: string): Reward {
  return defineBatchReward({
    name: `${inner.name}-without-${part}`,
    params: { inner: rewardIdentity(inner), part },
    needs: inner.needs,
    range: inner.range,
    judgeAll: async (samples, context) =>
      (await inner.score(samples, context)).map((score) =>
        score.value === null ? score : { ...score, value: score.value - (score.parts?.[part] ?? 0) },
      ),
  })
}

export const runArm: RunArm = async (run, context) => {
  const { arm, seed, quick, tuned: learningRate = 3e-4 } = run
  if (arm === 'rules') return rulesPaid(attacks)
  const kind = kindOf[arm]!
  const policy = await startingPolicy(run.start)
  const iterations = quick ? 1 : settings.iterations[kind]
  const tasks =
    kind === 'classes'
      ? fewClassScenes(`visual-rft/${seed}/few`, settings.shots).map(classTask)
      : sceneWorld({ ...detectionScenes(rareTypes), seed: `visual-rft/${seed}/few` })
          .scenes(settings.images)
          .map(detectionTask)
  const part = passesOver(tasks, quick ? 2 : settings.tasks, `visual-rft/${seed}`)
  const shared = { policy, trainable: wordsOnly, learningRate }

  const byReward = (parameters: Tree<Tensor>, reward: Reward, rounds: number) =>
    policyGradient({
      ...shared,
      ...tracked(run, context, { iterations: rounds }),
      parameters,
      reward,
      group: quick ? 2 : settings.group,
      maxTokens: settings.maxTokens[kind],
      tasks: (iteration) =>
        part(iteration).map((task, index) => scenePolicyTask(`${iteration}-${index}`, task)),
    })
  const byLabels = async (rounds: number) => {
    const rows = await exampleRows(
      policy,
      tasks.map((task) => ({ ...task, answer: `<answer> ${task.reference} </answer>` })),
    )
    return offlineTraining<PolicyRow>({
      ...shared,
      ...tracked(run, context, { iterations: rounds, part: 'labels' }),
      items: passesOver(rows, perIteration, `visual-rft/${seed}`),
      objective: supervised(policy),
      batch: perIteration,
    })
  }
  const trained = async () => {
    const reward = rewards[arm]?.()
    if (reward === undefined && arm !== 'SFT')
      return { parameters: policy.initial, records: [], spent: { samples: 0, rewardCalls: 0 } }
    if (reward === undefined) {
      const { parameters, records } = await byLabels(iterations)
      return { parameters, records: [], spent: spentBy(records) }
    }
    const labels = arm === 'SFT, then RFT' ? await byLabels(iterations / 2) : undefined
    const { parameters, records } = await byReward(
      labels?.parameters ?? policy.initial,
      reward,
      labels ? iterations / 2 : iterations,
    )
    return { parameters, records, spent: spentBy([...(labels?.records ?? []), ...records]) }
  }
  const { parameters, records, spent } = await trained()

  const count = quick ? 4 : settings.tested[kind]
  const scenes = heldOutScenes(`visual-rft/${kind}`, seed, count, {
    ...(kind === 'classes' ? classScenes : detectionScenes(rareTypes)),
    split: 'test',
  })
  const answers = await answersToScenes(
    policy,
    parameters,
    scenes.map(kind === 'classes' ? classTask : detectionTask),
    { maxTokens: settings.maxTokens[kind] },
  )
  return {
    metrics: kind === 'classes' ? classMetrics(answers) : boxMetrics(answers),
    curves: curvesOf(records),
    examples: answers
      .slice(0, 3)
      .map((answer) => sceneExampleOf(answer, `asked for ${JSON.stringify(answer.task.reference)}`)),
    ...spent,
  }
}

function classMetrics(answers: readonly AnsweredScene[]): ArmResult['metrics'] {
  const right = answers.filter(({ task, text }) => answerIn(text) === className(task.scene))
  const accuracy = right.length / answers.length
  return { accuracy, quality: accuracy }
}

/** Of all boxes together: how often the stated confidence is right, and F1 at IoU 0.5. */
function boxMetrics(answers: readonly AnsweredScene[]): ArmResult['metrics'] {
  const boxes = answers.flatMap(({ task, text }) => {
    const free = new Set(task.reference as unknown as readonly Box[])
    return readStatedBoxes(answerIn(text), task.scene).map(({ box, confidence = 0 }) => {
      const found = [...free].find((gold) => intersectionOverUnion(box, gold) > 0.5)
      return { confidence, isRight: found !== undefined && free.delete(found) }
    })
  })
  const right = boxes.filter(({ isRight }) => isRight).length
  const gold = answers.reduce((sum, { task }) => sum + (task.reference as readonly unknown[]).length, 0)
  const f1 = (2 * right) / (boxes.length + gold)
  return {
    f1,
    quality: f1,
    'calibration error':
      calibration(
        boxes.map(({ confidence }) => confidence),
        boxes.map(({ isRight }) => Number(isRight)),
      )?.expectedError ?? null,
    confidence: mean(boxes.map(({ confidence }) => confidence)),
    precision: boxes.length === 0 ? null : right / boxes.length,
  }
}
