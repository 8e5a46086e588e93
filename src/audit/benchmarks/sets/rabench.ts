import type { Json, Sample } from '../../../core/index.ts'
import { isObject } from '../../../core/index.ts'
import { text } from '../../../worlds/index.ts'
import {
  type BenchmarkItem,
  type BenchmarkSpec,
  defineBenchmark,
  type GenerateOptions,
  type ListItem,
} from '../benchmark.ts'

/** Each list is worth the share of its pairs in order; lists count alike. Kendall's tau and NDCG stand beside it. */
const rules: Pick<BenchmarkSpec, 'kind' | 'chance' | 'aggregation'> = {
  kind: 'list',
  chance: 0.5,
  aggregation: { top: 'pooled' },
}

/** A list of answers judged under a principle: prompt and principle are what is asked. */
function principleItem(
  id: string,
  subset: string,
  parts: {
    readonly principle: string
    readonly prompt: string
    readonly answers: readonly string[]
    readonly gold: readonly number[]
    readonly reference?: Json
  },
): ListItem {
  const { principle, prompt, answers, gold } = parts
  const candidates = answers.map(
    (output, index): Sample => ({ id: `${id}#${index}`, group: id, prompt, output, meta: { principle } }),
  )
  return { kind: 'list', id, subset, cluster: principle, candidates, gold, meta: { principle } }
}

/**
 * Answers ranked under a principle in plain words (`meta.principle` of every sample). Judges that cannot read a
 * principle may be run as they are: they show what taste alone gets. The names of the data's fields are unverified;
 * rows of principle, prompt (or query), responses and scores or best-to-worst are read.
 */
export const rabench = defineBenchmark({
  name: 'rabench',
  title: 'RABench',
  source: 'arXiv 2506.03637',
  summary: 'Ranks answers by a principle given in plain words.',
  ...rules,
  hub: ['hf://zhuohaoyu/RABench/test'],
  read: (row) => {
    const { responses, scores } = row.record
    if (!isObject(responses)) throw row.problem('responses', 'is not an object of answers by name.')
    const names = Object.keys(responses)
    const ranking = row.has('best-to-worst') ? row.texts('best-to-worst') : undefined
    const gold = names.map((name) =>
      isObject(scores) && typeof scores[name] === 'number' ? scores[name] : -(ranking?.indexOf(name) ?? 0),
    )
    return [
      principleItem(row.id(), typeof row.record.domain === 'string' ? row.record.domain : 'all', {
        principle: row.text('principle'),
        prompt: row.text(row.has('prompt') ? 'prompt' : 'query'),
        answers: names.map((name) => String(responses[name])),
        gold,
      }),
    ]
  },
})

/** Lists of the text world under principles with negation, weights and priority; gold scores by program. */
export const textPrinciples = defineBenchmark({
  name: 'text-principles',
  title: 'Text world: lists under principles',
  source: 'generated, after RABench',
  summary: 'Ranks answers by a principle given in a sentence, also by principles not seen in training.',
  ...rules,
  generate: principleLists,
})

/** `size` lists each under principles of the training split and under unseen ones. */
function* principleLists({ seed = 0, size = 100 }: GenerateOptions): Generator<BenchmarkItem> {
  for (const split of ['train', 'unseen'] as const)
    for (let index = 0; index < size; index++) {
      const list = text.principleList(`benchmark/${seed}/${split}`, index, { split })
      yield principleItem(`${split}/${index}`, split, {
        principle: text.textVocabulary.join(text.principleTokens(list.principle)),
        prompt: text.textVocabulary.join(text.promptTokens(list.instruction)),
        answers: list.answers.map((tokens) => text.textVocabulary.join(tokens)),
        gold: list.scores,
      })
    }
}
