import type { StreamCounts } from './run-stream.ts'

export interface RunProgress {
  readonly run: string
  /** Samples and bad rows read in this call. */
  readonly rows: number
  readonly badRows: number
  /** Scores that were not there before. */
  readonly newScores: number
  readonly bytesRead: number
  readonly bytesTotal: number | null
  readonly seconds: number
  readonly rowsPerSecond: number
  /** At the present rate; null when the size of the data is not known. */
  readonly secondsLeft: number | null
}

/** Shortest time between two reports, in milliseconds. */
const interval = 100

/** Adds up what was done and tells it now and then. */
export class ProgressCounter {
  readonly #run: string
  readonly #bytesTotal: number | null
  readonly #tell: ((progress: RunProgress) => void) | undefined
  readonly #started = performance.now()
  readonly #counts: StreamCounts = { rows: 0, badRows: 0, scores: 0 }
  #bytes = 0
  #told = 0

  constructor(run: string, bytesTotal: number | null, tell?: (progress: RunProgress) => void) {
    this.#run = run
    this.#bytesTotal = bytesTotal
    this.#tell = tell
  }

  add(bytes: number, { rows, badRows, scores }: StreamCounts): void {
    this.#bytes += bytes
    this.#counts.rows += rows
    this.#counts.badRows += badRows
    this.#counts.scores += scores
    if (this.#tell === undefined || performance.now() - this.#told < interval) return
    this.#told = performance.now()
    this.#tell(this.now())
  }

  now(): RunProgress {
    const seconds = (performance.now() - this.#started) / 1000
    const { rows, badRows, scores } = this.#counts
    const secondsLeft =
      this.#bytesTotal === null || this.#bytes === 0
        ? null
        : Math.max(0, (this.#bytesTotal / this.#bytes - 1) * seconds)
    return {
      run: this.#run,
      rows,
      badRows,
      newScores: scores,
      bytesRead: this.#bytes,
      bytesTotal: this.#bytesTotal,
      seconds,
      rowsPerSecond: seconds === 0 ? 0 : rows / seconds,
      secondsLeft,
    }
  }

  /** The last report, which is always told. */
  end(): RunProgress {
    const now = this.now()
    this.#tell?.(now)
    return now
  }
}
