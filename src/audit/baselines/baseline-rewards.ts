import {
  defineBatchReward,
  defineReward,
  promptText,
  type Reward,
  Rng,
  textOf,
  unscored,
} from '../../core/index.ts'
import { type ChatMessage, isFailed, type LogProbabilityModel } from '../../models/index.ts'
import { similarity } from '../../rewards/embedding/similarity.ts'
import { jaccard } from '../../rewards/verifiable/text/jaccard.ts'
import { textLength } from '../../rewards/verifiable/text/length.ts'
import { ngramPenalty } from '../../rewards/verifiable/text/repetition.ts'
import { rougeL } from '../../rewards/verifiable/text/rouge.ts'
import { tokenise } from '../../rewards/verifiable/text/tokens.ts'
import { hashedWordEmbedder } from './hashed-words.ts'

const tokens = (text: string) => tokenise(text, 'unicode', true)

/** A reward of nothing but the output's text. */
function ofText(name: string, range: Reward['range'], value: (text: string) => number): Reward {
  return defineReward({ name, range, judge: ({ output }) => value(textOf(output)) })
}

/** A reward of the words that output and prompt share. */
function ofOverlap(
  name: string,
  value: (output: readonly string[], prompt: readonly string[]) => number,
): Reward {
  return defineReward({
    name,
    judge: ({ output, prompt }) => value(tokens(textOf(output)), tokens(promptText(prompt))),
  })
}

/** Marks of lists, emphasis, headings and code: looks of an answer without what it says. */
const marks = /^\s*(?:[-*•]|\d+[.)])\s|\*\*[^*]+\*\*|^#{1,6}\s|`[^`]+`/gm

/**
 * Rewards that understand nothing, to stand beside any that claims to: length, looks, repetition, words in common with
 * the prompt, and chance. Where one of them is as good as a judge, the benchmark does not show that the judge
 * understands.
 */
export function baselineRewards(): readonly Reward[] {
  return [
    ofText('longer', [0, Number.POSITIVE_INFINITY], (text) => textLength(text, 'characters')),
    ofText('shorter', [Number.NEGATIVE_INFINITY, 0], (text) => 0 - textLength(text, 'characters')),
    ofText('more formatting', [0, Number.POSITIVE_INFINITY], (text) => text.match(marks)?.length ?? 0),
    ofText('less repetition', [-1, 0], (text) => ngramPenalty(text, { size: 3 })),
    ofText('richer vocabulary', [0, Number.POSITIVE_INFINITY], (text) => new Set(tokens(text)).size),
    ofOverlap('words of the prompt', (output, prompt) => jaccard(output, prompt)),
    ofOverlap('ROUGE-L with the prompt', (output, prompt) => rougeL(output, prompt).f1),
    { ...similarity({ to: 'prompt' }, hashedWordEmbedder()), name: 'embedding of words' },
    defineReward({ name: 'chance', judge: ({ id }) => new Rng(`chance/${id}`).uniform() }),
  ]
}

/**
 * How likely a language model finds the output after its prompt: log-probability [nats] of the entire output (longer
 * ones lose), or by token.
 */
export function likelihood(model: LogProbabilityModel, per: 'output' | 'token'): Reward {
  return defineBatchReward({
    name: `likelihood per ${per}`,
    range: [Number.NEGATIVE_INFINITY, 0],
    needs: ['logprobs'],
    params: { model: model.id, per },
    judgeAll: async (samples, { signal }) => {
      const pairs = samples.map(({ prompt, output }) => ({
        prompt: [{ role: 'user', text: promptText(prompt) }] as readonly ChatMessage[],
        answer: textOf(output),
      }))
      const results = await model.logProbabilities(pairs, { ended: true, ...(signal ? { signal } : {}) })
      return results.map((result) => {
        if (isFailed(result)) return unscored(result.failure.code, result.failure.reason)
        const sum = result.logp.reduce((total, logp) => total + logp, 0)
        return per === 'output' ? sum : sum / result.logp.length
      })
    },
  })
}
