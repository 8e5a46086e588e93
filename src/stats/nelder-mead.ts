import { GuerdonError } from '../core/index.ts'
import { standardDeviation } from './moments.ts'

/** What a step of the search did to the worst vertex, or to all but the best. */
export type SimplexStep = 'reflect' | 'expand' | 'contract' | 'shrink'

export interface Vertex {
  readonly point: readonly number[]
  readonly value: number
}

export interface NelderMeadResult {
  /** N + 1 of them, best first. */
  readonly simplex: readonly Vertex[]
  readonly steps: readonly SimplexStep[]
  /** Points that were valued; those near an earlier one were not. */
  readonly evaluations: number
}

export interface NelderMeadOptions {
  /** alpha. @default 1 */
  readonly reflection?: number
  /** gamma. @default 2 */
  readonly expansion?: number
  /** rho: from the centroid of the others towards the worst point. @default 0.5 */
  readonly contraction?: number
  /** sigma: towards the best point. @default 0.5 */
  readonly shrinkage?: number
  /** What an expanded point must be better than: the best vertex, or the reflected point (the textbook's test). @default 'best' */
  readonly expansionTest?: 'best' | 'reflected'
  /** A point within this Euclidean distance of an earlier one takes its value over. @default 5e-3 */
  readonly sameWithin?: number
  /** The search ends once the (population) standard deviation of the vertices' values is below it. @default 0.01 */
  readonly spread?: number
  /** When the spread is looked at; the released code of arXiv 2310.04373 does so after a shrink alone. @default 'step' */
  readonly endsAfter?: 'step' | 'shrink'
  /** @default 200 */
  readonly maxSteps?: number
}

/**
 * Minimum of a function of N numbers by the simplex of Nelder and Mead, one question after the other: the generator yields
 * points and is told their values, so that whoever values them may take long over it, and can begin again from what is
 * known. A point is accepted when it is: reflected, if it is between the best and the second worst; expanded (else
 * reflected), if better than the best; else contracted, if better than the worst; else all shrink towards the best.
 *
 * @param simplex N + 1 points to begin with
 * @throws GuerdonError `bad-option` for another number of points, `bad-input` for a value that is not finite
 * @source as used by NM-PPO, arXiv 2310.04373
 */
export function* nelderMeadSearch(
  simplex: readonly (readonly number[])[],
  options: NelderMeadOptions = {},
): Generator<readonly number[], NelderMeadResult, number> {
  const { reflection = 1, expansion = 2, contraction = 0.5, shrinkage = 0.5, sameWithin = 5e-3 } = options
  const { expansionTest = 'best', spread = 0.01, endsAfter = 'step', maxSteps = 200 } = options
  const size = simplex[0]?.length ?? 0
  if (size === 0 || simplex.length !== size + 1 || simplex.some((point) => point.length !== size))
    throw new GuerdonError('bad-option', `${simplex.length} points of ${size} numbers make no simplex.`, {
      fix: 'Give one point more than there are numbers in each.',
    })
  const known: Vertex[] = []
  const steps: SimplexStep[] = []
  function* valued(point: readonly number[]): Generator<readonly number[], Vertex, number> {
    const near = known.find((earlier) => distance(earlier.point, point) < sameWithin)
    if (near !== undefined) return { point, value: near.value }
    const value = yield point
    if (!Number.isFinite(value))
      throw new GuerdonError('bad-input', `the value of [${point.join(', ')}] is ${value}, not a number.`)
    const vertex = { point, value }
    known.push(vertex)
    return vertex
  }
  const ordered = (list: readonly Vertex[]) => list.toSorted((a, b) => a.value - b.value)

  let vertices: readonly Vertex[] = []
  for (const point of simplex) vertices = [...vertices, yield* valued(point)]
  vertices = ordered(vertices)
  while (steps.length < maxSteps) {
    const [best, worst] = [vertices[0]!, vertices.at(-1)!]
    const others = vertices.slice(0, -1)
    const centre = best.point.map(
      (_, at) => others.reduce((sum, { point }) => sum + point[at]!, 0) / others.length,
    )
    const replaced = (step: SimplexStep, vertex: Vertex) => {
      steps.push(step)
      vertices = ordered([...others, vertex])
    }
    const reflected = yield* valued(between(worst.point, centre, 1 + reflection))
    if (reflected.value < best.value) {
      const expanded = yield* valued(between(centre, reflected.point, expansion))
      const bound = expansionTest === 'best' ? best.value : reflected.value
      if (expanded.value < bound) replaced('expand', expanded)
      else replaced('reflect', reflected)
    } else if (reflected.value < others.at(-1)!.value) replaced('reflect', reflected)
    else {
      const contracted = yield* valued(between(centre, worst.point, contraction))
      if (contracted.value < worst.value) replaced('contract', contracted)
      else {
        const shrunk: Vertex[] = [best]
        for (const { point } of vertices.slice(1))
          shrunk.push(yield* valued(between(best.point, point, shrinkage)))
        steps.push('shrink')
        vertices = ordered(shrunk)
      }
    }
    if (endsAfter === 'shrink' && steps.at(-1) !== 'shrink') continue
    if (
      standardDeviation(
        vertices.map(({ value }) => value),
        { ddof: 0 },
      )! < spread
    )
      break
  }
  return { simplex: vertices, steps, evaluations: known.length }
}

/** The same with a function that values a point at once, or in its own time. */
export async function nelderMead(
  value: (point: readonly number[]) => number | Promise<number>,
  simplex: readonly (readonly number[])[],
  options: NelderMeadOptions = {},
): Promise<NelderMeadResult> {
  const search = nelderMeadSearch(simplex, options)
  let asked = search.next()
  while (!asked.done) asked = search.next(await value(asked.value))
  return asked.value
}

/** from + share (to - from). */
function between(from: readonly number[], to: readonly number[], share: number): number[] {
  return from.map((start, at) => start + share * (to[at]! - start))
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...a.map((value, at) => value - b[at]!))
}
