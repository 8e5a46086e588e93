import type { Sample } from '../../core/index.ts'
import type { BenchmarkItem } from '../benchmarks/benchmark.ts'
import type { AttackItem } from './attack.ts'
import type { Target } from './targets/target.ts'

/** What a benchmark's items offer to attacks: the answer that is called better, and the worst one. */
export function attackItems(items: readonly BenchmarkItem[]): AttackItem[] {
  return items.flatMap((item) => {
    const sides = sidesOf(item)
    const { id, cluster = id } = item
    return sides === undefined ? [] : [withSides(id, cluster, sides.good, sides.bad)]
  })
}

/** Undefined where the item has no answer that is better or worse. */
function sidesOf(item: BenchmarkItem): Pick<AttackItem, 'good' | 'bad'> | undefined {
  if (item.kind === 'binary') return item.good ? { good: item.sample } : { bad: item.sample }
  if (item.kind === 'answer') return undefined
  if (item.kind === 'preference') {
    if (item.label === 0) return undefined
    return item.label > 0 ? { good: item.a, bad: item.b } : { good: item.b, bad: item.a }
  }
  const gold = item.kind === 'list' ? item.gold : item.correct.map(Number)
  const [best, worst] = [Math.max(...gold), Math.min(...gold)]
  if (best === worst) return undefined
  return { good: item.candidates[gold.indexOf(best)]!, bad: item.candidates[gold.indexOf(worst)]! }
}

/** Samples of a data set as items: those of one group whose label says good (above `threshold`) and bad. */
export function attackItemsOfSamples(
  samples: readonly { readonly sample: Sample; readonly label: number | null }[],
  threshold = 0.5,
): AttackItem[] {
  return [...Map.groupBy(samples, ({ sample }) => sample.group ?? sample.id)].map(([id, members]) => {
    const of = (isGood: boolean) =>
      members.find(({ label }) => label !== null && label > threshold === isGood)?.sample
    // Without any label the first answer serves: most attacks need a prompt and a reference only.
    const unlabelled = members.every(({ label }) => label === null) ? members[0]!.sample : undefined
    return withSides(id, id, of(true) ?? unlabelled, of(false))
  })
}

/** The built-in targets of a reward as items, so that it can be attacked without any data. */
export function attackItemsOfTargets(targets: readonly Target[]): AttackItem[] {
  return targets.map(
    ({ reward, note, prompt, reference, meta = {}, right, wrong, dress = (answer) => answer }) => {
      const id = note === undefined ? reward : `${reward} (${note})`
      const sample = (side: string, answer: string): Sample => ({
        id: `${id} ${side}`,
        prompt,
        output: dress(answer),
        ...(reference === undefined ? {} : { reference }),
        meta,
      })
      return { id, good: sample('right', right), bad: sample('wrong', wrong) }
    },
  )
}

function withSides(
  id: string,
  cluster: string,
  good: Sample | undefined,
  bad: Sample | undefined,
): AttackItem {
  return {
    id,
    cluster,
    ...(good === undefined ? {} : { good }),
    ...(bad === undefined ? {} : { bad }),
  }
}
