import { z } from 'zod'
import { messageOf, type Reward, type Sample, unscored } from '../../core/index.ts'
import { defineRewardType } from '../reward-type.ts'
import { checkView, readRewardManifest, rewardNeeds } from './reward-manifest.ts'
import type { RewardModel } from './trained-reward-model.ts'

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('Folder that "guerdon train reward" wrote, or the name of a reward model of this package.'),
  dimension: z.string().optional().describe('One of its dimensions; their mean by default.'),
  user: z.string().optional().describe('The taste of one of its users; of the mean user by default.'),
  as: z
    .enum(['log-odds', 'probability'])
    .default('log-odds')
    .describe('Log-odds of being preferred to an ordinary answer, or that probability, in [0, 1].'),
})

const loaded = new Map<string, Promise<RewardModel>>()

/** A reward that was learned from preferences. Deterministic; a score does not depend on the rest of the batch. */
function learnedReward({ path, ...view }: z.output<typeof options>): Reward {
  const manifest = readRewardManifest(path)
  checkView(manifest, view)
  const key = `${path} ${manifest.weights}`
  const load = async () => {
    const { loadRewardModel } = await import('./trained-reward-model.ts') // brings the tensor engine along
    return loadRewardModel(path)
  }
  const asked = Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined))
  return {
    name: 'reward-model',
    version: '1',
    range: view.as === 'log-odds' ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [0, 1],
    needs: rewardNeeds(manifest),
    params: { model: manifest.name, weights: manifest.weights, ...asked },
    async score(samples, context) {
      let model = loaded.get(key)
      if (model === undefined) {
        model = load()
        loaded.set(key, model)
        model.catch(() => loaded.delete(key))
      }
      try {
        return await (await model).reward(asked).score(samples, context)
      } catch (error) {
        return samples.map(() =>
          unscored('outage', `the reward model ${path} cannot be loaded: ${messageOf(error)}`),
        )
      }
    },
  }
}

const sample = (prompt: string, output: string): Sample => ({ id: 'reward-model', prompt, output, meta: {} })

export const rewardModel = defineRewardType({
  name: 'reward-model',
  summary: 'A reward model that was trained on preferences, from the folder that it was saved to.',
  options,
  create: learnedReward,
  examples: [
    {
      sample: sample('what colour is the cat ?', 'the cat is red'),
      options: { path: 'text-reward' },
      value: -0.829266,
    },
    {
      sample: sample('what colour is the cat ?', 'the cat is red'),
      options: { path: 'text-reward', as: 'probability' },
      value: 0.3038,
    },
  ],
})
