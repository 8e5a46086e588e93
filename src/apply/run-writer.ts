import type { BadRow, PlacedSample, RewardScores, RowWarning, Runs } from '../store/index.ts'

/** Rows that one transaction holds: enough that its cost does not count, few enough that others get their turn. */
const rowsPerWrite = 4096
/** Longest time that a result waits to be written, in milliseconds: what a killed run can lose. */
const longestWait = 200

/** Gathers what a run finds out and writes it in transactions, in the order in which it came. */
export class RunWriter {
  readonly #runs: Runs
  readonly #run: string
  #samples: PlacedSample[] = []
  #scores: RewardScores[] = []
  #badRows: BadRow[] = []
  #warnings: RowWarning[] = []
  #rows = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(runs: Runs, run: string) {
    this.#runs = runs
    this.#run = run
  }

  async add({
    samples = [],
    scores,
    badRows = [],
    warnings = [],
  }: {
    samples?: readonly PlacedSample[]
    scores?: RewardScores
    badRows?: readonly BadRow[]
    warnings?: readonly RowWarning[]
  }): Promise<void> {
    for (const sample of samples) this.#samples.push(sample)
    for (const row of badRows) this.#badRows.push(row)
    for (const warning of warnings) this.#warnings.push(warning)
    if (scores) this.#scores.push(scores)
    this.#rows += samples.length + badRows.length + warnings.length + (scores?.positions.length ?? 0)
    if (this.#rows >= rowsPerWrite) return this.flush()
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), longestWait)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Writes what is there, together with `finished`. Rejects when this or an earlier write failed. */
  async flush(finished?: { segment: number; rewards: readonly string[] }): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batch = {
      samples: this.#samples,
      scores: this.#scores,
      badRows: this.#badRows,
      warnings: this.#warnings,
      finishedSegments: finished ? [finished] : [],
    }
    this.#samples = []
    this.#scores = []
    this.#badRows = []
    this.#warnings = []
    this.#rows = 0
    this.#writing = this.#writing.then(async () => {
      if (this.#failure !== undefined) return
      try {
        await this.#runs.record(this.#run, batch)
      } catch (error) {
        this.#failure = error
      }
    })
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }
}
