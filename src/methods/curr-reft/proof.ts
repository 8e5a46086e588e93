import { type Reward, Rng } from '../../core/index.ts'
import type { LanguagePolicy, PolicyRow } from '../../learn/policies/language-policy.ts'
import {
  answerIn,
  rereading,
  type SceneTask,
  sceneOf,
  sceneOracle,
  thoughtAndAnswer,
} from '../../learn/tasks/scene-tasks.ts'
import { curriculum } from '../../learn/trainers/curriculum.ts'
import { iterativeTraining } from '../../learn/trainers/iterative.ts'
import { supervised } from '../../learn/trainers/objective.ts'
import { offlineTraining } from '../../learn/trainers/offline.ts'
import { policyGradient } from '../../learn/trainers/policy-gradient.ts'
import { selectedRollouts } from '../../learn/trainers/selected-rollouts.ts'
import { figure } from '../../stats/figure.ts'
import { mean } from '../../stats/moments.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { captionOf } from '../../worlds/scenes/caption.ts'
import { captionPrompt } from '../../worlds/scenes/exchange.ts'
import { oracle } from '../../worlds/scenes/oracle.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import { sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { currReft, type Stage, stageAccuracy, type Task } from '../curr-reft.ts'
import type { ArmOptions, Prepare, Reproduction, RunArm, RunContext } from '../reproduce/reproduction.ts'
import type { SeedResults } from '../reproduce/results.ts'
import { type RuleAttack, rulesCriterion, rulesPaid } from '../reproduce/rules-paid.ts'
import {
  answersToScenes,
  exampleRows,
  heldOutScenes,
  newSceneTasks,
  type SceneExample,
  sceneExampleOf,
  tunedSceneStart,
  wordsOnly,
} from '../reproduce/scene-proof.ts'
import { startingPolicy } from '../reproduce/text-world.ts'
import { curvesOf, spentBy, tracked } from '../reproduce/tracked.ts'
import { itemScenes, openAnswer, putItem, stagedItem, thoughtfulItem, unseenScenes } from './staged-items.ts'

const settings = {
  /** `skill`: share of its training whose thoughts are right; `captions`: share that describes pictures. */
  start: { steps: 400, peak: 3e-3, skill: 0.04, captions: 0.15 },
  iterations: 60,
  tasks: 16,
  group: 4,
  maxTokens: 24,
  tested: 192,
  /** Along the way: items measured, every so many iterations. */
  measured: { items: 96, every: 10 },
  /** Rejection-sampled captions after the curriculum. */
  restored: { iterations: 6, tasks: 16, group: 4, atLeast: 0.85, learningRate: 1e-4 },
} as const
const stages = ['binary', 'choice', 'open'] as const satisfies readonly Stage[]

/** The form of the items, by iteration. */
const schedules: Readonly<Record<string, readonly Stage[] | 'mixed'>> = {
  'open only': ['open'],
  curriculum: stages,
  reversed: stages.toReversed(),
  mixed: 'mixed',
}

const attack = (name: string, answer: string, reference: string, stage: Stage): RuleAttack => ({
  name,
  output: thoughtAndAnswer('nothing', answer),
  reference,
  reward: (variant) => currReft({ variant, stage, task: 'math' }),
})
/** The four mistakes that the card finds in the released rules. */
const attacks: readonly RuleAttack[] = [
  attack('no letter where there is none in the gold either', 'x', '12', 'open'),
  attack('an empty answer to a number', '', '5', 'open'),
  attack('a number that contains the gold one', '15', '5', 'open'),
  attack('a denied verdict', 'not true', 'yes', 'binary'),
]

export const currReftProof: Reproduction = {
  id: 'curr-reft',
  claim:
    'From a start whose open answers are rarely right, reinforcement by rising difficulty (yes or no, a choice, open) ' +
    'teaches more open answers than open questions alone, and than falling difficulty; fine-tuning on its own good ' +
    'captions gives general skill back.',
  module: import.meta.url,
  settings,
  arms: {
    curriculum: 'GRPO, a third of the iterations each: yes or no, a choice of four, open',
    'open only': 'GRPO, open questions',
    reversed: 'GRPO, open, choice, yes or no',
    mixed: 'GRPO, each item in one of the three forms',
    SFT: 'maximum likelihood of open answers, as many read as the others sample responses',
    start: 'the common start, untrained',
    rules: 'nothing is trained: what the released and the guarded rules pay for attacks',
  },
  seeds: 5,
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'open',
    arms: { curriculum: ['reversed', 'mixed'], 'open only': [], SFT: [] },
  },
  equalSamples: ['curriculum', 'open only', 'reversed', 'mixed', 'SFT'],
  quickArms: ['curriculum', 'rules'],
  notes: [
    `Items: the box of an object, its size and colour, how many shapes have its colour; each can be put in all three forms, about scenes of two or three objects. Arms see items of the same kinds in the same numbers, ${settings.tasks} new ones an iteration with ${settings.group} responses each.`,
    `Start: scenes-vlm, its eyes left as they are, tuned for ${settings.start.steps} steps to think of the open answer and to answer what follows from it in each form; ${100 * settings.start.skill} % of these thoughts are right, the others one of the wrong answers.`,
    `Open answers are measured on responses sampled at temperature 1 to ${settings.tested} held-out items, and to as many about pairs of colour and shape that no training showed (unseen); the area is the mean of the open answers right after every ${settings.measured.every} iterations.`,
    `Captions: the oracle's F1 of objects in captions of held-out scenes. After the curriculum, ${settings.restored.iterations} iterations of fine-tuning on the best of ${settings.restored.group} own captions, where it reaches ${settings.restored.atLeast} (the oracle in the place of the judge).`,
    'After a start of 300 steps at 2e-3, whose answers hardly followed from its thoughts, open questions alone came from 0.13 to 0.34 and the curriculum to 0.25 (seed 1000, 3e-4).',
    'Only the learning rate is tuned.',
  ],
  criteria: (results) => {
    const least = Math.ceil(0.8 * results.seeds.length)
    const plain = results.difference('curriculum', 'open only', 'open')
    const reversed = results.difference('curriculum', 'reversed', 'open')
    const learnt = results.difference('curriculum', 'start', 'open')
    const room = results.mean('start', 'open')
    const lost = results.difference('start', 'curriculum', 'captions')
    const regained = gain(results, 'captions')
    const kept = gain(results, 'open')
    return [
      {
        name: 'open answers of the start are rarely right, and not never: 1 to 15 %',
        kind: 'validity',
        holds: room >= 0.01 && room <= 0.15,
        measured: figure(room),
      },
      {
        name: 'the curriculum teaches: open answers are above the start',
        kind: 'validity',
        holds: learnt.mean > 0,
        measured: learnt.text,
      },
      {
        name: 'the curriculum beats open questions alone, on average and in at least four of five seeds',
        kind: 'claim',
        holds: plain.mean > 0 && plain.above >= least,
        measured: plain.text,
      },
      {
        name: 'the curriculum beats the reversed one on average',
        kind: 'claim',
        holds: reversed.mean > 0,
        measured: reversed.text,
      },
      {
        name: 'fine-tuning on its own good captions gives back at least half of what captions lost',
        kind: 'claim',
        holds: lost.mean <= 0 || regained >= lost.mean / 2,
        measured: `lost ${lost.text}; regained ${figure(regained)}`,
      },
      {
        name: 'and costs no more than two points of open answers',
        kind: 'control',
        holds: kept >= -0.02,
        measured: figure(kept),
      },
      rulesCriterion(results, 'rules', attacks),
    ]
  },
}

/** What the curriculum's arm gained by its captions, on average. */
function gain(results: SeedResults, metric: 'captions' | 'open'): number {
  const before = results.values('curriculum', metric)
  const after = results.values('curriculum', `${metric}, restored`)
  return mean(after.map((value, index) => value - before[index]!))!
}

function reward(): Reward {
  return rereading(currReft({}), 'scene-answers', (answer, sample) =>
    sample.meta.stage === 'open' ? openAnswer(answer, sample.meta.task as Task, sceneOf(sample)) : answer,
  )
}

export const prepare: Prepare = async ({ seed, quick, folder }) => {
  if (quick) return 'scenes-vlm'
  const { steps, peak, skill, captions } = settings.start
  const items = sceneWorld({ ...itemScenes(), seed: `curr-reft/${seed}/start` })
  const described = sceneWorld({ seed: `curr-reft/${seed}/captions` })
  return tunedSceneStart(folder, {
    seed,
    steps,
    peak,
    example: (rng) => {
      const index = rng.int(0, 2 ** 31)
      return rng.chance(captions)
        ? captionExample(described.scene(index), rng)
        : thoughtfulItem(stagedItem(items.scene(index), rng), rng.pick(stages), rng, skill)
    },
  })
}

const captionTask = (scene: Scene): SceneTask => ({ scene, prompt: captionPrompt() })

function captionExample(scene: Scene, rng: Rng): SceneExample {
  return { ...captionTask(scene), answer: captionOf(scene, rng) }
}

export const runArm: RunArm = async (run, context) => {
  const { arm, seed, quick, tuned: learningRate = 3e-4 } = run
  if (arm === 'rules') return rulesPaid(attacks)
  const policy = await startingPolicy(run.start)
  const iterations = quick ? 1 : settings.iterations
  const every = quick ? 1 : settings.measured.every
  const open = (name: string, count: number, options: ReturnType<typeof itemScenes> = itemScenes()) =>
    heldOutScenes(`curr-reft/${name}`, seed, quick ? 4 : count, { ...options, split: 'test' }).map(
      (scene) => {
        const rng = new Rng(scene.id)
        return putItem(stagedItem(scene, rng), 'open', rng)
      },
    )
  const right = async (parameters: Tree<Tensor>, items: readonly SceneTask[]) => {
    const answers = await answersToScenes(policy, parameters, items, { maxTokens: settings.maxTokens })
    return { answers, share: mean(answers.map(({ task, text }) => openAccuracy(task, text)))! }
  }
  const along = open('along', settings.measured.items)
  const shared = {
    policy,
    trainable: wordsOnly,
    learningRate,
    evaluate: {
      every,
      measure: async (parameters: Tree<Tensor>) => ({ open: (await right(parameters, along)).share }),
    },
  }
  const trained = async () => {
    const schedule = schedules[arm]
    if (schedule !== undefined)
      return policyGradient({
        ...shared,
        ...tracked(run, context, { iterations }),
        reward: reward(),
        group: quick ? 2 : settings.group,
        maxTokens: settings.maxTokens,
        tasks: tasksOf(schedule, seed, iterations, quick ? 2 : settings.tasks),
      })
    const world = sceneWorld({ ...itemScenes(), seed: `curr-reft/${seed}` })
    const perIteration = settings.tasks * settings.group
    const rows = await exampleRows(
      policy,
      world.scenes(iterations * perIteration).map((scene) => {
        const item = stagedItem(scene, new Rng(scene.id))
        return { ...item, prompt: item.question, answer: `<answer> ${item.truth} </answer>` }
      }),
    )
    return offlineTraining<PolicyRow>({
      ...shared,
      ...tracked(run, context, { iterations, part: 'labels' }),
      items: (iteration) => rows.slice(iteration * perIteration, (iteration + 1) * perIteration),
      objective: supervised(policy),
      batch: perIteration,
    })
  }
  const { parameters, records } =
    arm === 'start' ? { parameters: policy.initial, records: [] } : await trained()

  const held = await right(parameters, open('held out', settings.tested))
  const unseen = await right(parameters, open('unseen', settings.tested, unseenScenes))
  const metrics: Record<string, number | null> = {
    open: held.share,
    unseen: unseen.share,
    area: mean(records.flatMap(({ evaluation }) => evaluation?.open ?? [])),
    captions: await captionQuality(policy, parameters, seed, quick),
  }
  if (arm === 'curriculum' && !quick) {
    const restored = await restoredCaptions(policy, parameters, run, context)
    metrics['captions, restored'] = await captionQuality(policy, restored, seed, quick)
    metrics['open, restored'] = (await right(restored, open('held out', settings.tested))).share
  }
  return {
    metrics,
    curves: curvesOf(records as Parameters<typeof curvesOf>[0]),
    examples: [...held.answers.slice(0, 3), ...unseen.answers.slice(0, 1)].map((answer) =>
      sceneExampleOf(answer, openAccuracy(answer.task, answer.text) === 1 ? 'right' : 'wrong'),
    ),
    ...spentBy(records),
  }
}

/** Accuracy in [0, 1] by the guarded rule of the open form. */
function openAccuracy({ meta, reference, scene }: SceneTask, text: string): number {
  const task = meta!.task as Task
  const gold = Array.isArray(reference) ? `[${reference.join(', ')}]` : String(reference)
  const answer = openAnswer(answerIn(text), task, scene)
  return stageAccuracy(`<answer>${answer}</answer>`, gold, 'open', task) ?? 0
}

/** New items in each iteration, in the forms of a schedule. */
function tasksOf(schedule: readonly Stage[] | 'mixed', seed: number, iterations: number, count: number) {
  const inForm = (form: (rng: Rng) => Stage) =>
    newSceneTasks(
      `curr-reft/${seed}`,
      count,
      (scene, rng) => putItem(stagedItem(scene, rng), form(rng), rng),
      itemScenes(),
    )
  if (schedule === 'mixed') return inForm((rng) => rng.pick(stages))
  return curriculum(
    schedule.map((stage) => ({
      tasks: inForm(() => stage),
      iterations: Math.ceil(iterations / schedule.length),
    })),
  )
}

const objectF1 = (scene: Scene, caption: string) => oracle.caption(scene, caption).parts.objectF1 ?? 0

async function captionQuality(
  policy: LanguagePolicy,
  parameters: Tree<Tensor>,
  seed: number,
  quick: boolean,
): Promise<number> {
  const scenes = heldOutScenes('curr-reft/captions', seed, quick ? 4 : settings.tested, { split: 'test' })
  const answers = await answersToScenes(policy, parameters, scenes.map(captionTask), { maxTokens: 32 })
  return mean(answers.map(({ task, text }) => objectF1(task.scene, text)))!
}

/** Fine-tuned on the best of its own captions, where that is good. */
async function restoredCaptions(
  policy: LanguagePolicy,
  parameters: Tree<Tensor>,
  run: ArmOptions,
  context: RunContext,
): Promise<Tree<Tensor>> {
  const { iterations, tasks, group, atLeast, learningRate } = settings.restored
  const { parameters: restored } = await iterativeTraining<PolicyRow>({
    ...tracked(run, context, { iterations, part: 'captions' }),
    policy,
    parameters,
    trainable: wordsOnly,
    reward: sceneOracle('caption-objects', objectF1),
    group,
    maxTokens: 32,
    learningRate,
    batch: tasks,
    objective: supervised(policy),
    build: (groups) =>
      selectedRollouts(groups, { mode: 'local' }).filter(({ score }) => (score.value ?? 0) >= atLeast),
    tasks: newSceneTasks(`curr-reft/${run.seed}/captions`, tasks, captionTask),
  })
  return restored
}
