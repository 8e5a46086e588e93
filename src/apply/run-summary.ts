import { GuerdonError, nearest, type UnscoredCode } from '../core/index.ts'
import type { BadRow, GroupTotals, RewardTotals, RowWarning, RunStatus, Store } from '../store/index.ts'
import type { RunProgress } from './run-progress.ts'
import { lineOf } from './run-rows.ts'

/** What a run found, all of it from the store: a resumed run says the same as one that was never interrupted. */
export interface RunSummary {
  readonly run: string
  readonly status: RunStatus
  readonly source?: string
  readonly dataHash?: string
  readonly rows: {
    /** `samples` + `bad`. */
    readonly read: number
    readonly samples: number
    readonly bad: number
    readonly badBy: Readonly<Record<string, number>>
    /** The first few bad rows with their messages. */
    readonly firstBad: readonly BadRow[]
    /** Of samples that were read, but not all as it was written (an integer that a double rounds). No failures. */
    readonly warnings: number
    readonly warningsBy: Readonly<Record<string, number>>
    readonly firstWarnings: readonly RowWarning[]
  }
  /** By the reward's name in the run. */
  readonly rewards: Readonly<Record<string, RewardSummary>>
  /** Bad rows and unscored samples other than those a reward does not apply to. Not 0 = exit code 2. */
  readonly failures: number
  /** Of this call, not of earlier parts of the run. */
  readonly timing: RunTiming
}

export interface RewardSummary extends Omit<RewardTotals, 'firstUnscoredBy'> {
  readonly identity: string
  /** For each code the first sample of the data that has it; `line` is its line or row. */
  readonly firstUnscored: readonly {
    readonly code: UnscoredCode
    readonly line: number
    readonly sample: string
    readonly reason: string
  }[]
  /** Groups with at least two scored samples; null share when there are none. */
  readonly groups: GroupTotals & { readonly zeroVarianceShare: number | null }
  /** Wall time with a call under way, over all threads, in this call. */
  readonly seconds: number
}

/** Of `RunProgress`, see there. */
export type RunTiming = Pick<RunProgress, 'seconds' | 'rows' | 'rowsPerSecond' | 'newScores'>

const notesShown = 20

/** Sums up a run of the store as it stands. */
export async function summarizeRun(
  store: Store,
  runId: string,
  timing: RunTiming = { seconds: 0, rows: 0, rowsPerSecond: 0, newScores: 0 },
  seconds: ReadonlyMap<string, number> = new Map(),
): Promise<RunSummary> {
  const run = await findRun(store, runId)
  const totals = await store.runs.totals(runId)
  const groups = await store.runs.groupTotals(runId)
  const rewards = Object.fromEntries(
    run.rewards.map(({ name, identity }) => {
      const { groups: counted, zeroVariance } = groups[name]!
      const zeroVarianceShare = counted === 0 ? null : zeroVariance / counted
      const { firstUnscoredBy, ...rest } = totals.rewards[name]!
      return [
        name,
        {
          identity,
          ...rest,
          firstUnscored: Object.entries(firstUnscoredBy).map(([code, { position, sample, reason }]) => ({
            code: code as UnscoredCode,
            line: lineOf(position),
            sample,
            reason,
          })),
          groups: { groups: counted, zeroVariance, zeroVarianceShare },
          seconds: seconds.get(name) ?? 0,
        },
      ]
    }),
  )
  return {
    run: runId,
    status: run.status,
    ...(run.source === undefined ? {} : { source: run.source }),
    ...(run.dataHash === undefined ? {} : { dataHash: run.dataHash }),
    rows: {
      read: totals.samples + totals.badRows,
      samples: totals.samples,
      bad: totals.badRows,
      badBy: totals.badRowsBy,
      firstBad: await store.runs.badRows(runId, notesShown),
      warnings: totals.warnings,
      warningsBy: totals.warningsBy,
      firstWarnings: await store.runs.warnings(runId, notesShown),
    },
    rewards,
    failures: Object.values(totals.rewards).reduce(
      (sum, { unscored, unscoredBy }) => sum + unscored - (unscoredBy['not-applicable'] ?? 0),
      totals.badRows,
    ),
    timing: {
      seconds: timing.seconds,
      rows: timing.rows,
      rowsPerSecond: timing.rowsPerSecond,
      newScores: timing.newScores,
    },
  }
}

/** The run, or a `GuerdonError` `unknown-run` that names the runs there are. */
export async function findRun(store: Store, runId: string) {
  const run = await store.runs.find(runId)
  if (run) return run
  const known = (await store.runs.list()).map(({ id }) => id)
  const guess = nearest(runId, known)
  throw new GuerdonError('unknown-run', `there is no run "${runId}".`, {
    place: { file: store.location },
    fix:
      known.length === 0
        ? 'The store holds no runs yet.'
        : `${guess ? `Did you mean "${guess}"? ` : ''}The newest: ${known.slice(0, 5).join(', ')}.`,
  })
}
