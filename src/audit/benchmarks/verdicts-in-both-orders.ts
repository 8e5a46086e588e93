import type { Row } from '../../data/row.ts'

/** One judge's verdicts on a pair: 1 = the first output, -1 = the second, 0 = a tie, null = unreadable. */
export interface BothOrders {
  readonly id: string
  /** With the first output shown first, and with the second shown first (mapped back). */
  readonly aFirst: number | null
  readonly bFirst: number | null
}

/** 1 or -1 for the choice of the first or second output, 0 for a tie, null for anything else. */
export function choiceOf(verdict: unknown): number | null {
  return { '1': 1, '2': -1, '0': 0, Tie: 0, tie: 0 }[String(verdict)] ?? null
}

/**
 * Stored verdicts of judges (id, evaluator, strategy, winner, winner_swapped) by `EVALUATOR STRATEGY on SUBSET`;
 * those on pairs of no subset are left out.
 */
export async function verdictsInBothOrders(
  rows: AsyncIterable<Row>,
  subsetOf: (id: string) => string | undefined,
): Promise<ReadonlyMap<string, readonly BothOrders[]>> {
  const judges = new Map<string, BothOrders[]>()
  for await (const row of rows) {
    const id = row.id()
    const subset = subsetOf(id)
    if (subset === undefined) continue
    const name = `${row.text('evaluator')} ${row.text('strategy')} on ${subset}`
    const list = judges.get(name) ?? []
    if (list.length === 0) judges.set(name, list)
    list.push({
      id,
      aFirst: choiceOf(row.record.winner),
      bFirst: choiceOf(row.record.winner_swapped),
    })
  }
  return judges
}
