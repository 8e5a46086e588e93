import type { Reward, ScoreContext } from '../core/index.ts'
import { scoresOf } from '../rewards/scores-of.ts'
import type { PlacedSample, RewardScores } from '../store/index.ts'
import { GroupWindow } from './run-groups.ts'

export interface LaneOptions {
  /** Name of the reward in the run. */
  readonly name: string
  readonly reward: Reward
  /** Calls of `score` at a time. */
  readonly concurrency: number
  /** Samples in one call; groups stay whole and may exceed it. */
  readonly batchSize: number
  readonly groupWindow: number
  readonly file?: string
  readonly context: ScoreContext
  /** Takes the scores of one call; rejects when they could not be kept. */
  readonly keep: (scores: RewardScores) => Promise<void>
}

/**
 * One reward's queue in a run. Lanes advance on their own, so that a slow reward does not hold up a fast one until
 * it is a whole queue behind.
 */
export class Lane {
  readonly name: string
  /** Wall time with at least one call under way, in seconds. */
  seconds = 0
  scored = 0
  readonly #options: LaneOptions
  readonly #groups: GroupWindow | undefined
  readonly #capacity: number
  /** Members of open groups that have a score: the group is judged again as a whole if another member has none. */
  readonly #settled = new Set<number>()
  /** Rows to be judged and not yet part of a call, and whole calls waiting for their turn. */
  #loose: PlacedSample[] = []
  #queue: PlacedSample[][] = []
  #queued = 0
  #running = 0
  #startedAt = 0
  #failure: unknown
  #wake: (() => void)[] = []

  constructor(options: LaneOptions) {
    this.name = options.name
    this.#options = options
    this.#capacity = Math.max(4096, 2 * options.concurrency * options.batchSize)
    if (options.reward.needs.includes('group'))
      this.#groups = new GroupWindow(options.groupWindow, options.file)
  }

  /** Takes rows in order of position; those in `settled` have a score already. */
  push(rows: readonly PlacedSample[], settled: ReadonlySet<number> | undefined): void {
    const pending = (row: PlacedSample) => !settled?.has(row.position)
    if (this.#groups === undefined) this.#add(settled?.size ? rows.filter(pending) : rows)
    else
      for (const row of rows) {
        if (!pending(row)) this.#settled.add(row.position)
        for (const group of this.#groups.add(row)) this.#addGroup(group)
      }
    this.#pump()
  }

  /** Resolves when the queue is short enough to read on. */
  async room(): Promise<void> {
    while (this.#failure === undefined && this.#queued > this.#capacity && !this.#stopped)
      await this.#change()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** No more rows will come: resolves when all are judged, or when the run was stopped and no call is under way. */
  async finish(): Promise<void> {
    for (const group of this.#groups?.rest() ?? []) this.#addGroup(group)
    if (this.#loose.length > 0) this.#queue.push(this.#loose.splice(0))
    this.#pump()
    while (this.#failure === undefined && (this.#running > 0 || (this.#queue.length > 0 && !this.#stopped)))
      await this.#change()
    if (this.#failure !== undefined) throw this.#failure
  }

  get #stopped(): boolean {
    return this.#options.context.signal?.aborted ?? false
  }

  #addGroup(group: readonly PlacedSample[]): void {
    let pending = 0
    for (const { position } of group) if (!this.#settled.delete(position)) pending++
    if (pending > 0) this.#add(group)
  }

  /** Cuts rows into calls; of a group lane, the rows are one group and stay together. */
  #add(rows: readonly PlacedSample[]): void {
    const { batchSize } = this.#options
    this.#queued += rows.length
    if (this.#groups === undefined && this.#loose.length === 0) {
      // The common case: calls are slices of what was read.
      let from = 0
      for (; rows.length - from >= batchSize; from += batchSize)
        this.#queue.push(rows.slice(from, from + batchSize))
      if (from < rows.length) this.#loose = rows.slice(from)
      return
    }
    for (const row of rows) {
      this.#loose.push(row)
      if (this.#groups === undefined && this.#loose.length >= batchSize)
        this.#queue.push(this.#loose.splice(0))
    }
    if (this.#loose.length >= batchSize) this.#queue.push(this.#loose.splice(0))
  }

  #pump(): void {
    while (
      this.#running < this.#options.concurrency &&
      this.#queue.length > 0 &&
      !this.#stopped &&
      this.#failure === undefined
    ) {
      if (this.#running++ === 0) this.#startedAt = performance.now()
      void this.#judge(this.#queue.shift()!)
    }
  }

  async #judge(rows: readonly PlacedSample[]): Promise<void> {
    const { name, reward, context, keep } = this.#options
    try {
      const scores = await scoresOf(
        reward,
        rows.map(({ sample }) => sample),
        context,
      )
      // What was cut short by stopping the run is no result.
      const kept = this.#stopped
        ? rows.flatMap((_, index) => {
            const score = scores[index]!
            return score.value === null && score.code === 'cancelled' ? [] : [index]
          })
        : rows.map((_, index) => index)
      const replace = this.#groups !== undefined
      if (kept.length > 0 && (!replace || kept.length === rows.length)) {
        await keep({
          reward: name,
          positions: kept.map((index) => rows[index]!.position),
          scores: kept.map((index) => scores[index]!),
          replace,
        })
        this.scored += kept.length
      }
    } catch (error) {
      this.#failure ??= error
    }
    this.#queued -= rows.length
    if (--this.#running === 0) this.seconds += (performance.now() - this.#startedAt) / 1000
    this.#pump()
    for (const wake of this.#wake.splice(0)) wake()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#options.context
      const wake = () => {
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#wake.push(wake)
      signal?.addEventListener('abort', wake)
    })
  }
}
