import { distanceBetween, distanceToPolygon, type Point, type Polygon } from './geometry.ts'

/** What is measured of a path, in units of the map and degrees. */
export interface PathDescriptors {
  /** Of the vertices from the nearest obstacle: a segment between them may well cross one. */
  readonly minimumClearance: number
  readonly maximumClearance: number
  readonly averageClearance: number
  readonly length: number
  /** Sum of the turns: lower is smoother, a straight line is 0. */
  readonly smoothness: number
  /** Turns of more than 90 degrees. */
  readonly sharpTurns: number
  readonly maximumAngle: number
}

export const descriptorNames = [
  'averageClearance',
  'minimumClearance',
  'maximumClearance',
  'length',
  'sharpTurns',
  'maximumAngle',
  'smoothness',
] as const satisfies readonly (keyof PathDescriptors)[]

/**
 * The seven descriptors of a path. A path of fewer than two points has nothing to measure: a `RangeError`. Without
 * obstacles clearances are infinite.
 *
 * @param clearanceAt  `vertices` as published, or `dense`: also at points at most 0.25 apart on the segments
 * @source PathEval, arXiv 2411.18711
 */
export function pathDescriptors(
  path: readonly Point[],
  obstacles: readonly Polygon[],
  { clearanceAt = 'vertices' }: { readonly clearanceAt?: 'vertices' | 'dense' } = {},
): PathDescriptors {
  if (path.length < 2) throw new RangeError(`a path of ${path.length} points`)
  const measured = clearanceAt === 'vertices' ? path : densePoints(path, 0.25)
  const clearances = measured.map((point) =>
    Math.min(...obstacles.map((obstacle) => distanceToPolygon(point, obstacle))),
  )
  const angles = turnAngles(path)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  return {
    minimumClearance: Math.min(...clearances),
    maximumClearance: Math.max(...clearances),
    averageClearance: sum(clearances) / clearances.length,
    length: sum(path.slice(1).map((point, index) => distanceBetween(path[index]!, point))),
    smoothness: sum(angles),
    sharpTurns: angles.filter((angle) => angle > 90).length,
    maximumAngle: Math.max(0, ...angles),
  }
}

/** The turn at every inner vertex, in degrees from 0 (straight on) to 180 (back). Repeated points have no direction and are left out. */
export function turnAngles(path: readonly Point[]): number[] {
  const directions = path.slice(1).flatMap(([x, y], index) => {
    const [fromX, fromY] = path[index]!
    const size = Math.hypot(x - fromX, y - fromY)
    return size === 0 ? [] : [[(x - fromX) / size, (y - fromY) / size] as const]
  })
  return directions.slice(1).map(([x, y], index) => {
    const [fromX, fromY] = directions[index]!
    return (Math.acos(Math.min(1, Math.max(-1, x * fromX + y * fromY))) * 180) / Math.PI
  })
}

function densePoints(path: readonly Point[], step: number): Point[] {
  return path.flatMap((point, index) => {
    const before = path[index - 1]
    if (before === undefined) return [point]
    const parts = Math.max(1, Math.ceil(distanceBetween(before, point) / step))
    return Array.from({ length: parts }, (_, part): Point => {
      const t = (part + 1) / parts
      return [before[0] + t * (point[0] - before[0]), before[1] + t * (point[1] - before[1])]
    })
  })
}
