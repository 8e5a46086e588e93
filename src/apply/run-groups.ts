import { GuerdonError, groupOf } from '../core/index.ts'
import { type PlacedSample, textHash } from '../store/index.ts'
import { lineOf } from './run-rows.ts'

interface OpenGroup {
  readonly rows: PlacedSample[]
  /** How many rows had been read when it last grew. */
  lastGrew: number
}

/**
 * Puts groups together while rows stream by. A group is complete once `width` rows have passed without one of its
 * own, so the members of a group may be mixed with others' but must not lie further apart; all groups being put
 * together may hold 10 * `width` rows.
 */
export class GroupWindow {
  readonly #width: number
  readonly #file: string | undefined
  /** In order of last growth. */
  readonly #open = new Map<string, OpenGroup>()
  readonly #complete = new Set<number>()
  #read = 0
  #held = 0

  constructor(width: number, file?: string) {
    this.#width = width
    this.#file = file
  }

  /** Takes one row; returns the groups that are complete now. Throws `group-split` on a latecomer. */
  add(row: PlacedSample): PlacedSample[][] {
    const key = groupOf(row.sample)
    if (this.#complete.has(textHash(key)))
      throw this.#error(row, `comes more than ${this.#width} rows after its group.`)
    const group = this.#open.get(key) ?? { rows: [], lastGrew: 0 }
    group.rows.push(row)
    group.lastGrew = ++this.#read
    this.#open.delete(key)
    this.#open.set(key, group)
    if (++this.#held > 10 * this.#width)
      throw this.#error(row, `more than ${10 * this.#width} rows belong to groups that may not be complete.`)
    const complete: PlacedSample[][] = []
    for (const [oldest, { lastGrew }] of this.#open) {
      if (lastGrew > this.#read - this.#width) break
      complete.push(this.#close(oldest))
    }
    return complete
  }

  /** All groups still open: the data has ended. */
  rest(): PlacedSample[][] {
    return [...this.#open.keys()].map((key) => this.#close(key))
  }

  #close(key: string): PlacedSample[] {
    const { rows } = this.#open.get(key)!
    this.#open.delete(key)
    this.#complete.add(textHash(key))
    this.#held -= rows.length
    return rows
  }

  #error({ position, sample }: PlacedSample, what: string): GuerdonError {
    return new GuerdonError('group-split', what, {
      place: {
        ...(this.#file === undefined ? {} : { file: this.#file }),
        line: lineOf(position),
        sample: sample.id,
      },
      fix: 'A reward that compares the samples of a group needs them near each other: sort the data by group, or raise groupWindow.',
    })
  }
}
