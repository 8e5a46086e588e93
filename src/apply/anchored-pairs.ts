import type { Preference, ScoredSample } from '../core/index.ts'
import { gather } from './gather.ts'
import { type Measure, measureReader, type ScoredSamples } from './measure.ts'
import { preferenceOf, sameOutput } from './pairs.ts'

/** Which policy wrote a candidate: the one trained now, an earlier one, or a provisional next one. */
export type Policy = 'present' | 'past' | 'future'

export interface Anchor {
  readonly policy: Policy
  /** Place in that policy's list. */
  readonly index: number
}

/** Null: chosen does not score above rejected, or nothing is scored. */
export type AnchoredChoice = { readonly chosen: Anchor; readonly rejected: Anchor } | null

/**
 * Chosen and rejected across policies, all judged by one judge, so that their gap does not close as training goes
 * on. Rejected: the worst of the past policy if it scores below the worst of the present one, else the latter.
 * Chosen: the best of the future policy if it scores above the best of the present one, else the latter; without
 * `future` always the latter. First of those that tie; both comparisons are strict; the pair is dropped unless
 * chosen scores above rejected.
 *
 * @source Temporal Self-Rewarding, arXiv 2508.06026 (phases 1 and 2; what happens at ties is this project's rule)
 */
export function anchoredChoice(scores: {
  readonly present: readonly (number | null)[]
  readonly past: readonly (number | null)[]
  readonly future?: readonly (number | null)[]
}): AnchoredChoice {
  const best = extreme(scores.present, 1)
  const worst = extreme(scores.present, -1)
  if (best === undefined || worst === undefined) return null
  const anchor = extreme(scores.past, -1)
  const guide = extreme(scores.future ?? [], 1)
  const rejected =
    anchor && anchor.value < worst.value
      ? { policy: 'past' as const, ...anchor }
      : { policy: 'present' as const, ...worst }
  const chosen =
    guide && guide.value > best.value
      ? { policy: 'future' as const, ...guide }
      : { policy: 'present' as const, ...best }
  if (!(chosen.value > rejected.value)) return null
  return {
    chosen: { policy: chosen.policy, index: chosen.index },
    rejected: { policy: rejected.policy, index: rejected.index },
  }
}

export interface AnchoredPairs {
  readonly preferences: readonly Preference[]
  readonly counts: {
    /** Prompts that the present policy answered. */
    readonly groups: number
    /** Prompts without a pair: tied, unscored, or chosen and rejected the same output. */
    readonly dropped: number
    readonly rejectedFromPast: number
    readonly chosenFromFuture: number
  }
}

/** `anchoredChoice` for every prompt of the present policy. */
export async function anchoredPairs(
  samples: {
    readonly present: ScoredSamples
    readonly past: ScoredSamples
    readonly future?: ScoredSamples
  },
  options: { readonly by: Measure },
): Promise<AnchoredPairs> {
  const read = (list: ScoredSamples) =>
    gather(list, [measureReader(options.by)], ({ scored, values }): Row => ({ scored, value: values[0]! }))
  const present = await read(samples.present)
  const past = await read(samples.past)
  const future = await read(samples.future ?? [])
  const counts = { groups: present.size, dropped: 0, rejectedFromPast: 0, chosenFromFuture: 0 }
  const preferences: Preference[] = []
  for (const [group, rows] of present) {
    const lists = { present: rows, past: past.get(group) ?? [], future: future.get(group) ?? [] }
    const choice = anchoredChoice({
      present: valuesOf(lists.present),
      past: valuesOf(lists.past),
      future: valuesOf(lists.future),
    })
    const pair = choice && {
      chosen: lists[choice.chosen.policy][choice.chosen.index]!,
      rejected: lists[choice.rejected.policy][choice.rejected.index]!,
    }
    if (
      choice === null ||
      pair === null ||
      sameOutput(pair.chosen.scored.sample, pair.rejected.scored.sample)
    ) {
      counts.dropped++
      continue
    }
    counts.rejectedFromPast += Number(choice.rejected.policy === 'past')
    counts.chosenFromFuture += Number(choice.chosen.policy === 'future')
    preferences.push(
      preferenceOf(
        { scored: pair.chosen.scored, value: pair.chosen.value! },
        { scored: pair.rejected.scored, value: pair.rejected.value! },
        {
          reward: typeof options.by === 'string' ? options.by : options.by.name,
          group,
          chosenFrom: choice.chosen.policy,
          rejectedFrom: choice.rejected.policy,
        },
      ),
    )
  }
  return { preferences, counts }
}

interface Row {
  readonly scored: ScoredSample
  readonly value: number | null
}

function valuesOf(rows: readonly Row[]): (number | null)[] {
  return rows.map(({ value }) => value)
}

/** The first highest (`sign` 1) or lowest (-1) number of a list. */
function extreme(
  values: readonly (number | null)[],
  sign: 1 | -1,
): { index: number; value: number } | undefined {
  let found: { index: number; value: number } | undefined
  values.forEach((value, index) => {
    if (value !== null && (found === undefined || sign * value > sign * found.value)) found = { index, value }
  })
  return found
}
