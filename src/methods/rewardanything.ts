import { z } from 'zod'
import { defineReward, isObject, type Reward, type Sample, textOf, unscored } from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { byReply } from '../rewards/judge/asking.ts'
import { criterionFromMeta } from '../rewards/judge/criterion.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { listJudge } from '../rewards/judge/list-judge.ts'
import { listReader } from '../rewards/judge/readers.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { parseList, parseObject } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'

const byPrinciple: JudgePrompt = {
  version: '1',
  system: `You judge several answers to one question by a principle that you are given. The principle comes before general taste; it is never a reason to endorse harm.
Think briefly inside <think> and </think>. Then write one JSON object and nothing else:
{"scores": {"model-1": n, "model-2": n, ...}, "best-to-worst": ["model-...", ...]}
Scores are whole numbers: 5 follows the principle fully and is excellent, 4 strong with small limits, 3 basic, 2 partial with omissions, 1 poor or against the principle. Use the whole range where quality differs. Order all answers from best to worst, also those of equal score.`,
  user: `Principle: {principle}
Question:
{prompt}
Answers:
{candidates}
Score and order them by the principle.`,
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: names are shuffled by the same seed in every call, so that places are not averaged out; paper: one shuffle for each list; guarded: several shuffles of each list, coded fences.',
    ),
  principle: z
    .string()
    .min(1)
    .optional()
    .describe("what makes an answer better; by default each sample's meta.principle"),
  permutations: z
    .int()
    .min(1)
    .optional()
    .describe('orders in which a list is shown. @default 3 guarded, else 1'),
})

/**
 * A list judge that takes its principle in plain words: all answers to a prompt in one call, under masked names, scored 1
 * to 5 and ranked. Scores of different calls cannot be compared: keep a prompt's rollouts together.
 *
 * @source RewardAnything, arXiv 2506.03637 (the words are ours)
 */
function rewardAnythingReward(settings: z.output<typeof options>, given?: ChatModel): Reward {
  const { variant, principle, permutations = variant === 'guarded' ? 3 : 1 } = settings
  const judge = listJudge({
    name: 'rewardanything',
    prompt: byPrinciple,
    ask: byReply(judgeModel('rewardanything', settings, given), listReader, replyOptions(settings)),
    criterion: (sample) => ({ principle: principle ?? criterionFromMeta(sample).principle! }),
    permutations,
    params: { principle: principle ?? 'meta.principle' },
    ...(variant === 'released' ? { shuffleSeed: '42' } : {}),
    ...showing(variant, settings),
  })
  if (principle !== undefined) return judge
  const lacks = (sample: Sample) => criterionFromMeta(sample).principle === undefined
  return {
    ...judge,
    score: async (samples, context) => {
      const scores = await judge.score(
        samples.filter((sample) => !lacks(sample)),
        context,
      )
      let next = 0
      return samples.map((sample) =>
        lacks(sample)
          ? unscored(
              'bad-input',
              'meta.principle must say what makes an answer better; or give the option principle',
            )
          : scores[next++]!,
      )
    },
  }
}

/**
 * How well scores order the models as the gold scores do, in [0, 1]: over pairs of models in both, weights 1 + |gold
 * gap|; a reversed pair costs its weight, a tie where the gold differs half of it. Fewer than two common models cost
 * nothing, which is why training wants `coverage` beside it.
 *
 * @source RewardAnything, arXiv 2506.03637 (released code)
 */
export function weightedPairOrder(
  scores: Readonly<Record<string, number>>,
  gold: Readonly<Record<string, number>>,
): number {
  const models = Object.keys(gold).filter((model) => Object.hasOwn(scores, model))
  let [penalty, total] = [0, 0]
  for (let i = 0; i < models.length; i++)
    for (let j = i + 1; j < models.length; j++) {
      const [a, b] = [models[i]!, models[j]!]
      const wanted = Math.sign(gold[a]! - gold[b]!)
      const said = Math.sign(scores[a]! - scores[b]!)
      const weight = 1 + Math.abs(gold[a]! - gold[b]!)
      total += weight
      if (wanted !== 0 && said === 0) penalty += weight / 2
      else if (wanted !== 0 && said !== wanted) penalty += weight
    }
  return total === 0 ? 1 : Math.max(0, 1 - penalty / total)
}

/** Share of the gold models that have a score. */
export function modelCoverage(
  scores: Readonly<Record<string, number>>,
  gold: Readonly<Record<string, number>>,
): number {
  const models = Object.keys(gold)
  return models.length === 0
    ? 0
    : models.filter((model) => Object.hasOwn(scores, model)).length / models.length
}

/**
 * How far a ranking agrees with its own scores: the share of neighbours whose scores do not rise, 1 for a single name, 0
 * where the names of ranking and scores differ. (The released code calls a function that it never defines; this is our
 * definition.)
 */
export function rankingConsistency(
  ranking: readonly string[],
  scores: Readonly<Record<string, number>>,
): number {
  const names = new Set(Object.keys(scores))
  if (names.size !== ranking.length || ranking.some((name) => !names.has(name))) return 0
  if (ranking.length < 2) return ranking.length
  const falling = ranking.slice(1).filter((name, index) => scores[ranking[index]!]! >= scores[name]!)
  return falling.length / (ranking.length - 1)
}

/**
 * The form of a reply, in five parts of 0.2: thoughts in tags (0.15, and 0.05 for more than 50 characters of them), a JSON
 * object (0.15 where it had to be cut out), both keys, coverage of the models, ranking that agrees with the scores.
 *
 * @source RewardAnything, arXiv 2506.03637 (released code)
 */
export function listFormat(reply: string, models: readonly string[]): number {
  const [open, close] = [reply.includes('<think>'), reply.includes('</think>')]
  const thought = /<think>([\s\S]*?)<\/think>/.exec(reply)?.[1]?.trim() ?? ''
  let value = open && close ? 0.15 + ([...thought].length > 50 ? 0.05 : 0) : open || close ? 0.05 : 0
  const object = parseObject(reply)
  if (object === undefined || Object.keys(object.value).length === 0) return value
  value += object.cutOut ? 0.15 : 0.2
  const hasScores = isObject(object.value.scores)
  const hasRanking = ['best-to-worst', 'best-to-worse'].some((key) => Array.isArray(object.value[key]))
  const { scores, ranking } = parseList(reply) ?? { scores: {}, ranking: [] }
  value += 0.1 * Number(hasScores) + 0.1 * Number(hasRanking)
  value += 0.2 * modelCoverage(scores, Object.fromEntries(models.map((model) => [model, 0])))
  if (hasScores && hasRanking) value += 0.2 * rankingConsistency(ranking, scores)
  return value
}

/**
 * The reward that trains the judge: 0.15 format + 0.85 order (weights from secondary sources). Of the published accuracy
 * term only the weighted pair order is in the released code; score distribution, partial credit and rank agreement are
 * not (unverified), and left out. The reference is `{"model-1": gold score, ...}`, the output the judge's reply.
 */
function verdictReward({ variant }: { readonly variant: 'released' | 'paper' | 'guarded' }): Reward {
  return defineReward({
    name: 'rewardanything-verdict',
    needs: ['reference'],
    params: { variant },
    judge: ({ output, reference }) => {
      const gold = goldOf(reference)
      if (gold === undefined)
        return unscored('bad-input', 'the reference must be an object with a gold score for each model')
      const reply = textOf(output)
      const scores = parseList(reply)?.scores ?? {}
      const covered = modelCoverage(scores, gold)
      const order = covered === 0 ? 0 : weightedPairOrder(scores, gold)
      const parts = {
        format: listFormat(reply, Object.keys(gold)),
        order: variant === 'guarded' ? order * covered : order,
        coverage: covered,
      }
      return { value: Math.min(1, 0.15 * parts.format + 0.85 * parts.order), parts }
    },
  })
}

function goldOf(reference: unknown): Readonly<Record<string, number>> | undefined {
  if (!isObject(reference)) return undefined
  const entries = Object.entries(reference)
  return entries.length > 0 &&
    entries.every(([, score]) => typeof score === 'number' && Number.isFinite(score))
    ? (Object.fromEntries(entries) as Record<string, number>)
    : undefined
}

const sample = (id: string, output: string): Sample => ({
  id,
  group: 'rewardanything',
  prompt: 'Why is the sky blue?',
  output,
  meta: { principle: 'Prefer the shorter answer.' },
})
const said = '{"scores": {"model-1": 4, "model-2": 4}, "best-to-worst": ["model-1", "model-2"]}'
const rollout = (output: string): Sample => ({
  ...sample('rollout', output),
  reference: { 'model-1': 5, 'model-2': 2 },
})

export const rewardAnything = defineRewardType({
  name: 'rewardanything',
  summary: 'Scores of all answers to a prompt by a principle in plain words.',
  source: 'RewardAnything, arXiv 2506.03637',
  options,
  create: rewardAnythingReward,
  prompts: { list: byPrinciple },
  examples: [
    { sample: sample('short', 'Scattering.'), options: { model: `constant:${said}` }, value: 4 },
    {
      sample: sample('long', 'Because air scatters blue light most.'),
      options: { model: `constant:${said}` },
      value: 4,
    },
    {
      sample: sample('short', 'Scattering.'),
      options: { model: 'constant:{}', principle: 'Be brief.' },
      value: null,
    },
  ],
})

export const rewardAnythingVerdict = defineRewardType({
  name: 'rewardanything-verdict',
  summary:
    'How well the reply of a list judge that is trained orders the models as the gold scores do, and its form.',
  source: 'RewardAnything, arXiv 2506.03637',
  options: z.strictObject({
    variant: z
      .enum(['released', 'paper', 'guarded'])
      .default('guarded')
      .describe(
        'guarded: the order counts only for the share of models that were scored; naming one is not all right',
      ),
  }),
  create: verdictReward,
  examples: [
    {
      sample: rollout(`<think>${'so '.repeat(30)}</think>${said.replace('"model-2": 4', '"model-2": 1')}`),
      value: 1,
    },
    { sample: rollout(said), value: 0.15 * 0.8 + 0.85 * 0.5 },
    {
      sample: rollout('{"scores": {"model-1": 1}, "best-to-worst": ["model-1"]}'),
      options: { variant: 'released' },
      value: 0.15 * 0.7 + 0.85,
    },
    {
      sample: rollout('{"scores": {"model-1": 1}, "best-to-worst": ["model-1"]}'),
      value: 0.15 * 0.7 + 0.85 * 0.5,
    },
    { sample: rollout('no'), value: 0 },
    { sample: { ...rollout(said), reference: [] }, value: null },
  ],
})

export const rewardAnythingMethod = defineMethod({
  id: 'rewardanything',
  rewards: [rewardAnything, rewardAnythingVerdict],
  benchmarks: ['rabench', 'text-principles'],
})
