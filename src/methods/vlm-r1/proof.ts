import type { Reward, Rng, Variant } from '../../core/index.ts'
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
import { figure } from '../../stats/figure.ts'
import { mean } from '../../stats/moments.ts'
import { boxText, parseBoxList } from '../../worlds/scenes/box-grammar.ts'
import { intersectionOverUnion, oracle } from '../../worlds/scenes/oracle.ts'
import type { Box } from '../../worlds/scenes/scene.ts'
import { type SceneWorldOptions, sceneWorld } from '../../worlds/scenes/scene-world.ts'
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
import { vlmR1 } from '../vlm-r1.ts'
import {
  boxJson,
  detectionScenes,
  detectionTask,
  fencedBoxes,
  referredTypes,
  referringScenes,
  referringTask,
  thoughtfulDetection,
  thoughtfulReferring,
  unseenTypes,
} from './box-tasks.ts'

const settings = {
  /** `skill`: shares of the start's training whose boxes are right; `surplus`: of detections with one box too many. */
  start: { steps: 240, peak: 2e-3, detection: { skill: 0.3, surplus: 0.2 }, referring: { skill: 0.4 } },
  /** Scenes that every arm trains on. */
  pool: { detection: 128, referring: 32 },
  iterations: { detection: 40, referring: 60 },
  tasks: 8,
  group: 8,
  maxTokens: { detection: 48, referring: 20 },
  tested: 128,
} as const
const perIteration = settings.tasks * settings.group

type Kind = 'detection' | 'referring'

/** The released rules: what is said of hacking is said of them. */
const detectionReward = (method: 'od_ap' | 'odLength') =>
  rereading(vlmR1({ method, variant: 'released' }), 'fenced-boxes', (answer, sample) =>
    fencedBoxes(answer, sceneOf(sample)),
  )
interface Arm {
  readonly kind: Kind
  readonly reward?: () => Reward
  /** Boxes that a step reads, of the arms that read any. */
  readonly rowsOfStep?: number
}
const arms: Readonly<Record<string, Arm>> = {
  'average precision': { kind: 'detection', reward: () => detectionReward('od_ap') },
  'average precision by length': { kind: 'detection', reward: () => detectionReward('odLength') },
  'start, detection': { kind: 'detection' },
  RL: {
    kind: 'referring',
    reward: () =>
      rereading(vlmR1({ method: 'rec' }), 'box', (answer, sample) => boxJson(answer, sceneOf(sample))),
  },
  SFT: { kind: 'referring', rowsOfStep: settings.tasks },
  'SFT, more rows': { kind: 'referring', rowsOfStep: perIteration },
  start: { kind: 'referring' },
}

const circle = { bbox_2d: [10, 10, 50, 50], label: 'red circle' }
const square = { bbox_2d: [60, 10, 100, 50], label: 'blue square' }
const near = { ...circle, bbox_2d: [12, 10, 50, 50] }
const far = { ...circle, bbox_2d: [0, 0, 20, 20] }
const fence = (boxes: readonly unknown[]) => `\`\`\`json\n${JSON.stringify(boxes)}\n\`\`\``

type Method = NonNullable<NonNullable<Parameters<typeof vlmR1>[0]>['method']>
const attack = (
  name: string,
  method: Method,
  answer: string,
  reference: RuleAttack['reference'],
  paid: Pick<RuleAttack, 'released' | 'guarded'> = {},
): RuleAttack => ({
  name,
  output: thoughtAndAnswer('nothing', answer),
  reference,
  reward: (variant: Variant) => vlmR1({ variant, method }),
  ...paid,
})
const attacks: readonly RuleAttack[] = [
  attack('all boxes twice', 'od_ap', fence([near, square, near, square]), [circle, square], { guarded: 0.5 }),
  attack('a wrong box at the end', 'od_ap', fence([near, square, far]), [circle, square], { guarded: 0.75 }),
  attack('"I know it is yes" where the answer is no', 'yes_no', 'I know it is yes', 'no'),
  attack('an empty answer where nothing is to be found', 'od_ap', '', []),
  attack('a right box from 0 to 1', 'rec', '{"bbox_2d": [0, 0, 1, 1]}', [0, 0, 1, 1], {
    released: 0,
    guarded: 1,
  }),
]

const worldOf: Readonly<Record<Kind, SceneWorldOptions>> = {
  detection: detectionScenes,
  referring: referringScenes(referredTypes),
}

export const vlmR1Proof: Reproduction = {
  id: 'vlm-r1',
  claim:
    'Average precision as a reward teaches a policy to write surplus boxes, and its share by length does not; reinforcement ' +
    'of referring expressions generalises to unseen pairs of colour and shape better than fine-tuning on the same examples.',
  module: import.meta.url,
  settings,
  arms: {
    'average precision': 'GRPO on detection, od_ap',
    'average precision by length': 'GRPO on detection, odLength',
    'start, detection': 'the common start, untrained, asked for all boxes',
    RL: 'GRPO on referring expressions, IoU and format',
    SFT: 'maximum likelihood of the boxes of the same expressions, step by step',
    'SFT, more rows': 'the same, as many boxes read as RL samples responses',
    start: 'the common start, untrained, asked for one box',
    rules: 'nothing is trained: what the released and the guarded rules pay for attacks',
  },
  seeds: 5,
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'quality',
    arms: {
      RL: [],
      SFT: [],
      'SFT, more rows': [],
      'average precision': ['average precision by length'],
    },
  },
  equalSamples: ['RL', 'SFT, more rows'],
  quickArms: ['average precision', 'rules'],
  notes: [
    `Start: scenes-vlm, its eyes left as they are, tuned for ${settings.start.steps} steps to think and answer: of detection lists (one or two objects) ${100 * settings.start.detection.skill} % of the boxes are right and the others lie a little beside, and ${100 * settings.start.detection.surplus} % of the lists have a second guess at the end; of referring expressions (three objects, two of which share colour or shape with the first) ${100 * settings.start.referring.skill} % of the boxes are right and the others are another object's.`,
    `Arms of detection take ${settings.iterations.detection} steps about the same ${settings.pool.detection} scenes, arms of referring ${settings.iterations.referring} about ${settings.pool.referring}: RL and SFT see the same ${settings.tasks} in each, of which RL samples ${settings.group} responses each; SFT, more rows, reads ${perIteration} boxes. Referring expressions of the training name half of the pairs of colour and shape; unseen are six pairs that no training showed. Examples of fine-tuning have no thoughts.`,
    'Detection is rewarded by the released rules, as the claim is about them. Its honest precision is the share of written boxes that find an object of their name at IoU 0.5, each object once. Measured on responses to held-out scenes, sampled at temperature 1.',
    'With 128 scenes, 40 steps, a share of 0.3 and 3e-4 (seed 1000) RL came to 0.80 of the seen and 0.55 of the unseen pairs, SFT with more rows to 0.95 and 0.84: where examples abound, they teach faster than a reward.',
    'Only the learning rate is tuned: of detection by the average precision (one value for both rewards), of referring by the accuracy of seen pairs.',
  ],
  criteria: (results) => {
    const least = Math.ceil(0.8 * results.seeds.length)
    const written = (arm: string) => results.values(arm, 'boxes per object')
    const [plain, honest] = [written('average precision'), written('average precision by length')]
    const larger = plain.filter((value, index) => value >= 1.3 * honest[index]!).length
    const precision = results.difference('average precision by length', 'average precision', 'precision')
    const learnt = results.difference('RL', 'start', 'seen')
    const taught = results.difference('average precision', 'start, detection', 'average precision')
    const unseen = results.difference('RL', 'SFT', 'unseen')
    const seen = results.difference('RL', 'SFT', 'seen')
    const room = results.mean('start', 'seen')
    return [
      {
        name: 'the start has room and some skill: 10 to 60 % of its boxes are right',
        kind: 'validity',
        holds: room >= 0.1 && room <= 0.6,
        measured: figure(room),
      },
      {
        name: 'the rewards teach: referring and average precision are above the start',
        kind: 'validity',
        holds: learnt.mean > 0 && taught.mean > 0,
        measured: `seen ${learnt.text}; average precision ${taught.text}`,
      },
      {
        name: 'boxes per object are larger by 1.3 under average precision in at least four of five seeds',
        kind: 'claim',
        holds: larger >= least,
        measured: `${plain.map(figure).join(', ')} against ${honest.map(figure).join(', ')}`,
      },
      {
        name: 'and stay at 1.1 at most where length divides it',
        kind: 'claim',
        holds: mean(honest)! <= 1.1,
        measured: figure(mean(honest)!),
      },
      {
        name: 'whose precision is at least as high',
        kind: 'claim',
        holds: precision.mean >= 0,
        measured: precision.text,
      },
      {
        name: 'RL beats SFT on unseen pairs, on average and in at least four of five seeds',
        kind: 'claim',
        holds: unseen.mean > 0 && unseen.above >= least,
        measured: unseen.text,
      },
      {
        name: 'and is at most two points behind on seen ones',
        kind: 'claim',
        holds: seen.mean >= -0.02,
        measured: seen.text,
      },
      rulesCriterion(results, 'rules', attacks),
    ]
  },
}

export const prepare: Prepare = async ({ seed, quick, folder }) => {
  if (quick) return 'scenes-vlm'
  const { steps, peak, detection, referring } = settings.start
  const worlds = {
    detection: sceneWorld({ ...worldOf.detection, seed: `vlm-r1/${seed}/start` }),
    referring: sceneWorld({ ...worldOf.referring, seed: `vlm-r1/${seed}/start` }),
  }
  return tunedSceneStart(folder, {
    seed,
    steps,
    peak,
    example: (rng: Rng) => {
      const index = rng.int(0, 2 ** 31)
      return rng.chance(0.5)
        ? thoughtfulDetection(worlds.detection.scene(index), rng, detection)
        : thoughtfulReferring(worlds.referring.scene(index), rng, referring.skill)
    },
  })
}

export const runArm: RunArm = async (run, context) => {
  const { arm, seed, quick, tuned: learningRate = 3e-4 } = run
  if (arm === 'rules') return rulesPaid(attacks)
  const { kind, reward, rowsOfStep } = arms[arm]!
  const policy = await startingPolicy(run.start)
  const iterations = quick ? 1 : settings.iterations[kind]
  const maxTokens = settings.maxTokens[kind]
  const taskOf = kind === 'detection' ? detectionTask : referringTask
  const pool = sceneWorld({ ...worldOf[kind], seed: `vlm-r1/${seed}` })
    .scenes(settings.pool[kind])
    .map(taskOf)
  const shared = { policy, trainable: wordsOnly, learningRate }

  const byReward = async () => {
    const part = passesOver(pool, quick ? 2 : settings.tasks, `vlm-r1/${seed}`)
    return policyGradient({
      ...shared,
      ...tracked(run, context, { iterations }),
      reward: reward!(),
      group: quick ? 2 : settings.group,
      maxTokens,
      tasks: (iteration) =>
        part(iteration).map((task, index) => scenePolicyTask(`${iteration}-${index}`, task)),
    })
  }
  const byBoxes = async (rowsOfStep: number) => {
    const rows = await exampleRows(
      policy,
      pool.map((task) => ({
        ...task,
        answer: `<answer> ${boxText(task.reference as unknown as Box, task.scene)} </answer>`,
      })),
    )
    return offlineTraining<PolicyRow>({
      ...shared,
      ...tracked(run, context, { iterations }),
      items: passesOver(rows, rowsOfStep, `vlm-r1/${seed}`),
      objective: supervised(policy),
      batch: rowsOfStep,
    })
  }
  const trained = reward ? await byReward() : rowsOfStep ? await byBoxes(rowsOfStep) : undefined
  const { parameters, records } = trained ?? { parameters: policy.initial, records: [] }

  const count = quick ? 4 : settings.tested
  const answersTo = (name: string, options: SceneWorldOptions) =>
    answersToScenes(
      policy,
      parameters,
      heldOutScenes(`vlm-r1/${name}`, seed, count, { ...options, split: 'test' }).map(taskOf),
      { maxTokens },
    )
  const answers = await answersTo(kind, worldOf[kind])
  const metrics =
    kind === 'detection'
      ? await detectionMetrics(answers)
      : referringMetrics(answers, await answersTo('unseen', referringScenes(unseenTypes)))
  return {
    metrics,
    curves: curvesOf(records as Parameters<typeof curvesOf>[0]),
    examples: answers.slice(0, 3).map((answer) => sceneExampleOf(answer, 'held out')),
    ...spentBy(records),
  }
}

/** Boxes written for each object, the share of them that finds one, and what both rewards say. */
async function detectionMetrics(answers: readonly AnsweredScene[]): Promise<ArmResult['metrics']> {
  const written = answers.map(({ task, text }) => parseBoxList(answerIn(text), task.scene).boxes)
  const [boxes, objects] = [
    written.reduce((sum, { length }) => sum + length, 0),
    answers.reduce((sum, { task }) => sum + task.scene.objects.length, 0),
  ]
  const found = answers.reduce((sum, { task: { scene } }, index) => {
    const precision = oracle.boxes(scene, written[index]!).precision ?? 0
    return sum + precision * written[index]!.length
  }, 0)
  const rewarded = async (method: 'od_ap' | 'odLength') => {
    const samples = answers.map(({ task, text }, index) => ({
      ...scenePolicyTask(String(index), task).sample,
      output: text,
    }))
    return mean((await detectionReward(method).score(samples)).map(({ parts }) => parts?.accuracy ?? 0))
  }
  const precision = await rewarded('od_ap')
  return {
    'boxes per object': boxes / objects,
    precision: boxes === 0 ? null : found / boxes,
    'average precision': precision,
    'average precision by length': await rewarded('odLength'),
    quality: precision,
  }
}

function referringMetrics(
  seen: readonly AnsweredScene[],
  unseen: readonly AnsweredScene[],
): ArmResult['metrics'] {
  const accuracy = (answers: readonly AnsweredScene[]) =>
    mean(
      answers.map(({ task, text }) => {
        const [first] = parseBoxList(answerIn(text), task.scene).boxes
        const gold = task.reference as unknown as Box
        return first && intersectionOverUnion(first.box, gold) > 0.5 ? 1 : 0
      }),
    )
  const quality = accuracy(seen)
  return { seen: quality, unseen: accuracy(unseen), quality }
}
