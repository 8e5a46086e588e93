import { Hono } from 'hono'
import { z } from 'zod'
import {
  GuerdonError,
  imagesOf,
  type Json,
  type JsonObject,
  messageOf,
  promptText,
  type Reward,
  Rng,
  type Sample,
  textOf,
} from '../../core/index.ts'
import { withoutImageFiles } from '../../data/image-files.ts'
import { imageDataUrl } from '../../data/images.ts'
import { allRewardTypes, resolveReward } from '../../methods/resolve.ts'
import { currentScope, withCalls } from '../../models/calls/call-scope.ts'
import { type ShowcaseKind, showcase } from '../../worlds/showcase.ts'
import { decoded } from '../json-body.ts'
import type { ServeApp, ServeEnv } from '../protocol.ts'
import type { ApiContext } from './api.ts'
import { bodyOf } from './body.ts'
import { bound, missing, runNamed, whole } from './runs-api.ts'
import { baseDirectoryOf, drawings } from './shown-sample.ts'
import type { Playground, PlaygroundAnswer, PlaygroundKind, PlaygroundSample } from './wire.ts'

const request = z.strictObject({
  sample: z.strictObject({
    prompt: z.string().max(200_000),
    image: z
      .string()
      .max(20_000_000)
      .regex(/^data:image\/(?:png|jpeg|webp);base64,/)
      .optional(),
    output: z.string().max(400_000),
    reference: z.json().nullable(),
    meta: z.record(z.string(), z.json()).default({}),
  }),
  rewards: z.array(z.string().min(1).max(2000)).max(40),
})

/** What each kind is judged by at first: a guarded reward, and what released code of a published system pays. */
const kinds: Readonly<Record<ShowcaseKind, { readonly title: string; readonly rewards: readonly string[] }>> =
  {
    boxes: {
      title: 'Boxes on a picture',
      rewards: ['boxes', 'vlm-r1(variant=released, method=od_ap)', 'length'],
    },
    svg: {
      title: 'SVG drawing',
      rewards: ['svg', 'sgp-rl(variant=released, textWeight=0, imageWeight=1, likeness=pixels)', 'length'],
    },
    chart: { title: 'Chart', rewards: ['chart', 'msrl(variant=released)', 'length'] },
    maths: { title: 'Answer', rewards: ['math', 'contains', 'length'] },
    tools: { title: 'Tool calls', rewards: ['tool-calls', 'toolrl(variant=released)', 'length'] },
  }
/** Longest time for one reward while somebody types [ms]. */
const patience = 10_000
/** The same where a model is asked [ms]. */
const modelPatience = 120_000
/** Longest side of a picture of a run's sample [pixels]. */
const pictureSide = 2048
/** What a reward needs that asks a model. */
const modelNeeds: ReadonlySet<string> = new Set(['chat', 'logprobs', 'embeddings'])

function asksModel({ needs }: Reward): boolean {
  return needs.some((need) => modelNeeds.has(need))
}

/**
 * A sample of one's own and what every reward says of it, part by part. Rewards of whoever started the server may ask
 * models, within the budget that the server was started with; others may not.
 */
export function playgroundApi({ store, own, given = {} }: ApiContext): ServeApp {
  const app = new Hono<ServeEnv>()
  const scope = currentScope()
  const made = new Map<string, Reward>()
  const rewardOf = (expression: string): Reward => {
    if (Object.hasOwn(given, expression)) return given[expression]!
    let reward = made.get(expression)
    if (reward === undefined) {
      reward = resolveReward(expression, own)
      if (asksModel(reward))
        throw new GuerdonError('asks-model', 'it asks a model, which not every visitor may.', {
          fix: `Start the page with it: guerdon ui --reward '${expression}'`,
        })
      if (made.size >= 100) made.delete(made.keys().next().value!)
      made.set(expression, reward)
    }
    return reward
  }
  let known: Promise<readonly PlaygroundKind[]> | undefined

  app.get('/playground', async (c) => {
    known ??= playgroundKinds()
    const playground: Playground = {
      kinds: await known,
      given: Object.entries(given).map(([name, reward]) => ({ name, asksModel: asksModel(reward) })),
    }
    return c.json(playground)
  })

  app.get('/runs/:run/samples/:position/playground', async (c) => {
    const run = await runNamed(store, c.req.param('run'))
    const position = whole(c.req.param('position'))
    const [found] = await store.runs.samples(run.id, position, position)
    if (found === undefined) throw missing('sample')
    const kind: PlaygroundKind = {
      id: 'run',
      title: found.sample.id,
      rewards: [],
      sample: await playgroundSample(found.sample, baseDirectoryOf(run)),
    }
    return c.json(kind)
  })

  app.get('/reward-types', (c) =>
    c.json([
      ...Object.keys(own ?? {}).map((name) => ({ name, description: 'a reward of your own' })),
      ...allRewardTypes().map(({ name, summary }) => ({ name, description: summary })),
    ]),
  )

  app.post('/playground/score', async (c) => {
    const { sample: given, rewards } = decoded(request, await bodyOf(c))
    const { image, prompt, output, reference, meta } = given
    const sample: Sample = {
      id: 'playground',
      prompt:
        image === undefined
          ? prompt
          : [
              {
                type: 'image',
                image: { bytes: bytesOf(image), mediaType: image.slice(5, image.indexOf(';')) },
              },
              { type: 'text', text: prompt },
            ],
      output,
      ...(reference === null ? {} : { reference: reference as Json }),
      meta: meta as JsonObject,
    }
    const answer: PlaygroundAnswer = {
      scores: await withCalls(scope, () =>
        Promise.all(rewards.map((expression) => judged(expression, sample, c.req.raw.signal, rewardOf))),
      ),
      renders: await drawings(sample),
    }
    return c.json(answer)
  })

  return app
}

async function judged(
  expression: string,
  sample: Sample,
  signal: AbortSignal,
  rewardOf: (expression: string) => Reward,
): Promise<PlaygroundAnswer['scores'][number]> {
  try {
    const reward = rewardOf(expression)
    const [low, high] = reward.range
    const limit = AbortSignal.timeout(asksModel(reward) ? modelPatience : patience)
    // A reference may name a file for a reward to read: not one of this machine.
    const [score] = await withoutImageFiles(() =>
      reward.score([sample], { signal: AbortSignal.any([signal, limit]), rng: new Rng('playground') }),
    )
    const { evidence, ...rest } = score!
    return {
      reward: expression,
      range: [bound(low), bound(high)],
      score: {
        ...rest,
        ...(evidence ? { evidence: evidence.filter(({ kind }) => kind !== 'image') } : {}),
      } as never,
    }
  } catch (error) {
    return { reward: expression, range: [null, null], score: null, problem: messageOf(error) }
  }
}

function bytesOf(dataUrl: string): Uint8Array {
  return Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64')
}

/** One flawed answer of each kind to begin with: there is something to mend. */
async function playgroundKinds(): Promise<PlaygroundKind[]> {
  const samples = await showcase({ prompts: 1, seed: 3 })
  return Promise.all(
    Object.entries(kinds).map(async ([id, { title, rewards }]) => {
      const own = samples.filter(({ meta }) => meta.kind === id)
      const flawed = own.find(({ meta }) => /^flawed/.test(String(meta.recipe))) ?? own[0]!
      return { id, title, rewards, sample: await playgroundSample(flawed) }
    }),
  )
}

/** The text of a prompt and an output, and the first picture. */
async function playgroundSample(
  { prompt, output, reference, meta }: Sample,
  baseDirectory?: string,
): Promise<PlaygroundSample> {
  const [source] = imagesOf(prompt)
  const { recipe: _, quality: __, ...rest } = meta as JsonObject
  const image =
    source &&
    (await imageDataUrl(source, {
      maxSide: pictureSide,
      ...(baseDirectory === undefined ? {} : { baseDirectory }),
    }).catch((error) => {
      if (error instanceof GuerdonError) return undefined // a picture that is not there is none
      throw error
    }))
  return {
    prompt: promptText(prompt),
    ...(image === undefined ? {} : { image }),
    output: textOf(output),
    reference: reference ?? null,
    meta: rest,
  }
}
