import { z } from 'zod'
import {
  defineBatchReward,
  imagesOf,
  promptText,
  type Reward,
  type Sample,
  type Score,
  type ScoreContext,
  type StepReward,
  type Unscored,
  unscored,
} from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { uniformIndices } from '../rewards/judge/frame-sampling.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import {
  type ProgressExample,
  type ProgressJudge,
  type ProgressValues,
  progressJudge,
} from '../rewards/judge/progress-judge.ts'
import { judgeModel, judgeSettings, showing } from '../rewards/judge/settings.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { mean } from '../stats/moments.ts'
import { voc } from '../stats/voc.ts'
import { defineMethod } from './method.ts'

const prompt: JudgePrompt = {
  version: '1',
  system: 'You are an expert who estimates from pictures how far a task has been done.',
  user: `The task:
{task}
Frames of other episodes, in random order, with what was done of the task:
{examples}
The start of this episode, where 0 percent is done:
{start}
More frames of this episode follow in random order: judge each by what it shows, not by its place.
{frames}
For every frame write one line with its number, what it shows, and how much of the task is done, from 0 percent (nothing) to 100 percent (all of it), such as: frame 1: the cup is lifted, 40 percent`,
}

const options = z.strictObject({
  ...judgeSettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe('released, paper (no code was released): plain; guarded: coded fences around the task.'),
  output: z
    .enum(['voc', 'last'])
    .default('voc')
    .describe('voc: how well the values rise with time; last: the value of the last frame, in [-1, 1] too.'),
  frames: z.int().min(2).default(30).describe('Frames shown at most, evenly spread.'),
  shuffles: z.int().min(1).default(1).describe('Orders over which the values are averaged.'),
  order: z
    .enum(['shuffled', 'chronological'])
    .default('shuffled')
    .describe('chronological is the control: the judge may just count up.'),
  seed: z
    .union([z.string(), z.number()])
    .default(0)
    .describe('What the orders depend on, with the sample’s id.'),
  maxTokens: z.int().min(1).optional().describe('New tokens of a reply at most.'),
})

interface Given {
  readonly model?: ChatModel
  /** Examples shown before every episode. */
  readonly context?: readonly ProgressExample[]
}

/** The judge of progress with the paper's prompt. */
export function gvlJudge(settings: z.input<typeof options> = {}, given?: ChatModel): ProgressJudge {
  const { variant, order, maxTokens, ...rest } = options.parse(settings)
  return progressJudge({
    model: judgeModel<ChatModel>('gvl', rest, given),
    prompt,
    order,
    ...(maxTokens === undefined ? {} : { reply: { maxTokens } }),
    ...showing(variant, rest),
  })
}

/** The values of each episode: its frames are the output's, its task the prompt's text. */
function episodes(settings: z.output<typeof options>, { model, context = [] }: Given) {
  const { frames: most, shuffles, seed } = settings
  const judge = gvlJudge(settings, model)
  return {
    params: { judge: judge.params, frames: most, shuffles, seed, examples: context.length },
    async values(samples: readonly Sample[], scoring: ScoreContext): Promise<(Shown | Unscored)[]> {
      const shown = samples.map((sample) => {
        const all = imagesOf(sample.output)
        const places = uniformIndices(all.length, most)
        return { all, places }
      })
      const asked = samples.flatMap((sample, index) => {
        const { all, places } = shown[index]!
        if (all.length < 2) return []
        const frames = places.map((place) => all[place]!)
        const task = promptText(sample.prompt)
        return [{ frames, task, context, shuffles, seed: `${seed}/${sample.id}` }]
      })
      const found = await judge.valuesOfAll(asked, scoring)
      let next = 0
      return shown.map(({ all, places }) => {
        if (all.length < 2)
          return unscored('bad-input', 'the output must hold the frames of an episode, two or more')
        const values = found[next++]!
        return 'code' in values ? values : { ...values, places, length: all.length }
      })
    },
  }
}

interface Shown extends ProgressValues {
  /** Which frames of the episode were judged. */
  readonly places: readonly number[]
  readonly length: number
}

/**
 * Value-order correlation of an episode: a model estimates the progress of every frame, shown in random order behind the
 * first, and the values are compared with time. The first frame is the anchor and does not count. `parts`: `voc`, `last`
 * (the last value: VOC does not see that an attempt creeps and fails), `spread` over the orders, `constant` (1: the values
 * are all equal, and VOC is 0 by definition).
 *
 * @source GVL, arXiv 2411.04549 (the words are ours)
 */
function gvlReward(settings: z.input<typeof options> = {}, given: Given = {}): Reward {
  const all = options.parse(settings)
  const { params, values } = episodes(all, given)
  return defineBatchReward({
    name: 'gvl',
    range: [-1, 1],
    needs: ['chat'],
    params: { ...params, output: all.output },
    judgeAll: async (samples, context) =>
      (await values(samples, context)).map((shown): Score => {
        if ('code' in shown) return shown
        const judged = shown.values.slice(1)
        const order = voc(judged)
        const last = judged.at(-1)!
        return {
          value: all.output === 'voc' ? order.voc : last,
          parts: {
            voc: order.voc,
            last,
            spread: mean(shown.spread.slice(1))!,
            constant: Number(order.constant),
            parsed: shown.parsed,
          },
          usage: shown.usage,
          ...(shown.rationale === undefined ? {} : { rationale: shown.rationale }),
        }
      }),
  })
}

/** The value of every frame that was judged; frames left out by `frames` are not applicable. */
export function gvlFrames(settings: z.input<typeof options> = {}, given: Given = {}): StepReward {
  const { params, values } = episodes(options.parse(settings), given)
  return {
    name: 'gvl-frames',
    version: '1',
    params,
    unit: 'frame',
    range: [0, 1],
    scoreSteps: async (samples, context = {}) =>
      (await values(samples, context)).map((shown) => {
        if ('code' in shown) return shown
        const at = new Map(shown.places.map((place, index) => [place, index]))
        return Array.from({ length: shown.length }, (_, frame): Score => {
          const index = at.get(frame)
          return index === undefined
            ? unscored('not-applicable', 'this frame was not shown')
            : { value: shown.values[index]!, uncertainty: shown.spread[index]! }
        })
      }),
  }
}

/**
 * Weights for imitating steps: `exp(temperature * (value after `horizon` frames - value))` for each frame that has one.
 * The published temperature is unverified.
 */
export function progressWeights(
  values: readonly number[],
  { horizon = 1, temperature = 1 }: { readonly horizon?: number; readonly temperature?: number } = {},
): number[] {
  return values.slice(horizon).map((later, index) => Math.exp(temperature * (later - values[index]!)))
}

const sample = (output: Sample['output']): Sample => ({
  id: 'gvl',
  prompt: 'move the circle left',
  output,
  meta: {},
})

export const gvl = defineRewardType({
  name: 'gvl',
  summary: 'How steadily an episode gets on with its task, by a model that sees its frames in random order.',
  source: 'GVL, arXiv 2411.04549',
  options,
  create: gvlReward,
  prompts: { progress: prompt },
  examples: [
    { sample: sample('no frames'), options: { model: 'constant:frame 1: done, 100 percent' }, value: null },
  ],
})

export const gvlMethod = defineMethod({ id: 'gvl', rewards: [gvl] })
