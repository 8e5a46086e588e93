import type { Usage } from '../core/index.ts'
import type { ChatMessage } from './chat-model.ts'
import type { Outcome } from './outcome.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * How likely a model's answer is to begin with one of a few choices. Capabilities are types of their own, so that a
 * reward cannot be given a model that lacks one. All logarithms are natural.
 */
export interface ChoiceModel {
  /** Names the model and its weights; part of the identity of every reward that uses it. */
  readonly id: string
  /**
   * For each conversation, how likely it is that the answer begins with each choice: the probabilities of a choice's
   * variants ("yes", "true") are added up. A variant that continues another of its choice adds nothing.
   */
  choices<Choice extends string>(
    conversations: readonly (readonly ChatMessage[])[],
    variants: Readonly<Record<Choice, readonly string[]>>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly Outcome<ChoiceProbabilities<Choice>>[]>
}

/** How likely a model finds given answers. */
export interface LogProbabilityModel {
  /** Names the model and its weights; part of the identity of every reward that uses it. */
  readonly id: string
  /**
   * Log-probabilities of given answers. Each is scored as it stands; `ended` adds the token that ends an answer.
   */
  logProbabilities(
    pairs: readonly GivenAnswer[],
    options?: { readonly ended?: boolean; readonly signal?: AbortSignal },
  ): Promise<readonly Outcome<TokenScores>[]>
}

/** A model that is decoded token by token. */
export interface StepModel {
  /** Names the model and its weights; part of the identity of every reward that uses it. */
  readonly id: string
  readonly tokenizer: Tokenizer
  /** The token that ends an answer. */
  readonly end: number
  /** Reads conversations and stands before their answers' first tokens. */
  open(conversations: readonly (readonly ChatMessage[])[], options?: OpenOptions): Promise<TokenView>
}

/** A model whose probabilities can be read in every way; endpoints offer some of them only. */
export interface TokenModel extends ChoiceModel, LogProbabilityModel, StepModel {}

export interface GivenAnswer {
  readonly prompt: readonly ChatMessage[]
  /** Text, or token ids. */
  readonly answer: string | readonly number[]
}

export interface TokenScores {
  /** Of each token given the prompt and the tokens before it [nats]. */
  readonly logp: Float32Array
  /** Ids of the tokens, where the model tells. */
  readonly tokens?: readonly number[]
  /** Texts of the tokens, where the model tells. */
  readonly texts?: readonly string[]
  readonly usage?: Usage
}

export interface ChoiceProbabilities<Choice extends string = string> {
  /** Of each choice among all that the model might say; they sum to at most 1. With `bounds`: what was seen of it. */
  readonly full: Readonly<Record<Choice, number>>
  /** Among the choices alone; they sum to 1. With `bounds`: of what was seen. */
  readonly among: Readonly<Record<Choice, number>>
  /** Present where the model showed its likeliest tokens only: between which limits the true probabilities are. */
  readonly bounds?: ChoiceBounds<Choice>
  readonly usage?: Usage
}

export interface ChoiceBounds<Choice extends string = string> {
  readonly full: Readonly<Record<Choice, Bound>>
  readonly among: Readonly<Record<Choice, Bound>>
}

export type Bound = readonly [least: number, most: number]

export interface OpenOptions {
  /** Blocks (from 0) whose hidden states of the newest token are wanted. @default none */
  readonly taps?: readonly number[]
  readonly signal?: AbortSignal
}

/**
 * A batch of answers in the making, with a cache of its own. It never changes: `append` gives a new view and leaves
 * this one as it was, so that one view may be continued in many ways.
 */
export interface TokenView {
  readonly rows: number
  /** Of the next token, before the softmax: for each row a Float32Array over the vocabulary. */
  readonly logits: readonly Float32Array[]
  /** For each tap and row, the hidden state of the newest token. */
  readonly hidden: readonly (readonly Float32Array[])[]
  /** One more token for each row. */
  append(tokens: readonly number[]): Promise<TokenView>
  /** The rows chosen, in that order; a row may be repeated. */
  select(rows: readonly number[]): Promise<TokenView>
}

/**
 * Probabilities of choices from log-probabilities of their variants [nats]. Where nothing has any probability, the
 * choices are equally likely among themselves. Throws a `RangeError` without choices, or for a choice without variants.
 */
export function choiceProbabilities<Choice extends string>(
  variants: Readonly<Record<Choice, readonly number[]>>,
): ChoiceProbabilities<Choice> {
  const entries = Object.entries(variants) as [Choice, readonly number[]][]
  if (entries.length === 0 || entries.some(([, logps]) => logps.length === 0))
    throw new RangeError('a choice needs at least one variant')
  // relative to the likeliest, so that long answers do not vanish
  const top = Math.max(...entries.flatMap(([, logps]) => logps))
  const relative = (logp: number) => (top === Number.NEGATIVE_INFINITY ? 1 : Math.exp(logp - top))
  const sums = entries.map(([, logps]) => logps.reduce((sum, logp) => sum + relative(logp), 0))
  const all = sums.reduce((a, b) => a + b)
  const record = (values: readonly number[]) =>
    Object.fromEntries(entries.map(([choice], index) => [choice, values[index]!])) as Record<Choice, number>
  return {
    full: record(
      entries.map(([, logps]) =>
        Math.min(
          1,
          logps.reduce((sum, logp) => sum + Math.exp(logp), 0),
        ),
      ),
    ),
    among: record(sums.map((sum) => sum / all)),
  }
}

/** Log-probabilities of the next token, one array for each row of logits [nats]. */
export function logSoftmax(logits: Float32Array): Float32Array {
  let top = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > top) top = logit
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - top)
  const shift = top + Math.log(sum)
  return logits.map((logit) => logit - shift)
}
