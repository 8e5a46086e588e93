import type { JudgeAudit } from '../audit/attacks/audit-judge.ts'
import type { ItemResult } from '../audit/benchmarks/index.ts'
import type { Html } from '../audit/report/html.ts'
import { type PairCardOptions, pairCard } from '../audit/report/pair-card.ts'
import type { SampleViewOptions } from '../audit/report/sample-view.ts'
import { figure } from '../stats/figure.ts'
import type { BenchmarkAudit } from './audit.ts'

type Picture = SampleViewOptions['picture']

/** The items on which the judge was surest while wrong, the benchmarks in turn. */
export async function benchmarkCases(
  benchmarks: readonly BenchmarkAudit[],
  most: number,
  picture: Picture,
): Promise<Html[]> {
  const cards: Html[] = []
  for (const { benchmark, result } of benchmarks) {
    const wrong = result.rows
      .filter((row): row is ItemResult & { margin: number } => row.margin !== null && row.margin < 0)
      .sort((a, b) => a.margin - b.margin)
      .slice(0, most)
    for (const row of wrong) cards.push(await pairCard({ ...caseOf(row, benchmark.spec.title), picture }))
  }
  return cards
}

/** One item with what people and the judge said of it. */
export type Case = Pick<PairCardOptions, 'title' | 'note' | 'prompt' | 'sides'>

export function caseOf(row: ItemResult, benchmark: string): Case {
  const { item, values, margin } = row
  const verdict =
    margin === null
      ? 'not judged'
      : margin < 0
        ? `wrong by ${figure(-margin)}`
        : margin > 0
          ? `right by ${figure(margin)}`
          : 'a tie'
  const note = `${benchmark}, ${item.subset}: ${verdict}`
  if (item.kind === 'preference') {
    const sides = (['a', 'b'] as const).map((side, index) => {
      const isBetter = item.label > 0 === (side === 'a')
      return {
        title: side === 'a' ? 'first answer' : 'second answer',
        output: item[side].output,
        value: values[index] ?? null,
        tags: isBetter
          ? [{ text: 'people prefer this', tone: 'good' as const }]
          : margin !== null && margin < 0
            ? [{ text: 'the judge prefers this', tone: 'bad' as const }]
            : [],
      }
    })
    return { title: item.id, note, prompt: item.a.prompt, sides }
  }
  if (item.kind === 'binary' || item.kind === 'answer') {
    const good = item.kind === 'binary' && item.good
    return {
      title: item.id,
      note,
      prompt: item.sample.prompt,
      sides: [
        {
          title: 'answer',
          output: item.sample.output,
          value: values[0] ?? null,
          tags:
            item.kind === 'binary'
              ? [good ? { text: 'it is good', tone: 'good' } : { text: 'it is not good', tone: 'bad' }]
              : [],
        },
      ],
    }
  }
  // Of many candidates: the right one that came last, and what beat it.
  const gold = item.kind === 'list' ? item.gold : item.correct.map(Number)
  const top = values.reduce<number>(
    (best, value, i) => ((value ?? -Infinity) > (values[best] ?? -Infinity) ? i : best),
    0,
  )
  const right = gold.indexOf(Math.max(...gold))
  return {
    title: item.id,
    note,
    prompt: item.candidates[0]!.prompt,
    sides: [
      {
        title: 'best by people',
        output: item.candidates[right]!.output,
        value: values[right] ?? null,
        tags: [{ text: 'right', tone: 'good' }],
      },
      {
        title: 'chosen by the judge',
        output: item.candidates[top]!.output,
        value: values[top] ?? null,
        tags: [{ text: 'not the best', tone: 'bad' }],
      },
    ],
  }
}

/** An example of each attack that succeeds, the most successful first. */
export async function attackCases({ attacks }: JudgeAudit, picture: Picture): Promise<Html[]> {
  const open = attacks
    .filter(({ rate, examples }) => rate !== null && rate.estimate > 0 && examples.length > 0)
    .sort((a, b) => b.rate!.estimate - a.rate!.estimate)
    .slice(0, 12)
  return Promise.all(
    open.map(({ attack, examples: [example] }) =>
      pairCard({
        title: attack,
        note: `${example!.variant}: ${example!.before === null ? '' : `${figure(example!.before)} before, `}${figure(example!.after)} after`,
        prompt: example!.sample.prompt,
        sides: [{ title: example!.item, output: example!.sample.output, value: example!.after, tags: [] }],
        picture,
        maxText: 900,
      }),
    ),
  )
}
