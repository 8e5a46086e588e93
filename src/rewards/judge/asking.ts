import {
  GuerdonError,
  type Json,
  messageOf,
  retryableCodes,
  type ScoreContext,
  type Unscored,
  type Usage,
  unscored,
} from '../../core/index.ts'
import type { ChatModel, ChatReply } from '../../models/chat-model.ts'
import { isFailed } from '../../models/outcome.ts'
import type { Bound, ChoiceModel } from '../../models/token-model.ts'
import { totalUsage } from '../usage.ts'
import type { Conversation } from './conversations.ts'

/** Turns a reply into what it says; undefined where it cannot be read. */
export interface ReplyReader<Value> {
  /** Name and options of the parser: part of the judge's identity. */
  readonly params: Json
  read(reply: string): Value | undefined
}

/** What a model said to one query, read. */
export interface Reading<Value> {
  /** One for each reply that could be read; never empty. */
  readonly votes: readonly Value[]
  readonly parts: {
    /** Share of the replies that could be read. */
    readonly parsed: number
    readonly [name: string]: number
  }
  readonly usage: Usage
  /** The first reply, in full. */
  readonly rationale?: string
}

/** A conversation with the key that its randomness depends on. */
export interface Question {
  readonly key: string
  readonly conversation: Conversation
}

/** A way of getting a verdict out of a model: by reading what it writes, or how likely it is to say yes. */
export interface Asking<Value> {
  /** Model, parser and options: part of the judge's identity. */
  readonly params: Json
  ask(questions: readonly Question[], context: ScoreContext): Promise<(Reading<Value> | Unscored)[]>
}

export interface ReplyOptions {
  /** How often each question is asked. @default 1 */
  readonly votes?: number
  /** @default 0 for one vote, 1 for several */
  readonly temperature?: number
  /** @default 1 */
  readonly topP?: number
  /** New tokens of a reply at most. @default the model's */
  readonly maxTokens?: number
}

/**
 * Asks a model and reads its replies. A vote that cannot be read, or that the model refuses to give, is left out and
 * counted in `parts.parsed`; without any the question is unscored (`unparsable`, `refused`). A call that failed in a
 * way that may pass (an outage) leaves the whole question unscored, so that trying again does not change numbers
 * silently. Each vote draws from a stream of its own (seed, question, vote).
 */
export function byReply<Value>(
  model: ChatModel,
  reader: ReplyReader<Value>,
  { votes = 1, temperature = votes === 1 ? 0 : 1, topP = 1, maxTokens }: ReplyOptions = {},
): Asking<Value> {
  if (!(Number.isSafeInteger(votes) && votes >= 1))
    throw new RangeError(`${votes} votes: ask at least once, a whole number of times`)
  return {
    params: {
      model: model.id,
      reader: reader.params,
      votes,
      temperature,
      topP,
      ...(maxTokens === undefined ? {} : { maxTokens }),
    },
    ask: async (questions, { signal, rng }) => {
      const asked = questions.flatMap(({ conversation }) => Array.from({ length: votes }, () => conversation))
      const seeds = questions.flatMap(({ key }) =>
        Array.from({ length: votes }, (_, vote) => `${rng?.seed ?? 'judge'}/${key}/${vote}`),
      )
      const replies = await attempt(questions.length * votes, signal, () =>
        model.chat(asked, {
          temperature,
          topP,
          // Greedy replies do not depend on a seed, and equal questions are to be asked once.
          ...(temperature === 0 ? {} : { seed: seeds }),
          ...(maxTokens === undefined ? {} : { maxTokens }),
          ...(signal === undefined ? {} : { signal }),
        }),
      )
      return questions.map((_, index) => readingOf(replies.slice(index * votes, (index + 1) * votes), reader))
    },
  }
}

function readingOf<Value>(
  replies: readonly (ChatReply | Unscored)[],
  reader: ReplyReader<Value>,
): Reading<Value> | Unscored {
  const read: Value[] = []
  const usage = totalUsage(replies.map((reply) => reply.usage))
  let rationale: string | undefined
  let declined: Unscored | undefined
  for (const reply of replies) {
    const failure = 'code' in reply ? reply : reply.failure
    if (failure) {
      const outcome = unscored(failure.code, failure.reason, { usage })
      if (retryableCodes.has(failure.code)) return outcome
      declined ??= outcome
      continue
    }
    const { text } = reply as Extract<ChatReply, { text: string }>
    rationale ??= text
    const value = reader.read(text)
    if (value !== undefined) read.push(value)
  }
  const parsed = read.length / replies.length
  if (read.length > 0)
    return { votes: read, parts: { parsed }, usage, ...(rationale === undefined ? {} : { rationale }) }
  if (rationale === undefined && declined) return declined
  const cut = replies.some((reply) => 'finish' in reply && reply.finish === 'length')
  return unscored(
    'unparsable',
    `the judge's reply holds no verdict that can be read${cut ? ' (it was cut off)' : ''}`,
    { parts: { parsed: 0 }, usage, rationale: rationale ?? '' },
  )
}

export interface ProbabilityOptions {
  /** Words that say yes; their probabilities are added up. @default yes in both cases, with and without a space */
  readonly yes?: readonly string[]
  /** Words that say no. @default no, as above */
  readonly no?: readonly string[]
  /**
   * `full`: the share of yes among all that the model might say; `two-way`: among yes and no only. They differ, and
   * are not to be mixed. @default 'two-way'
   */
  readonly normalise?: 'full' | 'two-way'
  /**
   * Where the model shows its likeliest tokens only, a probability is known up to a bound. Bounds wider than this are
   * unscored; of narrower ones the middle counts. @default 0.05
   */
  readonly widestBound?: number
}

const yesWords = ['yes', 'Yes', 'YES', ' yes', ' Yes'] as const
const noWords = ['no', 'No', 'NO', ' no', ' No'] as const

/**
 * Asks how likely a model is to begin its reply with yes: one forward pass, no generation. The vote is that probability,
 * in [0, 1]; `parts.yesLeast` and `parts.yesMost` bound it where the model shows only its likeliest tokens.
 */
export function byProbability(
  model: ChoiceModel,
  { yes = yesWords, no = noWords, normalise = 'two-way', widestBound = 0.05 }: ProbabilityOptions = {},
): Asking<number> {
  return {
    params: { model: model.id, yes, no, normalise, widestBound },
    ask: async (questions, { signal }) => {
      const found = await attempt(questions.length, signal, () =>
        model.choices(
          questions.map(({ conversation }) => conversation),
          { yes, no },
          signal === undefined ? {} : { signal },
        ),
      )
      const way = normalise === 'full' ? 'full' : 'among'
      return found.map((outcome): Reading<number> | Unscored => {
        if ('code' in outcome) return outcome
        const usage = outcome.usage ?? {}
        if (isFailed(outcome)) return unscored(outcome.failure.code, outcome.failure.reason, { usage })
        const bound: Bound | undefined = outcome.bounds?.[way].yes
        if (bound === undefined) return { votes: [outcome[way].yes], parts: { parsed: 1 }, usage }
        const [yesLeast, yesMost] = bound
        const parts = { parsed: 1, yesLeast, yesMost }
        if (yesMost - yesLeast > widestBound)
          return unscored(
            'unparsable',
            `the probability of yes is only known to lie between ${yesLeast} and ${yesMost}`,
            { parts: { ...parts, parsed: 0 }, usage },
          )
        return { votes: [(yesLeast + yesMost) / 2], parts, usage }
      })
    },
  }
}

/** Results of one call, or the reason why there are none for each item: a model that rejects loses nothing silently. */
async function attempt<Result>(
  count: number,
  signal: AbortSignal | undefined,
  call: () => Promise<readonly Result[]>,
): Promise<readonly (Result | Unscored)[]> {
  const failed = (score: Unscored) => Array.from({ length: count }, () => score)
  if (count === 0) return []
  if (signal?.aborted) return failed(unscored('cancelled', 'cancelled before the judge was asked'))
  try {
    const results = await call()
    if (results.length === count) return results
    return failed(unscored('crashed', `the model gave ${results.length} results for ${count} questions`))
  } catch (error) {
    if (signal?.aborted) return failed(unscored('cancelled', 'cancelled while the judge was asked'))
    // A setting that is wrong (a model that cannot do this, weights that are not there) is no outage.
    const code = error instanceof GuerdonError ? 'crashed' : 'outage'
    return failed(unscored(code, `the model failed: ${messageOf(error)}`))
  }
}
