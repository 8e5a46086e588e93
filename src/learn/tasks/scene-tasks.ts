import {
  defineBatchReward,
  defineReward,
  GuerdonError,
  type Json,
  type Reward,
  rewardIdentity,
  textOf,
} from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import { extractTag } from '../../rewards/verifiable/extract/extract-tag.ts'
import { renderScene, toRaster } from '../../worlds/scenes/raster.ts'
import { imagePart } from '../../worlds/scenes/samples.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import type { PolicyTask } from '../trainers/rollouts.ts'

/** Something to ask about the picture of a scene. */
export interface SceneTask {
  readonly scene: Scene
  /** In the words of the scenes. */
  readonly prompt: string
  /** The gold answer, as the reward reads it. */
  readonly reference?: Json
  /** What else the reward or the oracle reads; sizes of the image are there already. */
  readonly meta?: Readonly<Record<string, Json>>
}

/**
 * A task for a policy that sees: the picture and the prompt. `meta.shown` is the scene and the prompt, for `sceneOracle`;
 * the sizes of the picture stand where box rewards look for them.
 */
export function scenePolicyTask(id: string, { scene, prompt, reference, meta = {} }: SceneTask): PolicyTask {
  const { width, height } = scene
  return {
    conversation: ask(prompt, toRaster(renderScene(scene))),
    sample: {
      id,
      prompt: [imagePart(scene), { type: 'text', text: prompt }],
      ...(reference === undefined ? {} : { reference }),
      meta: {
        ...{ width, height, input_width: width, input_height: height },
        ...meta,
        shown: { scene, prompt } as unknown as Json,
      },
    },
  }
}

/** The scene of a task. Throws `no-scene` for a sample that is none of `scenePolicyTask`. */
export function sceneOf({ id, meta }: PolicyTask['sample']): Scene {
  const { scene } = (meta.shown ?? {}) as { scene?: Scene }
  if (scene?.objects) return scene
  throw new GuerdonError('no-scene', `the sample "${id}" is about no scene.`, { place: { sample: id } })
}

/**
 * A judge that sees the scene itself, for samples of `scenePolicyTask`: what measures beside the reward and never trains.
 * @param judge a number of a response, within `range`
 */
export function sceneOracle(
  name: string,
  judge: (scene: Scene, response: string, sample: PolicyTask['sample']) => number,
  range: Reward['range'] = [0, 1],
): Reward {
  return defineReward({
    name,
    range,
    judge: (sample) => ({ value: judge(sceneOf(sample), textOf(sample.output), sample) }),
  })
}

/** What the first answer tags hold, cut off or not; the whole text where there are none. */
export function answerIn(response: string): string {
  return (
    extractTag(response, 'answer', { allowMissingClose: true, allowEmpty: true }).value ?? response.trim()
  )
}

/** A thought and an answer, as rewards of reasoning ask for them. */
export function thoughtAndAnswer(thought: string, answer: string): string {
  return `<think> ${thought} </think> <answer> ${answer} </answer>`
}

/**
 * A reward that reads another writing than the policy's: small policies write boxes as single tokens, published rewards
 * read JSON. Only what stands inside of answer tags is rewritten; thoughts, tags and what is missing stay as they are.
 *
 * @example rereading(visualRft, 'boxes', (answer, sample) => boxListJson(parseBoxList(answer, sizeOf(sample)).boxes))
 */
export function rereading(
  inner: Reward,
  writing: string,
  rewrite: (answer: string, sample: PolicyTask['sample']) => string,
): Reward {
  return defineBatchReward({
    name: `${inner.name}-of-${writing}`,
    params: { inner: rewardIdentity(inner), writing },
    needs: inner.needs,
    range: inner.range,
    judgeAll: (samples, context) =>
      inner.score(
        samples.map((sample) => ({
          ...sample,
          output: textOf(sample.output).replace(
            /<answer>([\s\S]*?)(<\/answer>|$)/g,
            (_, answer: string, close: string) => `<answer>${rewrite(answer.trim(), sample)}${close}`,
          ),
        })),
        context,
      ),
  })
}
