import { unscored } from '../../core/index.ts'
import type { ChatMessage } from '../../models/chat-model.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { Role } from './iterative.ts'
import type { PolicyJudge } from './policy-training.ts'
import type { Draft } from './rollouts.ts'

export interface LikelihoodJudgeOptions {
  /** Whose likelihood. @default 'current' */
  readonly of?: Role
  /** Over whose, as a log-ratio; none for the likelihood itself. @default 'initial' */
  readonly over?: Role | 'none' | { readonly name: string; readonly parameters: Tree<Tensor> }
  /** The sum over a response's tokens, or their mean. @default 'sum' */
  readonly tokens?: 'sum' | 'mean'
}

/**
 * Judges responses by how much likelier the policy finds them than other parameters of its do: log p - log p0 [nats],
 * the reward that direct preference optimisation implies but for its factor beta.
 */
export function likelihoodJudge({
  of = 'current',
  over = 'initial',
  tokens = 'sum',
}: LikelihoodJudgeOptions = {}): PolicyJudge {
  return {
    name: `likelihood of ${of}${over === 'none' ? '' : ` over ${typeof over === 'string' ? over : over.name}`}`,
    at:
      ({ policy, checkpoints }) =>
      async (drafts) => {
        const own = await policy.score(checkpoints.named(of), drafts)
        const other =
          over === 'none'
            ? undefined
            : await policy.score(typeof over === 'string' ? checkpoints.named(over) : over.parameters, drafts)
        return drafts.map(({ response }, row) => {
          const total = sum(own[row]!) - (other === undefined ? 0 : sum(other[row]!))
          return { value: tokens === 'sum' ? total : total / response.length }
        })
      },
  }
}

export interface SelfJudgeOptions {
  /** How the policy is asked to judge a response. */
  readonly conversation: (draft: Draft) => readonly ChatMessage[]
  /** What each reply is worth; each must be one token of the policy, or its first tokens must differ. */
  readonly worth: Readonly<Record<string, number>>
  /** Which parameters judge. @default 'current' */
  readonly by?: Role
}

/**
 * The policy as its own judge: the expected worth of its reply, over the probabilities of the replies' first tokens
 * among themselves. Graded where a sampled reply would tie.
 */
export function selfJudge({ conversation, worth, by = 'current' }: SelfJudgeOptions): PolicyJudge {
  const replies = Object.entries(worth)
  return {
    name: `self-judge (${by})`,
    at:
      ({ policy, checkpoints }) =>
      async (drafts) => {
        const firsts = replies.map(([reply]) => policy.encode(reply)[0]!)
        const prompts = await Promise.all(drafts.map((draft) => policy.promptOf(conversation(draft))))
        const next = await policy.next(checkpoints.named(by), prompts)
        return drafts.map((_, row) => {
          const own = firsts.map((token) => next[row]![token]!)
          const highest = Math.max(...own)
          const weights = own.map((value) => Math.exp(value - highest))
          const value =
            weights.reduce((total, weight, index) => total + weight * replies[index]![1], 0) / sum(weights)
          return Number.isFinite(value)
            ? { value }
            : unscored('crashed', 'the policy gives its replies no probability')
        })
      },
  }
}

function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let index = 0; index < values.length; index++) total += values[index]!
  return total
}
