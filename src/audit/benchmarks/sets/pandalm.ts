import { cohenKappa } from '../../../stats/index.ts'
import { type BenchmarkFiles, defineBenchmark } from '../benchmark.ts'
import { pairItem } from '../items.ts'
import { type PublishedCheck, publishedCheck } from '../published.ts'
import { choiceOf } from '../verdicts-in-both-orders.ts'

/** Three annotators, ties allowed; the label is what two of them say, a tie where all differ. */
export const pandalm = defineBenchmark({
  name: 'pandalm',
  title: 'PandaLM test set',
  source: 'arXiv 2306.05087',
  summary: 'Agrees with the majority of three people on which of two answers is better, or that neither is.',
  kind: 'preference',
  folder: 'pandalm-testset',
  files: { items: ['pairs.jsonl'], labels: ['labels-all.jsonl'] },
  how: 'The test set is in the repository WeOpenML/PandaLM (data/testset-v1.json); every row is a pair with annotator1 to annotator3.',
  read: ({ record }) => [
    pairItem({
      id: String(record.idx),
      subset: 'PandaLM',
      prompt: [record.instruction, record.input].filter(Boolean).join('\n'),
      // Some responses are JSON booleans in the published file.
      a: String(record.response1),
      b: String(record.response2),
      label: choiceOf(majorityOfThree(votesOf(record))) ?? 0,
    }),
  ],
  aggregation: { top: 'pooled', labelTies: 'match', ties: 'wrong' },
  recompute,
})

function votesOf(record: Readonly<Record<string, unknown>>): readonly [number, number, number] {
  return [Number(record.annotator1), Number(record.annotator2), Number(record.annotator3)]
}

/** The value that two or more share, 0 when there is none. */
function majorityOfThree([a, b, c]: readonly [number, number, number]): number {
  return a === b || a === c ? a : b === c ? b : 0
}

async function recompute(files: BenchmarkFiles): Promise<PublishedCheck[]> {
  const votes: (readonly [number, number, number])[] = []
  for await (const { record } of files.rows('labels')) votes.push(votesOf(record))
  const labels = votes.map(majorityOfThree)
  const count = (label: number) => labels.filter((each) => each === label).length
  const kappa = (i: number, j: number) =>
    cohenKappa(
      votes.map((each) => each[i]!),
      votes.map((each) => each[j]!),
    )!.kappa!
  const printed = [
    ['ties', 105, count(0), 0],
    ['first better', 422, count(1), 0],
    ['second better', 472, count(2), 0],
    ['kappa 1-2', 0.85, kappa(0, 1), 0.005],
    ['kappa 1-3', 0.88, kappa(0, 2), 0.005],
    ['kappa 2-3', 0.86, kappa(1, 2), 0.005],
  ] as const
  return printed.map(([measure, published, recomputed, tolerance]) =>
    publishedCheck({ benchmark: 'pandalm', row: 'annotators', measure, published, recomputed, tolerance }),
  )
}
