import type { JudgeAudit } from '../audit/attacks/audit-judge.ts'
import type { ItemResult } from '../audit/benchmarks/index.ts'
import type { Html } from '../audit/report/html.ts'
import { pairCard } from '../audit/report/pair-card.ts'
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
    for (const row of wrong) cards.push(await caseCard(row, benchmark.spec.title, picture))
  }
  return cards
}

async function caseCard(row: ItemResult, benchmark: string, picture: Picture): Promise<Html> {
  const { item, values, margin } = row
  const note = `${benchmark}, ${item.subset}: wrong by ${figure(Math.abs(margin!))}`
  if (item.kind === 'preference') {
    const sides = (['a', 'b'] as const).map((side, index) => {
      const isBetter = item.label > 0 === (side === 'a')
      return {
        title: side === 'a' ? 'first answer' : 'second answer',
        output: item[side].output,
        value: values[index] ?? null,
        tags: isBetter
          ? [{ text: 'people prefer this', tone: 'good' as const }]
          : [{ text: 'the judge prefers this', tone: 'bad' as const }],
      }
    })
    return pairCard({ title: item.id, note, prompt: item.a.prompt, sides, picture })
  }
  if (item.kind === 'binary' || item.kind === 'answer') {
    const good = item.kind === 'binary' && item.good
    return pairCard({
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
      picture,
    })
  }
  // Of many candidates: the right one that came last, and what beat it.
  const gold = item.kind === 'list' ? item.gold : item.correct.map(Number)
  const top = values.reduce<number>(
    (best, value, i) => ((value ?? -Infinity) > (values[best] ?? -Infinity) ? i : best),
    0,
  )
  const right = gold.indexOf(Math.max(...gold))
  return pairCard({
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
    picture,
  })
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
