import {
  type ImageSource,
  type Json,
  type Part,
  Rng,
  type ScoreContext,
  type Unscored,
  type Usage,
  unscored,
} from '../../core/index.ts'
import type { ImageOptions } from '../../data/images.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import { mean, standardDeviation } from '../../stats/moments.ts'
import { totalUsage } from '../usage.ts'
import { withoutThoughts } from '../verifiable/extract/asides.ts'
import { byReply, type Reading, type ReplyOptions, type ReplyReader } from './asking.ts'
import { conversationsOf, isConversation } from './conversations.ts'
import type { Fence } from './fence.ts'
import { type JudgePrompt, type Material, renderQuery } from './judge-prompt.ts'

/** Frames whose progress is known, shown to the judge first. */
export interface ProgressExample {
  readonly task?: string
  readonly frames: readonly ImageSource[]
  /** In [0, 1], one for each frame. @default t / (T - 1): a demonstration that succeeds */
  readonly progress?: readonly number[]
}

export interface ProgressJudgeOptions {
  readonly model: ChatModel
  /** Has the fields `task`, `examples`, `start` and `frames`. */
  readonly prompt: JudgePrompt
  /** How the frames after the first are shown: `chronological` is the control that invites a ramp. @default 'shuffled' */
  readonly order?: 'shuffled' | 'chronological'
  /** How often an order whose reply cannot be read is replaced by another one. @default 2 */
  readonly attempts?: number
  readonly reply?: Omit<ReplyOptions, 'votes'>
  readonly fence?: Fence
  readonly images?: ImageOptions
}

export interface ProgressRequest {
  readonly frames: readonly ImageSource[]
  readonly task: string
  /** Examples to learn from in context; their frames are shuffled as well. @default none */
  readonly context?: readonly ProgressExample[]
  /** Over how many orders the values are averaged. @default 1 */
  readonly shuffles?: number
  /** What the orders depend on. @default 0 */
  readonly seed?: string | number
}

export interface ProgressValues {
  /** In order of time, in [0, 1]. The first frame is the anchor: 0 by definition, shown but not judged. */
  readonly values: readonly number[]
  /** Standard deviation (n) of each value over the orders; 0 for one. */
  readonly spread: readonly number[]
  /** Share of the replies that could be read, those asked again included. */
  readonly parsed: number
  readonly usage: Usage
  /** The first reply that could be read, its frames in the order shown. */
  readonly rationale?: string
}

/** Estimates how much of a task each frame of an episode has done. */
export interface ProgressJudge {
  readonly params: Json
  values(
    frames: readonly ImageSource[],
    task: string,
    options?: Omit<ProgressRequest, 'frames' | 'task'> & { readonly signal?: AbortSignal },
  ): Promise<ProgressValues | Unscored>
  /** Many episodes, in one call for each round of attempts. */
  valuesOfAll(
    requests: readonly ProgressRequest[],
    context?: ScoreContext,
  ): Promise<(ProgressValues | Unscored)[]>
}

/** One order in which the frames of an episode are shown, until it is read. */
interface Showing {
  readonly request: ProgressRequest
  readonly shuffle: number
  order: readonly number[]
  /** Percentages in the order of time, after the anchor. */
  percentages?: readonly number[]
  rationale?: string
  failure?: Unscored
  asked: number
  usage: Usage
}

/**
 * Asks for the values of all frames in one reply, so that they agree with each other; the first frame stands first as the
 * anchor with progress 0, the others in random order, so that each must be judged by what it shows. A reply must give
 * every frame one percentage from 0 to 100.
 *
 * @source GVL, arXiv 2411.04549
 */
export function progressJudge(options: ProgressJudgeOptions): ProgressJudge {
  const { model, prompt, order = 'shuffled', attempts = 2, reply = {}, fence = 'coded', images } = options
  const asking = byReply(model, percentageReader, reply)

  const queryOf = ({ request, order: shown, shuffle }: Showing) => {
    const { frames, task, context = [], seed = 0 } = request
    const examples = context.flatMap((example, index) => {
      const rng = new Rng(`progress/${seed}/${shuffle}/example ${index}`)
      const places =
        order === 'shuffled' ? rng.shuffled([...example.frames.keys()]) : [...example.frames.keys()]
      return places.map((place, position) => ({
        name: `example ${index + 1}${example.task === undefined ? '' : ` (${example.task})`}, frame ${position + 1}: ${percentOf(example, place)} percent`,
        turns: imageTurns(example.frames[place]!),
      }))
    })
    const material: Record<string, Material | undefined> = {
      task,
      examples: examples.length === 0 ? undefined : { list: examples },
      start: imageTurns(frames[0]!),
      frames: {
        list: shown.map((place, index) => ({
          name: `frame ${index + 1}`,
          turns: imageTurns(frames[place]!),
        })),
      },
    }
    return renderQuery(prompt, { material, fence })
  }

  const valuesOfAll: ProgressJudge['valuesOfAll'] = async (requests, context = {}) => {
    const showings = requests.flatMap((request): Showing[] =>
      request.frames.length < 2
        ? []
        : Array.from({ length: request.shuffles ?? 1 }, (_, shuffle) => ({
            request,
            shuffle,
            order: [],
            asked: 0,
            usage: {},
          })),
    )
    for (let attempt = 0; attempt < Math.max(1, attempts); attempt++) {
      const open = showings.filter(
        ({ percentages, failure }) =>
          percentages === undefined && (failure === undefined || failure.code === 'unparsable'),
      )
      if (open.length === 0) break
      for (const showing of open) {
        const { request, shuffle } = showing
        const later = request.frames.slice(1).map((_, index) => index + 1)
        const rng = new Rng(`progress/${request.seed ?? 0}/${shuffle}/${attempt}`)
        showing.order = order === 'shuffled' ? rng.shuffled(later) : later
      }
      const conversations = await conversationsOf(open.map(queryOf), {
        ...images,
        ...(context.signal ? { signal: context.signal } : {}),
      })
      const asked = open.flatMap((showing, index) => {
        const conversation = conversations[index]!
        if (isConversation(conversation)) return [{ showing, conversation }]
        showing.failure = conversation
        return []
      })
      const readings = await asking.ask(
        asked.map(({ showing: { request, shuffle }, conversation }) => ({
          key: `${requests.indexOf(request)}/${request.seed ?? 0}/${shuffle}/${attempt}`,
          conversation,
        })),
        context,
      )
      for (const [index, { showing }] of asked.entries()) note(showing, readings[index]!)
    }
    return requests.map((request) => {
      if (request.frames.length < 2)
        return unscored('not-applicable', 'an episode needs a first frame and at least one more')
      return valuesOf(
        request.frames.length,
        showings.filter((showing) => showing.request === request),
      )
    })
  }

  return {
    params: {
      prompt: prompt.version,
      ask: asking.params,
      order,
      attempts,
      fence,
    },
    values: async (frames, task, { signal, ...rest } = {}) =>
      (await valuesOfAll([{ frames, task, ...rest }], signal ? { signal } : {}))[0]!,
    valuesOfAll,
  }
}

interface FramePercentage {
  /** From 1, in the order shown. */
  readonly frame: number
  readonly percentage: number
}

/** Lines such as "frame 3: the arm is above the cup, 40 percent": the number of the frame, and the last percentage. */
export const percentageReader: ReplyReader<readonly FramePercentage[]> = {
  params: 'frame percentages',
  read: (reply) => {
    const found: FramePercentage[] = []
    for (const line of withoutThoughts(reply).split('\n')) {
      const frame = /\bframe\s*#?(\d{1,4})\b/i.exec(line)
      if (frame === null) continue
      const rest = line.slice(frame.index + frame[0].length)
      const last = [...rest.matchAll(/(-?\d+(?:\.\d+)?)\s*(?:%|per ?cent)/gi)].at(-1)
      if (last !== undefined) found.push({ frame: Number(frame[1]), percentage: Number(last[1]) })
    }
    return found.length === 0 ? undefined : found
  },
}

function note(showing: Showing, reading: Reading<readonly FramePercentage[]> | Unscored): void {
  showing.asked++
  showing.usage = totalUsage([showing.usage, reading.usage])
  if ('code' in reading) {
    showing.failure = reading
    return
  }
  const percentages = inOrderOfTime(reading.votes[0]!, showing.order)
  if (percentages !== undefined) {
    showing.percentages = percentages
    if (reading.rationale !== undefined) showing.rationale = reading.rationale
  } else
    showing.failure = unscored(
      'unparsable',
      `the judge did not give each of the ${showing.order.length} frames one percentage from 0 to 100`,
      reading.rationale === undefined ? {} : { rationale: reading.rationale },
    )
}

/** Percentages by the frames' places in time (the anchor left out); undefined unless every frame has exactly one. */
export function inOrderOfTime(
  given: readonly FramePercentage[],
  order: readonly number[],
): readonly number[] | undefined {
  if (given.length !== order.length) return undefined
  const byPlace = new Map<number, number>()
  for (const { frame, percentage } of given) {
    const place = order[frame - 1]
    if (place === undefined || !(percentage >= 0 && percentage <= 100)) return undefined
    byPlace.set(place, percentage)
  }
  if (byPlace.size !== order.length) return undefined
  return [...byPlace].sort(([a], [b]) => a - b).map(([, percentage]) => percentage)
}

function valuesOf(length: number, showings: readonly Showing[]): ProgressValues | Unscored {
  const usage = totalUsage(showings.map((showing) => showing.usage))
  const read = showings.flatMap(({ percentages }) => (percentages === undefined ? [] : [percentages]))
  const asked = showings.reduce((sum, showing) => sum + showing.asked, 0)
  const parsed = asked === 0 ? 0 : read.length / asked
  const failure = showings.find(({ percentages }) => percentages === undefined)?.failure
  if (failure !== undefined) return { ...failure, usage, parts: { parsed } }
  const at = (place: number) => read.map((percentages) => percentages[place]! / 100)
  const places = Array.from({ length: length - 1 }, (_, place) => place)
  const rationale = showings.find((showing) => showing.rationale !== undefined)?.rationale
  return {
    values: [0, ...places.map((place) => mean(at(place))!)],
    spread: [0, ...places.map((place) => standardDeviation(at(place), { ddof: 0 })!)],
    parsed,
    usage,
    ...(rationale === undefined ? {} : { rationale }),
  }
}

function imageTurns(image: ImageSource): Part[] {
  return [{ type: 'image', image }]
}

function percentOf({ frames, progress }: ProgressExample, place: number): number {
  return Math.round(100 * (progress?.[place] ?? place / Math.max(1, frames.length - 1)))
}
