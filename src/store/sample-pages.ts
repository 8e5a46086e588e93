import { GuerdonError } from '../core/index.ts'
import type { Differences, SampleOrder } from './store.ts'

/** What the pages of samples of both kinds of store have in common. */
export interface RunRewards {
  readonly run: number
  /** Keys by the rewards' names in the run. */
  readonly rewards: ReadonlyMap<string, number>
}

/** Where a page ended. */
export interface Cursor {
  /** Of what it is a cursor. */
  readonly of: number
  readonly key: number
  readonly position: number
  /** Means and deviations of a gap, so that its pages belong together while scores still come in. */
  readonly scale?: GapScale
}
export type GapScale = readonly [mean1: number, deviation1: number, mean2: number, deviation2: number]

export function isGap(order: SampleOrder): order is Extract<SampleOrder, { first: string }> {
  return order.by === 'gap' || order.by === 'disagreement'
}

/** Of a gap whose values are in the same units: one reward in two runs. */
export const unscaled: GapScale = [0, 1, 0, 1]

export function isOneReward({ first, second }: Extract<SampleOrder, { first: string }>): boolean {
  return second.run !== undefined && second.reward === first
}

/** What a statement found of pairs: `square` is the mean square of the differences. */
export interface DifferenceRow {
  readonly pairs: number
  readonly here: number | null
  readonly there: number | null
  readonly square: number | null
  readonly higher: number | null
  readonly lower: number | null
}

export const differenceColumns = `count(*) AS pairs, avg(o.value) AS here, avg(p.value) AS there,
  avg((o.value - p.value) * (o.value - p.value)) AS square,
  sum(CASE WHEN o.value > p.value THEN 1 ELSE 0 END) AS higher,
  sum(CASE WHEN o.value < p.value THEN 1 ELSE 0 END) AS lower`

export function differencesOf({ pairs, here, there, square, higher, lower }: DifferenceRow): Differences {
  const counts = { pairs: Number(pairs), higher: Number(higher ?? 0), lower: Number(lower ?? 0) }
  if (here === null || there === null) return { ...counts, here: null, there: null, deviation: null }
  const variance = Math.max(0, square! - (here - there) ** 2)
  const deviation = counts.pairs > 1 ? Math.sqrt((variance * counts.pairs) / (counts.pairs - 1)) : 0
  return { ...counts, here, there, deviation }
}

export function rewardKey({ rewards }: RunRewards, name: string, run?: string): number {
  const key = rewards.get(name)
  if (key === undefined)
    throw new GuerdonError('unknown-reward', `the run${run ? ` "${run}"` : ''} has no reward of this name.`, {
      place: { reward: name },
      fix: `It has ${[...rewards.keys()].join(', ') || 'none'}.`,
    })
  return key
}

/** A pattern of LIKE for texts that hold a text; its escape is the backslash. */
export function likePattern(text: string): string {
  return `%${text.replace(/[%_\\]/g, '\\$&')}%`
}

export function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

/** @throws GuerdonError `bad-cursor` */
export function readCursor(text: string, of: number): Cursor {
  try {
    const cursor = JSON.parse(Buffer.from(text, 'base64url').toString()) as Cursor
    const { key, position, scale } = cursor
    const numbers = [key, position, ...(scale ?? [])]
    if (cursor.of === of && numbers.every((number) => Number.isFinite(number))) return cursor
  } catch {
    // as one that says something else
  }
  throw new GuerdonError('bad-cursor', 'this is no cursor of this order of this run.', {
    fix: 'Begin at the first page, and give "next" of each page back as it is.',
  })
}
