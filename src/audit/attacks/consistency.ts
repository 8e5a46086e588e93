import type { Pair, Sample, Score } from '../../core/index.ts'
import type { Attack, AttackItem } from './attack.ts'
import { type AttackOutcome, attackOutcome, type Scale, type Trial } from './attack-outcome.ts'
import type { AskedJudge } from './audit-judge.ts'
import { comparisonsOf } from './contender.ts'

type Probe = Pick<Attack, 'name' | 'family' | 'summary' | 'expects'>

const orderSwap: Probe = {
  name: 'order-swap',
  family: 'consistency',
  summary: 'The two answers of a pair change places.',
  expects: 'same',
}
const duplicates: Probe = {
  name: 'duplicates',
  family: 'consistency',
  summary: 'Both answers of a pair are the same: a tie, nothing else.',
  expects: 'same',
}
const scaleDrift: Probe = {
  name: 'scale-drift',
  family: 'consistency',
  summary: 'The same answer is scored alone, in another order, and once more at the end.',
  expects: 'same',
}

/** Answers asked again to see whether the scale has moved. */
const anchorCount = 32

/** What one call cannot show: of a comparator order and duplicates, of a reward whether its scale holds still. */
export async function consistencyOutcomes(
  asked: AskedJudge,
  items: readonly AttackItem[],
  scores: ReadonlyMap<Sample, Score>,
  scale: Scale,
): Promise<AttackOutcome[]> {
  if (asked.subject.comparator !== undefined) return comparatorOutcomes(asked, items, scale)
  const anchors = items
    .flatMap(({ id, cluster = id, good, bad }) =>
      [good, bad].flatMap((sample) => (sample === undefined ? [] : [{ id, cluster, sample }])),
    )
    .slice(0, anchorCount)
  const trials: Trial[] = []
  const again = async (variant: string, order: typeof anchors, batchSize?: number) => {
    const judged = await asked.judge(
      order.map(({ sample }) => ({ sample })),
      { batchSize, purpose: `again/${variant}` },
    )
    for (const [index, { id, cluster, sample }] of order.entries())
      trials.push({ item: id, cluster, variant, sample, before: scores.get(sample)!, after: judged[index]! })
  }
  await again('alone', anchors, 1)
  await again('in reverse order', anchors.toReversed())
  await again('at the end', anchors)
  return [attackOutcome(scaleDrift, trials, scale, { rng: asked.rng })]
}

async function comparatorOutcomes(
  asked: AskedJudge,
  items: readonly AttackItem[],
  scale: Scale,
): Promise<AttackOutcome[]> {
  const comparator = asked.subject.comparator!
  const compare = async (pairs: readonly Pair[]) => {
    const said = await comparisonsOf(comparator, pairs, asked.contextFor('judge'))
    asked.count(said)
    return said
  }
  const whole = items.filter(({ good, bad }) => good !== undefined && bad !== undefined)
  const pairOf = (id: string, a: Sample, b: Sample): Pair => ({
    id,
    a: { ...a, group: id },
    b: { ...b, group: id },
  })
  const [forward, backward] = [
    await compare(whole.map(({ id, good, bad }) => pairOf(`${id}~given`, good!, bad!))),
    await compare(whole.map(({ id, good, bad }) => pairOf(`${id}~swapped`, bad!, good!))),
  ]
  const same = await compare(
    whole.map(({ id, good }) => pairOf(`${id}~twice`, good!, { ...good!, id: `${good!.id}~again` })),
  )
  const trial = (item: AttackItem, variant: string, before: Score, after: Score): Trial => ({
    item: item.id,
    cluster: item.cluster ?? item.id,
    variant,
    sample: item.good!,
    before,
    after,
  })
  // A swap counts where the verdict changes, not where a probability moves a little.
  const verdict = (score: Score): Score =>
    score.value === null ? score : { value: score.value > 0.5 ? 1 : score.value < 0.5 ? 0 : 0.5 }
  const turned = (score: Score): Score => (score.value === null ? score : { value: 1 - score.value })
  return [
    attackOutcome(
      orderSwap,
      whole.map((item, i) => trial(item, 'swapped', verdict(forward[i]!), verdict(turned(backward[i]!)))),
      scale,
      { rng: asked.rng },
    ),
    attackOutcome(
      duplicates,
      whole.map((item, i) => trial(item, 'the same twice', { value: 0.5 }, same[i]!)),
      scale,
      { rng: asked.rng },
    ),
  ]
}
