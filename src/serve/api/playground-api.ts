import { Hono } from 'hono'
import { z } from 'zod'
import { type Json, type JsonObject, messageOf, type Reward, Rng, type Sample } from '../../core/index.ts'
import { withoutImageFiles } from '../../data/image-files.ts'
import { imageDataUrl } from '../../data/images.ts'
import { allRewardTypes, resolveReward } from '../../methods/resolve.ts'
import { type ShowcaseKind, showcase } from '../../worlds/showcase.ts'
import { decoded } from '../json-body.ts'
import type { ServeApp, ServeEnv } from '../protocol.ts'
import type { ApiContext } from './api.ts'
import { bodyOf } from './body.ts'
import { bound } from './runs-api.ts'
import { drawings } from './shown-sample.ts'
import type { PlaygroundAnswer, PlaygroundKind, PlaygroundSample } from './wire.ts'

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
  rewards: z.array(z.string().min(1).max(2000)).max(12),
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
/** What a reward may need that is there: nothing that asks a model. */
const atHand: ReadonlySet<string> = new Set(['reference', 'images', 'group', 'step'])

/** A sample of one's own and what every reward says of it, part by part. */
export function playgroundApi({ own }: ApiContext): ServeApp {
  const app = new Hono<ServeEnv>()
  const made = new Map<string, Reward>()
  const rewardOf = (expression: string): Reward => {
    let reward = made.get(expression)
    if (reward === undefined) {
      reward = resolveReward(expression, own)
      if (made.size >= 100) made.delete(made.keys().next().value!)
      made.set(expression, reward)
    }
    return reward
  }
  let known: Promise<readonly PlaygroundKind[]> | undefined

  app.get('/playground', async (c) => {
    known ??= playgroundKinds()
    return c.json(await known)
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
    const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(patience)])
    const answer: PlaygroundAnswer = {
      scores: await Promise.all(rewards.map((expression) => judged(expression, sample, signal, rewardOf))),
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
    const asked = reward.needs.filter((need) => !atHand.has(need))
    if (asked.length > 0)
      return {
        reward: expression,
        range: [null, null],
        score: null,
        problem: `it asks a model (${asked.join(', ')}), which costs with every key: score a file with it instead`,
      }
    // A reference may name a file for a reward to read: not one of this machine.
    const [score] = await withoutImageFiles(() =>
      reward.score([sample], { signal, rng: new Rng('playground') }),
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

async function playgroundSample({ prompt, output, reference, meta }: Sample): Promise<PlaygroundSample> {
  const parts = typeof prompt === 'string' ? [{ type: 'text' as const, text: prompt }] : prompt
  let text = ''
  let image: PlaygroundSample['image']
  for (const part of parts) {
    if (!('type' in part)) continue
    if (part.type === 'text') text += part.text
    if (part.type === 'image' && part.image) image = await imageDataUrl(part.image)
  }
  const { recipe: _, quality: __, ...rest } = meta as JsonObject
  return {
    prompt: text,
    ...(image === undefined ? {} : { image }),
    output: String(output),
    reference: reference ?? null,
    meta: rest,
  }
}
