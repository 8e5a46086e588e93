import { groupOf, type Score, type ScoredSample, unscored } from '../core/index.ts'
import { measureReader } from './measure.ts'

/** What one pass over a run's samples keeps. */
export interface RunFacts {
  samples: number
  /** Every sample with nothing but its id, its prompt's name and its numbers, the truth's among them. */
  readonly measured: ScoredSample[]
  groups: number
  readonly kinds: Set<string>
  /** By reward: the scored values. */
  readonly values: Map<string, number[]>
  /** By the field's value: how many samples, and each reward's sum and count. */
  readonly breakdown: Map<
    string,
    { samples: number; readonly rewards: Map<string, { sum: number; n: number }> }
  >
}

export async function runFacts(
  samples: AsyncIterable<ScoredSample>,
  names: readonly string[],
  gold: string | undefined,
  breakdown: string | undefined,
): Promise<RunFacts> {
  const facts: RunFacts = {
    samples: 0,
    measured: [],
    groups: 0,
    kinds: new Set(),
    values: new Map(names.map((name) => [name, []])),
    breakdown: new Map(),
  }
  const groups = new Map<string, string>()
  const truth = gold === undefined || names.includes(gold) ? undefined : measureReader(gold)
  const field = breakdown?.replace(/^meta\./, '')
  for await (const scored of samples) {
    const { sample, scores } = scored
    facts.samples++
    const prompt = groupOf(sample)
    const group = groups.get(prompt) ?? prompt // one string for all samples of the prompt
    groups.set(group, group)
    facts.measured.push({
      sample: { id: sample.id, prompt: '', output: '', group, meta: {} },
      scores: numbersOf(scores, truth && { name: truth.name, value: truth.read(scored) }),
    })
    if (typeof sample.meta.kind === 'string') facts.kinds.add(sample.meta.kind)
    const key = field === undefined ? undefined : sample.meta[field]
    let row: { samples: number; readonly rewards: Map<string, { sum: number; n: number }> } | undefined
    if (typeof key === 'string') {
      row = facts.breakdown.get(key)
      if (row === undefined) {
        row = { samples: 0, rewards: new Map() }
        facts.breakdown.set(key, row)
      }
      row.samples++
    }
    for (const name of names) {
      const value = scores[name]?.value ?? null
      if (value === null) continue
      facts.values.get(name)!.push(value)
      if (row === undefined) continue
      const cell = row.rewards.get(name) ?? { sum: 0, n: 0 }
      cell.sum += value
      cell.n++
      row.rewards.set(name, cell)
    }
  }
  truth?.finish()
  facts.groups = groups.size
  return facts
}

/** The scores without their parts, reasons and evidence, and the truth as if it were one of them. */
function numbersOf(
  scores: ScoredSample['scores'],
  truth: { readonly name: string; readonly value: number | null } | undefined,
): ScoredSample['scores'] {
  const numbers: Record<string, Score> = {}
  for (const name of Object.keys(scores)) numbers[name] = numberOnly(scores[name]!.value)
  if (truth) numbers[truth.name] = numberOnly(truth.value)
  return numbers
}

function numberOnly(value: number | null): Score {
  return value === null ? unscored('not-applicable', '') : { value }
}
