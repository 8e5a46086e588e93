import type { Json } from '../../core/index.ts'

/**
 * A value that changes with the training step. Besides being a function it says what it is (`params`, so that a
 * reward with a schedule has an identity of its own) and between which values it moves (`extremes`, so that the
 * range of a scheduled combination is known before it runs).
 */
export interface Schedule<T> {
  (step: number): T
  readonly params: Json
  /** Every value of a stepwise schedule; both ends of a gradual one. */
  readonly extremes: readonly T[]
}

/** A schedule from any function of the step. `params` must tell it apart from every other schedule. */
export function schedule<T>(valueAt: (step: number) => T, params: Json, extremes: readonly T[]): Schedule<T> {
  return Object.assign((step: number) => valueAt(step), { params, extremes })
}

export function isSchedule<T>(value: unknown): value is Schedule<T> {
  return typeof value === 'function' && 'params' in value && 'extremes' in value
}

/** `value` at every step; a schedule is returned as it is. */
export function constant<T>(value: T | Schedule<T>): Schedule<T> {
  return isSchedule<T>(value) ? value : schedule(() => value, { constant: value as Json }, [value])
}

/** `before` until `step`, `after` from `step` on. */
export function stepAt<T>(step: number, before: T, after: T): Schedule<T> {
  return piecewise([
    [0, before],
    [step, after],
  ])
}

/**
 * Each value from its step on, until the next one's. Steps ascend; the first value also holds before its step.
 * Throws a `RangeError` for an empty list or steps that do not ascend.
 */
export function piecewise<T>(pieces: readonly (readonly [from: number, value: T])[]): Schedule<T> {
  if (pieces.length === 0) throw new RangeError('a piecewise schedule needs at least one value')
  pieces.forEach(([from], index) => {
    if (!(index === 0 || from > pieces[index - 1]![0]))
      throw new RangeError(`the steps of a piecewise schedule must ascend, but ${from} stands at ${index}`)
  })
  const valueAt = (step: number) => (pieces.findLast(([from]) => step >= from) ?? pieces[0]!)[1]
  return schedule(
    valueAt,
    { piecewise: pieces as unknown as Json },
    pieces.map(([, value]) => value),
  )
}

export interface Ramp {
  readonly from: number
  readonly to: number
  /** The last step with the value `from`. @default 0 */
  readonly start?: number
  /** The first step with the value `to`. */
  readonly end: number
}

/** A straight line from `from` to `to`, flat before `start` and after `end`. */
export function linear({ from, to, start = 0, end }: Ramp): Schedule<number> {
  return ramp('linear', { from, to, start, end }, (share) => share)
}

/** Half a cosine from `from` to `to`, level at both ends: `to + (from - to) * (1 + cos(pi * share)) / 2`. */
export function cosine({ from, to, start = 0, end }: Ramp): Schedule<number> {
  return ramp('cosine', { from, to, start, end }, (share) => (1 - Math.cos(Math.PI * share)) / 2)
}

function ramp(kind: string, { from, to, start, end }: Required<Ramp>, shape: (share: number) => number) {
  if (!(end > start))
    throw new RangeError(`a ${kind} schedule cannot end at ${end} when it starts at ${start}`)
  const valueAt = (step: number) => {
    if (step <= start) return from
    if (step >= end) return to
    return from + (to - from) * shape((step - start) / (end - start))
  }
  return schedule(valueAt, { [kind]: { from, to, start, end } }, [from, to])
}

/** `first` until `step`, then `second`, whose own steps count from there. */
export function followedBy<T>(first: Schedule<T>, step: number, second: Schedule<T>): Schedule<T> {
  return schedule(
    (now) => (now < step ? first(now) : second(now - step)),
    { followedBy: [first.params, step, second.params] },
    [...first.extremes, ...second.extremes],
  )
}

/** The product of schedules, such as a warm-up times a decay. */
export function productOf(...schedules: readonly Schedule<number>[]): Schedule<number> {
  return schedule(
    (step) => schedules.reduce((product, factor) => product * factor(step), 1),
    { productOf: schedules.map(({ params }) => params) },
    schedules.reduce<number[]>(
      (products, { extremes }) => products.flatMap((product) => extremes.map((extreme) => product * extreme)),
      [1],
    ),
  )
}
