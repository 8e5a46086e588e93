import { join } from 'node:path'
import { withoutLongerChosen } from '../../apply/length-filter.ts'
import { selectCandidates } from '../../apply/select.ts'
import { GuerdonError, type Preference, Rng, type Sample } from '../../core/index.ts'
import { trainRewardModel } from '../../learn/reward-models/index.ts'
import { sceneOracle } from '../../learn/tasks/scene-tasks.ts'
import { actorCritic } from '../../learn/trainers/actor-critic.ts'
import { isFailed } from '../../models/outcome.ts'
import { loadEmbedded } from '../../nets/embedded/load-embedded.ts'
import { loadRewardModel, type RewardModel } from '../../rewards/learned/trained-reward-model.ts'
import { words } from '../../rewards/verifiable/text/words.ts'
import { bestOfKCurve } from '../../stats/best-of-k.ts'
import { mean } from '../../stats/moments.ts'
import { areaUnderRoc } from '../../stats/pair-accuracy.ts'
import {
  captionOf,
  captionPrompt,
  captionSample,
  oracle,
  questionSample,
  type Scene,
  sceneWorld,
} from '../../worlds/scenes/index.ts'
import type {
  ArmOptions,
  ArmResult,
  Prepare,
  Reproduction,
  RunArm,
  RunContext,
} from '../reproduce/reproduction.ts'
import {
  answersToScenes,
  heldOutScenes,
  newSceneTasks,
  sceneExampleOf,
  tunedSceneStart,
} from '../reproduce/scene-proof.ts'
import { startingPolicy } from '../reproduce/text-world.ts'
import { curvesOf, spentBy, tracked } from '../reproduce/tracked.ts'
import {
  type AskedScene,
  askedScene,
  captionPairs,
  detailPairs,
  hallucinated,
  isRight,
  questionPairs,
  wrongAnswer,
} from './pairs.ts'

const settings = {
  pairs: { questions: 1200, captions: 1600, detail: 400, tested: 300 },
  reward: { steps: 500, rows: 32, learningRate: 5e-4 },
  /** Share of the start's training answers that are right; the others are of another scene. */
  start: { steps: 80, right: 0.5, peak: 1e-3 },
  bestOf: { questions: 128, samples: 16 },
  /** Captions to be cleaned, the share that is corrupted and dropped, and the training on what is left. */
  cleaning: { captions: 1280, share: 0.2, steps: 32, peak: 1e-3 },
  captioned: 192,
  ppo: {
    iterations: 16,
    tasks: 64,
    learningRate: 1e-4,
    updates: { epochs: 2, minibatches: 2 },
    klWeight: 0.02,
  },
  maxTokens: { answer: 8, caption: 48 },
} as const

export const ixcRewardProof: Reproduction = {
  id: 'ixc-2-5-reward',
  claim:
    'A scalar head over a small vision-language model, trained on pairs, sees hallucinations, ranks sampled answers, cleans ' +
    'captions and trains a policy; without a filter on length it comes to prefer long answers.',
  module: import.meta.url,
  settings,
  arms: {
    'reward model':
      'trained on pairs of answers and captions, those with a much longer chosen answer left out',
    'text only': 'the same pairs, never a picture',
    'no length filter': 'the same with all pairs',
    'cleaned captions': 'a captioner trained on what the reward model keeps of partly corrupted captions',
    'random captions': 'a captioner trained on as many of them, dropped at random',
    PPO: 'the start, trained on the reward model',
    start: 'the common start, untrained',
  },
  seeds: 3,
  prepared: true,
  equalSamples: ['cleaned captions', 'random captions'],
  quickArms: ['reward model'],
  notes: [
    `Pairs: right against wrong answers to questions, true captions against the same with one hallucination, and long true captions against short true ones, as a judge prefers who likes detail. Trained: ${settings.pairs.questions}, ${settings.pairs.captions} and ${settings.pairs.detail} scenes; the last kind is what the filter (1.5 times as many words) drops.`,
    `Start: scenes-vlm, tuned for ${settings.start.steps} steps on answers of which ${100 * settings.start.right} % are right; both the image encoder and the connector stay as they are, but in PPO, whose trainer moves all weights.`,
    'Best of N: expected over draws from 16 answers at temperature 1. Length: the chosen of 16 captions, half of them asked to be short and half to be full, against their mean.',
    `Captions to be cleaned are true ones of training scenes, ${100 * settings.cleaning.share} % with one hallucination; as many are dropped. Captioners start from scenes-vlm; their captions are sampled at temperature 1.`,
    'Texts without pictures (W4) and clips (W2) are left out: the model knows the words of scenes and one picture. PPO begins with a critic of the policy, not of the reward model.',
  ],
  criteria: (results) => {
    const at = (metric: string) => results.mean('reward model', metric)
    const percent = (value: number) => `${(100 * value).toFixed(1)} %`
    const counts = [1, 2, 4, 8, 16]
    const curve = counts.map((count) => at(`best of ${count}`))
    const blind = results.difference('reward model', 'text only', 'pictured pairs')
    const cleaning = results.difference('cleaned captions', 'random captions', 'true claims')
    const ppo = results.difference('PPO', 'start', 'right')
    const growth = (arm: string) => results.mean(arm, 'longer')
    return [
      {
        name: 'the start has room: 20 to 80 % of its answers are right',
        kind: 'validity',
        holds: curve[0]! >= 0.2 && curve[0]! <= 0.8,
        measured: percent(curve[0]!),
      },
      {
        name: 'held-out pairs: 80 % are ordered rightly',
        kind: 'claim',
        holds: at('pairs') >= 0.8,
        measured: percent(at('pairs')),
      },
      {
        name: 'hallucinations: 10 points above the same model without the picture',
        kind: 'claim',
        holds: at('hallucinations') - at('hallucinations unseen') >= 0.1,
        measured: `${percent(at('hallucinations'))} against ${percent(at('hallucinations unseen'))}`,
      },
      {
        name: 'a model of texts alone is more than 3 points below on pictured pairs',
        kind: 'control',
        holds: blind.mean > 0.03,
        measured: blind.text,
      },
      {
        name: 'best of N never falls from N = 1 to 16, and N = 8 gains 8 points',
        kind: 'claim',
        holds:
          curve.every((value, place) => place === 0 || value >= curve[place - 1]!) &&
          curve[3]! - curve[0]! >= 0.08,
        measured: counts.map((count, place) => `${count}: ${percent(curve[place]!)}`).join(', '),
      },
      {
        name: 'best of 8 is above the longest of 8',
        kind: 'control',
        holds: curve[3]! > at('longest of 8'),
        measured: `${percent(curve[3]!)} against ${percent(at('longest of 8'))}`,
      },
      {
        name: 'corrupted captions are found: AUROC 0.85',
        kind: 'claim',
        holds: at('AUROC') >= 0.85,
        measured: at('AUROC').toFixed(3),
      },
      {
        name: 'a captioner of cleaned captions tells more truth than one of as many random ones',
        kind: 'claim',
        holds: cleaning.mean > 0,
        measured: cleaning.text,
      },
      {
        name: 'PPO raises the share of right answers at a KL of 10 nats or less',
        kind: 'claim',
        holds: ppo.mean > 0 && results.mean('PPO', 'KL') <= 10,
        measured: `${ppo.text}; KL ${results.mean('PPO', 'KL').toFixed(2)}`,
      },
      {
        name: 'with the filter the best of 16 captions are less than 10 % longer, without it more',
        kind: 'claim',
        holds: growth('reward model') < 0.1 && growth('no length filter') > growth('reward model'),
        measured: `${percent(growth('reward model'))}, without ${percent(growth('no length filter'))}`,
      },
    ]
  },
}

type Start = { readonly policy: string; readonly reward: string }

export const prepare: Prepare = async ({ seed, quick, folder }, context) => {
  const policy = quick ? 'scenes-vlm' : await answeringStart(seed, folder)
  const reward = join(folder, 'reward')
  const model = await trainedOn(
    withoutLongerChosen(trainingPairs(seed, quick)).kept,
    { seed, quick },
    context,
    reward,
  )
  await model.dispose()
  return { policy, reward } satisfies Start
}

/** A model that answers half of the questions as they would be right of another picture. */
function answeringStart(seed: number, folder: string): Promise<string> {
  const { steps, right, peak } = settings.start
  const asked = scenesOf(seed, 'start', 400).map((scene) => askedScene(scene, new Rng(scene.id)))
  return tunedSceneStart(folder, {
    seed,
    steps,
    peak,
    example: (rng) => {
      const one = rng.pick(asked)
      const wrong = rng.chance(right) ? undefined : wrongAnswer(one, asked, rng)
      return { scene: one.scene, prompt: one.question.text, answer: wrong ?? one.question.answer }
    },
  })
}

export const runArm: RunArm = async (run, context): Promise<ArmResult> => {
  const start = run.start as Start
  switch (run.arm) {
    case 'reward model': {
      const model = await loadRewardModel(start.reward, { threads: 1 })
      const metrics = {
        ...(await pairMetrics(model, run)),
        ...(await bestOfMetrics(model, run, start)),
        AUROC: await corruptionFound(model, run),
        longer: await chosenLength(model, run),
      }
      await model.dispose()
      return { metrics, samples: 0, rewardCalls: 0 }
    }
    case 'text only':
    case 'no length filter': {
      const pairs = trainingPairs(run.seed, run.quick)
      const isBlind = run.arm === 'text only'
      const given = isBlind ? withoutLongerChosen(pairs).kept.map(unseen) : pairs
      const model = await trainedOn(given, run, context)
      const metrics = isBlind
        ? { 'pictured pairs': await shareRight(model, heldOutPairs(run).map(unseen)) }
        : { longer: await chosenLength(model, run) }
      await model.dispose()
      return { metrics, samples: 0, rewardCalls: 0 }
    }
    case 'cleaned captions':
    case 'random captions':
      return captioner(run, start)
    default:
      return answerer(run, start, context)
  }
}

const scenesOf = (seed: number, name: string, count: number) =>
  sceneWorld({ seed: `ixc/${seed}/${name}` }).scenes(count)

function trainingPairs(seed: number, quick: boolean): Preference[] {
  const { questions, captions, detail } = settings.pairs
  const scenes = (name: string, count: number) => scenesOf(seed, name, quick ? 24 : count)
  return [
    ...questionPairs(scenes('questions', questions), `ixc/${seed}`),
    ...captionPairs(scenes('captions', captions), `ixc/${seed}`),
    ...detailPairs(scenes('detail', detail), `ixc/${seed}`),
  ]
}

/** Questions and captions about scenes of the split `test`. */
function heldOutPairs({ seed, quick }: Pick<ArmOptions, 'seed' | 'quick'>): Preference[] {
  const scenes = heldOutScenes('ixc/pairs', seed, quick ? 16 : settings.pairs.tested, { split: 'test' })
  return [...questionPairs(scenes, 'held-out'), ...captionPairs(scenes, 'held-out')]
}

async function trainedOn(
  preferences: readonly Preference[],
  { seed, quick }: Pick<ArmOptions, 'seed' | 'quick'>,
  context: RunContext,
  folder?: string,
): Promise<RewardModel> {
  const { steps, ...rest } = settings.reward
  const count = quick ? 3 : steps
  const trunk = await loadEmbedded('scenes-vlm', { threads: 1 })
  const { model } = await trainRewardModel({
    ...rest,
    preferences,
    trunk: trunk as never,
    steps: count,
    seed,
    threads: 1,
    signal: context.signal,
    ...(folder === undefined ? {} : { folder }),
    onStep: ({ step, loss }) =>
      context.progress({ done: step + 1, all: count, note: `loss ${loss.toFixed(3)}` }),
  })
  await trunk.dispose()
  return model
}

/** The same without its picture. */
function unseen(preference: Preference): Preference {
  const prompt = (preference.prompt as readonly { readonly type?: string }[]).filter(
    ({ type }) => type !== 'image',
  )
  return { ...preference, prompt: prompt as unknown as Preference['prompt'] }
}

async function scoresFor(model: RewardModel, samples: readonly Sample[]): Promise<number[]> {
  const outcomes = await model.values(samples)
  return outcomes.map((outcome) => {
    if (isFailed(outcome)) throw new GuerdonError('unscored-rollouts', outcome.failure.reason)
    return outcome.value
  })
}

async function shareRight(model: RewardModel, pairs: readonly Preference[]): Promise<number> {
  const side = (output: 'chosen' | 'rejected') =>
    scoresFor(
      model,
      pairs.map((pair) => ({ id: pair.id, prompt: pair.prompt, output: pair[output], meta: {} })),
    )
  const [chosen, rejected] = [await side('chosen'), await side('rejected')]
  return mean(chosen.map((score, index) => Number(score > rejected[index]!)))!
}

async function pairMetrics(model: RewardModel, run: ArmOptions): Promise<Record<string, number>> {
  const pairs = heldOutPairs(run)
  const { question = [], caption = [] } = Object.groupBy(pairs, ({ meta }) => String(meta.source))
  const [questions, hallucinations] = [await shareRight(model, question), await shareRight(model, caption)]
  const all = (questions * question.length + hallucinations * caption.length) / pairs.length
  return {
    pairs: all,
    'pictured pairs': all,
    questions,
    hallucinations,
    'hallucinations unseen': await shareRight(model, caption.map(unseen)),
  }
}

function heldOutQuestions({ seed, quick }: Pick<ArmOptions, 'seed' | 'quick'>): AskedScene[] {
  const count = quick ? 8 : settings.bestOf.questions
  return heldOutScenes('ixc/questions', seed, count, { split: 'test' }).map((scene) =>
    askedScene(scene, new Rng(`held-out/${scene.id}`)),
  )
}

const taskOf = ({ scene, question }: AskedScene) => ({ scene, prompt: question.text })

/** The expected share of right answers for the best of N by the model, and for the longest. */
async function bestOfMetrics(
  model: RewardModel,
  run: ArmOptions,
  start: Start,
): Promise<Record<string, number>> {
  const policy = await startingPolicy(start.policy)
  const asked = heldOutQuestions(run)
  const size = settings.bestOf.samples
  const answers = await answersToScenes(
    policy,
    policy.initial,
    asked.flatMap((one) => Array.from({ length: size }, () => taskOf(one))),
    { maxTokens: settings.maxTokens.answer, seed: 1 },
  )
  await policy.dispose()
  const groups = asked.map((one, index) => {
    const own = answers.slice(index * size, (index + 1) * size).map(({ text }) => text)
    return { one, own, right: own.map((answer) => Number(isRight(one, answer))) }
  })
  const scores = await scoresFor(
    model,
    groups.flatMap(({ one, own }) => own.map((answer) => questionSample(one, answer))),
  )
  const curveBy = (rank: (answer: string, place: number) => number) =>
    groups
      .map(({ own, right }, index) =>
        bestOfKCurve(
          own.map((answer, at) => rank(answer, index * size + at)),
          right,
        ),
      )
      .reduce((sum, curve) => sum.map((value, at) => value + curve[at]!), new Array<number>(size).fill(0))
      .map((sum) => sum / groups.length)
  const best = curveBy((_, place) => scores[place]!)
  const longest = curveBy((answer) => words(answer).length)
  return {
    ...Object.fromEntries([1, 2, 4, 8, 16].map((count) => [`best of ${count}`, best[count - 1]!])),
    'longest of 8': longest[7]!,
  }
}

/** True captions of training scenes, a share of them with one hallucination. */
function dirtyCaptions({ seed, quick }: Pick<ArmOptions, 'seed' | 'quick'>) {
  const { captions, share } = settings.cleaning
  return scenesOf(seed, 'cleaning', quick ? 40 : captions).map((scene) => {
    const rng = new Rng(`ixc/${seed}/cleaning/${scene.id}`)
    const caption = captionOf(scene, rng)
    const wrong = rng.chance(share) ? hallucinated(scene, caption, rng) : undefined
    return { scene, caption: wrong ?? caption, isCorrupt: wrong !== undefined }
  })
}

async function corruptionFound(model: RewardModel, run: ArmOptions): Promise<number> {
  const captions = dirtyCaptions(run)
  const scores = await scoresFor(
    model,
    captions.map(({ scene, caption }) => captionSample(scene, caption)),
  )
  const { corrupt = [], clean = [] } = Object.groupBy(scores, (_, index) =>
    captions[index]!.isCorrupt ? 'corrupt' : 'clean',
  )
  return areaUnderRoc(
    corrupt.map((score) => -score),
    clean.map((score) => -score),
  )!
}

/** By how much the best of 16 captions are longer than all of them are. */
async function chosenLength(model: RewardModel, run: ArmOptions): Promise<number> {
  const scenes = heldOutScenes('ixc/length', run.seed, run.quick ? 4 : 48, { split: 'test' })
  const policy = await startingPolicy('scenes-vlm')
  const half = settings.bestOf.samples / 2
  const lengths: { chosen: number; all: number }[] = []
  const tasks = scenes.flatMap((scene) =>
    (['short', 'full'] as const).flatMap((style) =>
      Array.from({ length: half }, () => ({ scene, prompt: captionPrompt(style) })),
    ),
  )
  const captions = await answersToScenes(policy, policy.initial, tasks, {
    maxTokens: settings.maxTokens.caption,
    seed: 2,
  })
  await policy.dispose()
  const scores = await scoresFor(
    model,
    captions.map(({ task, text }) => captionSample(task.scene, text)),
  )
  scenes.forEach((_, index) => {
    const own = captions.slice(2 * half * index, 2 * half * (index + 1)).map(({ text }) => words(text).length)
    const best = own
      .map((_, at) => at)
      .reduce((a, b) => (scores[2 * half * index + b]! > scores[2 * half * index + a]! ? b : a))
    lengths.push({ chosen: own[best]!, all: mean(own)! })
  })
  return mean(lengths.map(({ chosen }) => chosen))! / mean(lengths.map(({ all }) => all))! - 1
}

/** A captioner trained on the captions that were kept: how much of what it then says is true. */
async function captioner(run: ArmOptions, start: Start): Promise<ArmResult> {
  const { share, steps, peak } = settings.cleaning
  const captions = dirtyCaptions(run)
  const model = await loadRewardModel(start.reward, { threads: 1 })
  const scores = await scoresFor(
    model,
    captions.map(({ scene, caption }) => captionSample(scene, caption)),
  )
  await model.dispose()
  const rng = new Rng(`ixc/${run.seed}/dropped`)
  const kept = selectCandidates(
    captions.map((item, index) => ({
      item,
      id: String(index),
      group: 'captions', // one source: scores of others are not comparable
      value: run.arm === 'cleaned captions' ? scores[index]! : rng.uniform(),
    })),
    { mode: 'global', fraction: 1 - share },
  ).map(({ item }) => item)
  const trained = await tunedSceneStart(run.folder, {
    name: 'captioner',
    seed: run.seed,
    steps: run.quick ? 2 : steps,
    peak,
    ...(run.quick ? { batch: 8 } : {}),
    example: (random) => {
      const { scene, caption } = random.pick(kept)
      return { scene, prompt: captionPrompt(), answer: caption }
    },
  })
  const policy = await startingPolicy(trained)
  const scenes = heldOutScenes('ixc/captions', run.seed, run.quick ? 8 : settings.captioned, {
    split: 'test',
  })
  const said = await answersToScenes(
    policy,
    policy.initial,
    scenes.map((scene) => ({ scene, prompt: captionPrompt() })),
    { maxTokens: settings.maxTokens.caption, seed: 3 },
  )
  await policy.dispose()
  return {
    metrics: {
      'true claims': mean(said.map(({ task, text }) => truthOf(task.scene, text)))!,
      'corrupted captions kept': mean(kept.map(({ isCorrupt }) => Number(isCorrupt)))!,
    },
    examples: said
      .slice(0, 3)
      .map((answer) => sceneExampleOf(answer, `true ${truthOf(answer.task.scene, answer.text)}`)),
    samples: kept.length,
    rewardCalls: captions.length,
  }
}

/** Share of a caption's claims that hold; a caption that claims nothing is worth nothing. */
function truthOf(scene: Scene, caption: string): number {
  return oracle.caption(scene, caption).parts.claimAccuracy ?? 0
}

/** PPO on the reward model, or the start as it is: the share of right answers. */
async function answerer(run: ArmOptions, start: Start, context: RunContext): Promise<ArmResult> {
  const policy = await startingPolicy(start.policy)
  const { iterations, tasks, learningRate, updates, klWeight } = settings.ppo
  const asked = (scene: Scene, rng: Rng) => taskOf(askedScene(scene, rng))
  const model = run.arm === 'PPO' ? await loadRewardModel(start.reward, { threads: 1 }) : undefined
  const { parameters, records } =
    model === undefined
      ? { parameters: policy.initial, records: [] }
      : await actorCritic({
          ...tracked(run, context, { iterations: run.quick ? 2 : iterations }),
          ...updates,
          policy,
          reward: model.reward(),
          oracle: sceneOracle('right', (scene, response, { meta }) => {
            const { prompt } = meta.shown as { readonly prompt: string }
            return Number(oracle.answer(scene, prompt, response).correct === true)
          }),
          kl: { beta: klWeight },
          learningRate,
          maxTokens: settings.maxTokens.answer,
          tasks: newSceneTasks(`ixc/${run.seed}/ppo`, run.quick ? 8 : tasks, asked),
        })
  const questions = heldOutQuestions(run)
  const answers = await answersToScenes(policy, parameters, questions.map(taskOf), {
    maxTokens: settings.maxTokens.answer,
    seed: 4,
  })
  await Promise.all([policy.dispose(), model?.dispose()])
  const right = answers.map(({ text }, index) => Number(isRight(questions[index]!, text)))
  return {
    metrics: {
      right: mean(right)!,
      KL: records.at(-1)?.kl ?? 0,
      tokens: mean(answers.map(({ tokens }) => tokens.length))!,
    },
    curves: curvesOf(records),
    examples: answers
      .slice(0, 3)
      .map((answer, index) => sceneExampleOf(answer, right[index] === 1 ? 'right' : 'wrong')),
    ...spentBy(records),
  }
}
