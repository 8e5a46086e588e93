import type { Rng } from '../../../core/index.ts'
import { crosses, distanceBetween, isInside, type Point, type Polygon } from './geometry.ts'

/** A square map with obstacles, a start and a goal. */
export interface PathEnvironment {
  readonly id: string
  /** Width and height. */
  readonly size: number
  readonly obstacles: readonly Polygon[]
  readonly start: Point
  readonly goal: Point
}

const size = 50

/** A field of random convex polygons; start and goal stand free in opposite corners. */
export function drawEnvironment(id: string, rng: Rng): PathEnvironment {
  const start: Point = [4, 4]
  const goal: Point = [size - 4, size - 4]
  const obstacles: Polygon[] = []
  const wanted = rng.int(4, 9)
  for (let attempt = 0; attempt < 100 && obstacles.length < wanted; attempt++) {
    const obstacle = drawPolygon(rng)
    const free = [start, goal].every(
      (point) => !isInside(point, obstacle) && obstacle.every((corner) => distanceBetween(point, corner) > 4),
    )
    if (free) obstacles.push(obstacle)
  }
  return { id, size, obstacles, start, goal }
}

/** Corners on a circle, in order of their angles. */
function drawPolygon(rng: Rng): Polygon {
  const [x, y, radius] = [6 + rng.uniform() * 38, 6 + rng.uniform() * 38, 2.5 + rng.uniform() * 4.5]
  const angles = Array.from({ length: rng.int(3, 8) }, () => rng.uniform() * 2 * Math.PI).sort(
    (a, b) => a - b,
  )
  return angles.map((angle): Point => [x + radius * Math.cos(angle), y + radius * Math.sin(angle)])
}

interface Tree {
  readonly points: Point[]
  readonly parents: number[]
}

/**
 * A free path by two trees that grow towards each other (RRT-Connect), or undefined when they do not meet. Its vertices
 * are the steps as they grew, so that paths differ in length, clearance and turns.
 */
export function drawPath(
  { start, goal, obstacles }: PathEnvironment,
  rng: Rng,
): readonly Point[] | undefined {
  const step = 2 + rng.uniform() * 3
  let [own, other]: Tree[] = [treeAt(start), treeAt(goal)]
  for (let attempt = 0; attempt < 400; attempt++) {
    const aim: Point = [rng.uniform() * size, rng.uniform() * size]
    const grown = extend(own!, aim, step, obstacles)
    if (grown !== undefined) {
      const target = own!.points[grown]!
      for (;;) {
        const reached = extend(other!, target, step, obstacles)
        if (reached === undefined) break
        if (distanceBetween(other!.points[reached]!, target) < 1e-9) {
          const [fromOwn, fromOther] = [branch(own!, grown), branch(other!, reached)]
          const path = [...fromOwn, ...fromOther.toReversed().slice(1)]
          return distanceBetween(path[0]!, start) === 0 ? path : path.toReversed()
        }
      }
    }
    ;[own, other] = [other!, own!]
  }
  return undefined
}

function treeAt(root: Point): Tree {
  return { points: [root], parents: [-1] }
}

/** Adds a step from the nearest point of the tree; the new point's place, or undefined where an obstacle is in the way. */
function extend(tree: Tree, aim: Point, step: number, obstacles: readonly Polygon[]): number | undefined {
  let nearest = 0
  for (let i = 1; i < tree.points.length; i++)
    if (distanceBetween(tree.points[i]!, aim) < distanceBetween(tree.points[nearest]!, aim)) nearest = i
  const from = tree.points[nearest]!
  const gap = distanceBetween(from, aim)
  if (gap === 0) return undefined
  const share = Math.min(1, step / gap)
  const to: Point =
    share === 1 ? aim : [from[0] + share * (aim[0] - from[0]), from[1] + share * (aim[1] - from[1])]
  if (obstacles.some((obstacle) => crosses(from, to, obstacle) || isInside(to, obstacle))) return undefined
  tree.points.push(to)
  tree.parents.push(nearest)
  return tree.points.length - 1
}

/** From the root to a point. */
function branch({ points, parents }: Tree, leaf: number): Point[] {
  const path: Point[] = []
  for (let at = leaf; at >= 0; at = parents[at]!) path.push(points[at]!)
  return path.toReversed()
}
