import {
  identityOf,
  type Json,
  type Need,
  type Sample,
  type ScoreContext,
  type Turns,
  type Unscored,
} from '../../core/index.ts'
import type { ImageOptions } from '../../data/images.ts'
import type { Asking, Question, Reading } from './asking.ts'
import { conversationsOf, isConversation } from './conversations.ts'
import { type CriterionOf, criterionFromMeta } from './criterion.ts'
import type { Fence } from './fence.ts'
import { type JudgePrompt, type Material, type Query, renderQuery } from './judge-prompt.ts'

/** What all judges take. */
export interface JudgeOptions<Value> {
  readonly name: string
  /** @default '1' */
  readonly version?: string
  readonly description?: string
  readonly prompt: JudgePrompt
  /** How the model is asked and its verdict read. */
  readonly ask: Asking<Value>
  /** @default each row's own (`criterionFromMeta`) */
  readonly criterion?: CriterionOf
  /** Further fields of the prompt. */
  readonly material?: (sample: Sample) => Readonly<Record<string, Material | undefined>>
  /** @default 'coded' */
  readonly fence?: Fence
  /** How images are read: folder of relative paths, whether URLs are fetched. */
  readonly images?: ImageOptions
  /** @default chat */
  readonly needs?: readonly Need[]
  /** What else sets this judge apart: options that `criterion` or `material` close over. */
  readonly params?: { readonly [name: string]: Json | undefined }
}

/** A question about samples: the key of its randomness, whose criterion it is, and what is shown. */
export interface Ask {
  readonly key: string
  readonly sample: Sample
  readonly material: Readonly<Record<string, Material | undefined>>
}

/** Asks everything at once: renders, loads images, calls the model, reads. One result for each, in order. */
export async function askAll<Value>(
  asks: readonly Ask[],
  options: JudgeOptions<Value>,
  context: ScoreContext,
): Promise<(Reading<Value> | Unscored)[]> {
  const { prompt, ask, criterion = criterionFromMeta, material, fence = 'coded', images } = options
  const queries = asks.map(
    ({ sample, material: own }): Query =>
      renderQuery(prompt, {
        criterion: typeof criterion === 'function' ? criterion(sample) : criterion,
        material: {
          prompt: sample.prompt,
          reference: referenceTurns(sample.reference),
          ...material?.(sample),
          ...own,
        },
        fence,
      }),
  )
  const conversations = await conversationsOf(queries, {
    ...images,
    ...(context.signal ? { signal: context.signal } : {}),
  })
  const results: (Reading<Value> | Unscored)[] = []
  const questions: Question[] = []
  const places: number[] = []
  for (const [index, conversation] of conversations.entries())
    if (isConversation(conversation)) {
      questions.push({ key: asks[index]!.key, conversation })
      places.push(index)
    } else results[index] = conversation
  const readings = await ask.ask(questions, context)
  for (const [position, index] of places.entries()) results[index] = readings[position]!
  return results
}

/** A gold answer as material: text as it is, anything else as JSON. */
function referenceTurns(reference: Json | undefined): Turns | undefined {
  if (reference === undefined || reference === null) return undefined
  return typeof reference === 'string' ? reference : JSON.stringify(reference)
}

/** What sets a judge apart from others of its name: model, parser, words, order, criterion, options. */
export function judgeParams<Value>(
  { prompt, ask, criterion, fence = 'coded', params = {} }: JudgeOptions<Value>,
  own: { readonly [name: string]: Json } = {},
): Json {
  return {
    prompt: { version: prompt.version, words: identityOf(prompt) },
    ask: ask.params,
    fence,
    ...(typeof criterion === 'object' ? { criterion: { ...criterion } } : {}),
    ...own,
    ...params,
  }
}

export function isRead<Value>(reading: Reading<Value> | Unscored): reading is Reading<Value> {
  return 'votes' in reading
}
