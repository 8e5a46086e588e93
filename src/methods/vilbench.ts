import { z } from 'zod'
import type { Reward, Sample, StepReward } from '../core/index.ts'
import { unscored } from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { outcomeFromSteps } from '../rewards/convert.ts'
import { byReply, type ReplyReader } from '../rewards/judge/asking.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pointJudge } from '../rewards/judge/point-judge.ts'
import { scoreReader } from '../rewards/judge/readers.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { stepJudge, stepsOf } from '../rewards/judge/step-judge.ts'
import { parseObject } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'

const scale = '1 (useless) to 5 (flawless)'

const outputPrompt: JudgePrompt = {
  version: '1',
  system: 'You grade solutions of questions about images.',
  user: `Question:
{prompt}
{output|solution}
Grade the solution as a whole, from ${scale}: is the image read right, is the reasoning sound, is the answer right? End with one line: Final Score: N`,
}

const processPrompt: JudgePrompt = {
  version: '1',
  system: 'You grade solutions of questions about images, step by step.',
  user: `Question:
{prompt}
The solution in steps:
{steps}
Grade every step by itself, given the steps before it, from ${scale}: is the image read right in it, does it follow, does it help? Reply as JSON with one score for each step in order: {"scores": [5, 3]}`,
}

const scoresReader: ReplyReader<readonly number[]> = {
  params: 'scores of steps',
  read: (reply) => {
    const scores = parseObject(reply)?.value.scores
    return Array.isArray(scores) && scores.length > 0 && scores.every((score) => typeof score === 'number')
      ? (scores as number[])
      : undefined
  },
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released, paper (no code was released): any number of steps; guarded: an answer of a single step has no process score, as one good step would win every mean; coded fences.',
    ),
  mode: z
    .enum(['process', 'output'])
    .default('process')
    .describe('A score for every step, or one for the answer.'),
  aggregate: z
    .enum(['mean', 'min', 'last', 'product'])
    .default('mean')
    .describe(
      'How scores of steps become one (the published mean is unverified): a product favours short answers.',
    ),
})

/** The scores of an answer's steps, from 1 to 5. */
export function vilbenchSteps(settings: z.input<typeof options> = {}, given?: ChatModel): StepReward {
  const { variant, mode: _, aggregate: __, ...rest } = options.parse(settings)
  return stepJudge({
    name: 'vilbench-steps',
    prompt: processPrompt,
    ask: byReply(judgeModel<ChatModel>('vilbench', rest, given), scoresReader, replyOptions(rest)),
    range: [1, 5],
    steps: (sample) => {
      const steps = stepsOf(sample)
      return variant === 'guarded' && !('code' in steps) && steps.length === 1
        ? unscored('not-applicable', 'the answer is a single step: there is no process to judge')
        : steps
    },
    ...showing(variant, rest),
  })
}

/**
 * An answer about an image, graded from 1 to 5 as a whole or step by step, as ViLBench compares the two: neither wins
 * everywhere. Process scores are those of prompted judges; all ways of combining them are in `parts`.
 *
 * @source ViLBench, arXiv 2503.20271 (the words are ours)
 */
function vilbenchReward(settings: z.input<typeof options> = {}, given?: ChatModel): Reward {
  const all = options.parse(settings)
  const { variant, mode, aggregate, ...rest } = all
  if (mode === 'process')
    return {
      ...outcomeFromSteps(vilbenchSteps(all, given), { reduce: aggregate }),
      name: 'vilbench',
      needs: ['chat'],
    }
  return pointJudge({
    name: 'vilbench',
    prompt: outputPrompt,
    ask: byReply(judgeModel<ChatModel>('vilbench', rest, given), scoreReader(), replyOptions(rest)),
    range: [1, 5],
    ...showing(variant, rest),
  })
}

const sample = (output: string): Sample => ({
  id: 'vilbench',
  prompt: 'How many circles are red?',
  output,
  meta: {},
})
const steps = 'Step 1: There are three circles.\nStep 2: Two of them are red. So: two.'

export const vilbench = defineRewardType({
  name: 'vilbench',
  summary: 'A solution graded from 1 to 5 as a whole, or step by step.',
  source: 'ViLBench, arXiv 2503.20271',
  options,
  create: vilbenchReward,
  prompts: { output: outputPrompt, process: processPrompt },
  examples: [
    { sample: sample(steps), options: { model: 'constant:{"scores": [5, 4]}' }, value: 4.5 },
    { sample: sample(steps), options: { model: 'constant:{"scores": [5, 4]}', aggregate: 'min' }, value: 4 },
    { sample: sample(steps), options: { model: 'constant:{"scores": [5]}' }, value: null },
    { sample: sample('two'), options: { model: 'constant:{"scores": [5]}' }, value: null },
    { sample: sample('two'), options: { model: 'constant:{"scores": [5]}', variant: 'paper' }, value: 5 },
    { sample: sample(steps), options: { model: 'constant:Final Score: 4', mode: 'output' }, value: 4 },
  ],
})

export const vilbenchMethod = defineMethod({ id: 'vilbench', rewards: [vilbench], benchmarks: ['vilbench'] })
