import { GuerdonError } from '../core/index.ts'
import type { SampleOrder } from './store.ts'

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
