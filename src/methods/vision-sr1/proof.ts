import { type Reward, Rng, type Score } from '../../core/index.ts'
import { groupedAdvantages } from '../../learn/objectives/grouped-advantages.ts'
import type { LanguagePolicy, PolicyRow } from '../../learn/policies/language-policy.ts'
import { boxedAnswers, taggedAnswers } from '../../learn/tasks/boxed-answers.ts'
import { answerIn, scenePolicyTask, thoughtAndAnswer } from '../../learn/tasks/scene-tasks.ts'
import { type FurtherRow, policyGradient } from '../../learn/trainers/policy-gradient.ts'
import type { PolicyJudge } from '../../learn/trainers/policy-training.ts'
import type { Draft, Rollout } from '../../learn/trainers/rollouts.ts'
import { ask } from '../../models/chat-model.ts'
import { mean } from '../../stats/moments.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { shapes } from '../../worlds/scenes/attributes.ts'
import { oracle } from '../../worlds/scenes/oracle.ts'
import type { Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import {
  type AnsweredScene,
  answersToScenes,
  type SceneExample,
  sceneExampleOf,
  tunedSceneStart,
  wordsOnly,
} from '../reproduce/scene-proof.ts'
import { heldOutName } from '../reproduce/text-proof.ts'
import { startingPolicy } from '../reproduce/text-world.ts'
import { curvesOf, spentBy, tracked } from '../reproduce/tracked.ts'
import { selfContainedDescription, statesAnswer, visionSr1 } from '../vision-sr1.ts'
import {
  descriptionOf,
  entailedAnswer,
  faithfulDescription,
  priorAnswer,
  priorWorld,
  type ShapeQuestion,
  shapeQuestion,
  vagueDescription,
} from './described.ts'

const settings = {
  /** Chance that the colour of a shape gives it away: where all arms train, and in the test that breaks it. */
  prior: { kept: 0.9, broken: 0 },
  /**
   * Habits of the start's first pass, each a share of its training answers: descriptions that say nothing of shapes,
   * answers from the colour alone, answers without a description, descriptions that state the answer. `blind`: share of
   * its training exchanges that are second passes, a description and the question without the picture.
   */
  start: { steps: 150, peak: 1e-3, vague: 0.5, guessed: 0.4, undescribed: 0.1, stated: 0.1, blind: 0.3 },
  iterations: 30,
  tasks: 8,
  group: 8,
  maxTokens: 40,
  /** Of the second pass. */
  answerTokens: 8,
  /** Held-out questions, as many of each test. */
  tested: 128,
} as const

interface Arm {
  readonly text: string
  readonly variant?: 'released' | 'guarded'
  /** Which parts of the reward are paid. */
  readonly paid?: 'answer' | 'total' | 'streams'
}

const arms: Readonly<Record<string, Arm>> = {
  'answer only': { variant: 'guarded', paid: 'answer', text: 'GRPO, accuracy + 0.1 format' },
  'self-reward': {
    variant: 'released',
    paid: 'total',
    text: 'the same + whether it answers from its own description, as released',
  },
  guarded: {
    variant: 'guarded',
    paid: 'total',
    text: 'the same, without descriptions that are missing or state the answer',
  },
  decoupled: {
    variant: 'guarded',
    paid: 'streams',
    text: 'guarded; each pass has its own reward and advantage, and both are learnt from',
  },
  start: { text: 'the common start, untrained' },
}
const trainedArms = Object.keys(arms).filter((arm) => arm !== 'start')

export const visionSr1Proof: Reproduction = {
  id: 'vision-sr1',
  claim:
    'A policy that is also paid for answering from its own description, without the picture, describes what it answers ' +
    'from: it takes fewer shortcuts by what usually is the case, and is right more often where that is not; without a ' +
    'guard it lets the description give the answer away.',
  module: import.meta.url,
  settings: { ...settings, arms } as never,
  arms: Object.fromEntries(Object.entries(arms).map(([name, { text }]) => [name, text])),
  seeds: 5,
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'accuracy, prior kept',
    arms: { 'answer only': [], guarded: ['self-reward', 'decoupled'] },
  },
  equalSamples: trainedArms,
  quickArms: ['decoupled'],
  notes: [
    `Questions of the shape of a colour; in training the colour gives the shape away with chance ${settings.prior.kept}. Held out: ${settings.tested} questions of the same world and ${settings.tested} of one where it never does. Answers sampled at temperature 1.`,
    `Start: scenes-vlm, tuned for ${settings.start.steps} steps of 32 exchanges of habits to choose from: ${settings.start.vague * 100} % of the descriptions say nothing of shapes, ${settings.start.guessed * 100} % of the answers follow the colour, ${settings.start.undescribed * 100} % have no description, ${settings.start.stated * 100} % of the descriptions state the answer. ${settings.start.blind * 100} % of the exchanges are second passes, which answer what is described, and any shape where nothing is.`,
    'All arms write the second pass (one sampled answer of the current policy, without the picture), whether they are paid for it or not: tokens are equal.',
    'Shortcuts (LSR): the final answer is right, and the description does not say so, judged by the grammar of the scenes; over both tests. Leaks: no description, or one that states the answer.',
    'Where second passes follow the prior when nothing is described (a start tried before), vague descriptions earn nine tenths of the self-reward, and faithful ones die out.',
    'Tuned by accuracy in the world of the training: what breaks the prior must not choose.',
  ],
  criteria: (results) => {
    const enough = Math.ceil(0.8 * results.seeds.length)
    const shortcuts = results.difference('answer only', 'guarded', 'shortcuts')
    const broken = results.difference('guarded', 'answer only', 'accuracy, prior broken')
    const leaks = results.difference('self-reward', 'guarded', 'leaks')
    const learnt = results.difference('answer only', 'start', 'accuracy, prior kept')
    const start = results.mean('start', 'accuracy, prior broken')
    return [
      {
        name: 'the start has room and skill: it is right in 15 to 80 % where the prior is broken',
        kind: 'validity',
        holds: start >= 0.15 && start <= 0.8,
        measured: start.toFixed(3),
      },
      {
        name: 'the reward teaches: paid for answers only, they become right more often',
        kind: 'validity',
        holds: learnt.mean > 0,
        measured: learnt.text,
      },
      {
        name: 'guarded takes fewer shortcuts than answer only in at least four of five seeds',
        kind: 'claim',
        holds: shortcuts.mean > 0 && shortcuts.above >= enough,
        measured: shortcuts.text,
      },
      {
        name: 'guarded is right more often where the prior is broken, by at least 2 points',
        kind: 'claim',
        holds: broken.mean >= 0.02,
        measured: broken.text,
      },
      {
        name: 'without the guard more descriptions give the answer away',
        kind: 'claim',
        holds: leaks.mean > 0,
        measured: leaks.text,
      },
    ]
  },
}

export const prepare: Prepare = ({ seed, quick, folder }) => {
  const world = priorWorld(`vision-sr1/${seed}/start`, settings.prior.kept)
  return tunedSceneStart(folder, {
    ...settings.start,
    seed,
    steps: quick ? 1 : settings.start.steps,
    example: (rng) => startExample(shapeQuestion(world, rng.int(0, 2 ** 20)), rng),
  })
}

function startExample(question: ShapeQuestion, rng: Rng): SceneExample {
  const { vague, guessed, undescribed, stated, blind } = settings.start
  const shape = rng.chance(guessed) ? priorAnswer(question) : question.reference
  const says = !rng.chance(vague)
  const description = says ? faithfulDescription(question.scene) : vagueDescription(question.scene)
  const reasoned = thoughtAndAnswer(`${question.colour} ${shape}`, shape)
  const response = rng.chance(undescribed)
    ? reasoned
    : `<description> ${description}${rng.chance(stated) ? ` <answer> ${shape} </answer>` : ''} </description> ${reasoned}`
  if (!rng.chance(blind)) return { ...question, answer: response }
  // what is described decides; a whole response gives its own answer away; else any shape is as good
  const whole = rng.chance(undescribed)
  const followed = whole ? shape : says ? question.reference : rng.pick(shapes)
  return {
    ...question,
    prompt: secondPrompt(whole ? reasoned : description, question.prompt),
    answer: `<answer> ${followed} </answer>`,
    unseen: true,
  }
}

function secondPrompt(text: string, question: string): string {
  return `${taggedAnswers(text)} ${question}`
}

/** What became of a response in the second pass. */
interface SecondPass {
  readonly row: PolicyRow
  readonly logp: readonly number[]
  readonly reply: string
}

/** The policy answers from the descriptions alone; undefined where there is none. */
async function secondPasses(
  policy: LanguagePolicy,
  parameters: Tree<Tensor>,
  drafts: readonly Pick<Draft, 'text' | 'sample'>[],
  variant: 'released' | 'guarded',
  seed: string,
): Promise<readonly (SecondPass | undefined)[]> {
  const questions = drafts.map(({ text, sample }) => {
    const description = selfContainedDescription(boxedAnswers(text), variant)
    return description && secondPrompt(description, (sample.meta.shown as { prompt: string }).prompt)
  })
  const asked = questions.flatMap((question, index) => (question ? [{ question, index }] : []))
  const prompts = await Promise.all(asked.map(({ question }) => policy.promptOf(ask(question))))
  const written = await policy.sample(parameters, prompts, {
    maxTokens: settings.answerTokens,
    seed: (row) => new Rng(`${seed}/${drafts[asked[row]!.index]!.sample.id}`),
  })
  const passes = new Map(
    asked.map(({ index }, place) => {
      const { tokens, logp } = written[place]!
      const reply = boxedAnswers(policy.decode(tokens))
      return [index, { row: { ...prompts[place]!, response: tokens }, logp, reply }]
    }),
  )
  return drafts.map((_, index) => passes.get(index))
}

/** Pays for answers, and for what the policy of the moment makes of its own descriptions. */
function selfReward({ variant = 'guarded', paid = 'total' }: Arm): {
  readonly judge: PolicyJudge
  readonly further: (rows: readonly Rollout[]) => Promise<readonly FurtherRow[]>
} {
  const [total, answer, vision] = (['total', 'answer', 'vision'] as const).map((stream) =>
    visionSr1.create({ variant, stream, leakFilter: variant === 'guarded' }),
  ) as [Reward, Reward, Reward]
  /** Of the newest rollouts, by their ids. */
  const seconds = new Map<string, { readonly pass: SecondPass | undefined; readonly vision: number | null }>()
  const judge: PolicyJudge = {
    name: `vision-sr1-of-itself-${variant}-${paid}`,
    at:
      ({ policy, checkpoints, iteration }) =>
      async (drafts) => {
        const passes = await secondPasses(policy, checkpoints.current, drafts, variant, `second/${iteration}`)
        const samples = drafts.map(({ text, sample }, index) => ({
          ...sample,
          output: boxedAnswers(text),
          meta: { ...sample.meta, text_only_answer: passes[index]?.reply ?? null },
        }))
        const scored = (reward: Reward) => reward.score(samples) as Promise<readonly Score[]>
        if (paid === 'total') return scored(total)
        const [answers, visions] = [await scored(answer), await scored(vision)]
        if (paid === 'streams')
          drafts.forEach(({ sample }, index) => {
            seconds.set(sample.id, { pass: passes[index], vision: visions[index]!.value })
          })
        return answers
      },
  }
  return {
    judge,
    /** Second passes with the advantage of their own stream; where there was none, a row of no weight. */
    async further(rows) {
      const own = rows.map(({ sample }) => seconds.get(sample.id)!)
      seconds.clear()
      const groups = Array.from({ length: rows.length / settings.group }, (_, group) =>
        own.slice(group * settings.group, (group + 1) * settings.group).map(({ vision }) => vision),
      )
      const advantages = groupedAdvantages(groups).flat()
      return own.map(({ pass }, index) =>
        pass === undefined
          ? { ...rows[index]!, advantage: null }
          : { ...pass.row, logp: pass.logp, advantage: advantages[index]! },
      )
    },
  }
}

export const runArm: RunArm = async (run, context) => {
  const { seed, quick, tuned: learningRate = 3e-4 } = run
  const arm = arms[run.arm]!
  const policy = await startingPolicy(run.start)
  const [iterations, count] = quick ? [1, 2] : [settings.iterations, settings.tasks]
  const world = priorWorld(`vision-sr1/${seed}`, settings.prior.kept)
  const { judge, further } = selfReward(arm)
  const { parameters, records } =
    arm.paid === undefined
      ? { parameters: policy.initial, records: [] }
      : await policyGradient({
          ...tracked(run, context, { iterations }),
          policy,
          trainable: wordsOnly,
          learningRate,
          reward: judge,
          ...(arm.paid === 'streams' ? { further } : {}),
          group: settings.group,
          maxTokens: settings.maxTokens,
          reference: 'none',
          tasks: (iteration) =>
            Array.from({ length: count }, (_, index) =>
              scenePolicyTask(`${iteration}-${index}`, shapeQuestion(world, iteration * count + index)),
            ),
        })

  const tested = async (strength: number) => {
    const held = priorWorld(heldOutName(`vision-sr1/${strength}`, seed), strength, 'test')
    const questions = Array.from({ length: quick ? 16 : settings.tested }, (_, index) =>
      shapeQuestion(held, index),
    )
    const answers = await answersToScenes(policy, parameters, questions, { maxTokens: settings.maxTokens })
    return answers.map((answer, index) => judged(answer, questions[index]!))
  }
  const [kept, broken] = [await tested(settings.prior.kept), await tested(settings.prior.broken)]
  const share = (of: readonly Judged[], what: (answer: Judged) => boolean) =>
    mean(of.map((answer) => Number(what(answer))))!
  const all = [...kept, ...broken]
  return {
    metrics: {
      'accuracy, prior kept': share(kept, ({ right }) => right),
      'accuracy, prior broken': share(broken, ({ right }) => right),
      shortcuts: share(all, ({ right, sufficient }) => right && !sufficient),
      sufficient: share(all, ({ sufficient }) => sufficient),
      faithful: mean(all.flatMap(({ truth }) => truth ?? [])),
      leaks: share(all, ({ leak }) => leak),
    },
    curves: curvesOf(records),
    examples: broken
      .slice(0, 3)
      .map(({ answer, right, sufficient }) =>
        sceneExampleOf(
          answer,
          `${right ? 'right' : 'wrong'}, ${sufficient ? 'described' : 'not described'}, prior broken`,
        ),
      ),
    ...spentBy(records),
  }
}

interface Judged {
  readonly answer: AnsweredScene
  readonly right: boolean
  /** The description alone gives the right answer. */
  readonly sufficient: boolean
  /** Share of its claims that hold; null where it claims nothing. */
  readonly truth: number | null
  /** There is no description, or it states the answer outright. */
  readonly leak: boolean
}

function judged(answer: AnsweredScene, { colour, reference, scene }: ShapeQuestion): Judged {
  const description = descriptionOf(answer.text)
  return {
    answer,
    right: /<answer>/.test(answer.text) && answerOf(answer.text) === reference,
    sufficient: description !== undefined && entailedAnswer(description, colour) === reference,
    truth: description === undefined ? null : oracle.caption(scene, description).parts.claimAccuracy,
    leak: description === undefined || statesAnswer(boxedAnswers(description), reference),
  }
}

/** The final answer: what stands after the thoughts. */
function answerOf(response: string): string {
  return answerIn(response.slice(response.lastIndexOf('</think>') + 1))
}
