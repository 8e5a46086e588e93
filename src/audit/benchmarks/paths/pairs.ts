import { Rng } from '../../../core/index.ts'
import { descriptorNames, type PathDescriptors, pathDescriptors } from './descriptors.ts'
import { drawEnvironment, drawPath, type PathEnvironment } from './environments.ts'
import type { Point } from './geometry.ts'
import { type PathScenario, pathLabel, pathScenarios } from './scenarios.ts'

export interface DescribedPath {
  readonly points: readonly Point[]
  readonly descriptors: PathDescriptors
}

export interface PathPair {
  readonly environment: PathEnvironment
  readonly scenario: PathScenario
  readonly paths: readonly [DescribedPath, DescribedPath]
  readonly label: 'Path 1' | 'Path 2'
}

/** Pairs of a seed without end: for each map the most different of its paths, each scenario in turn as far as it decides. */
export function* pathPairs(seed: string | number): Generator<PathPair> {
  let next = 0
  for (let index = 0; ; index++) {
    const id = `paths/${seed}/${index}`
    const rng = new Rng(id)
    const environment = drawEnvironment(id, rng)
    const found = Array.from({ length: 16 }, (_, run) => drawPath(environment, rng.fork(run)))
    const paths = found.flatMap((points) =>
      points === undefined || points.length < 3
        ? []
        : [{ points, descriptors: pathDescriptors(points, environment.obstacles) }],
    )
    const thresholds = spreadThresholds(paths)
    for (const [first, second] of mostDifferent(paths)) {
      // Scenarios are tried from the next one on, so that all come equally often where they can.
      for (let tried = 0; tried < pathScenarios.length; tried++) {
        const scenario = pathScenarios[(next + tried) % pathScenarios.length]!
        const label = pathLabel(first.descriptors, second.descriptors, scenario.wishes, thresholds)
        if (label === 'Unresolved') continue
        next += tried + 1
        yield { environment, scenario, paths: [first, second], label }
        break
      }
    }
  }
}

/** A tenth of the spread of each descriptor over a map's paths (of sharp turns one): differences below do not count. */
function spreadThresholds(paths: readonly DescribedPath[]): PathDescriptors {
  return Object.fromEntries(
    descriptorNames.map((name) => {
      const values = paths.map(({ descriptors }) => descriptors[name])
      const spread = values.length === 0 ? 0 : Math.max(...values) - Math.min(...values)
      return [name, name === 'sharpTurns' ? 1 : Math.max(1e-9, spread / 10)]
    }),
  ) as unknown as PathDescriptors
}

/** Up to five pairs by decreasing distance of the scaled descriptors, every path once. */
export function mostDifferent(paths: readonly DescribedPath[], most = 5): [DescribedPath, DescribedPath][] {
  const ranges = descriptorNames.map((name) => {
    const values = paths.map(({ descriptors }) => descriptors[name])
    return [Math.min(...values), Math.max(...values)] as const
  })
  const scaled = paths.map(({ descriptors }) =>
    descriptorNames.map((name, axis) => {
      const [low, high] = ranges[axis]!
      return high > low ? (descriptors[name] - low) / (high - low) : 0
    }),
  )
  const distance = (i: number, j: number) =>
    Math.hypot(...scaled[i]!.map((value, axis) => value - scaled[j]![axis]!))
  const pairs = paths
    .flatMap((_, i) => paths.slice(i + 1).map((_other, offset) => [i, i + 1 + offset] as const))
    .sort(([a, b], [c, d]) => distance(c, d) - distance(a, b))
  const used = new Set<number>()
  return pairs
    .filter(([i, j]) => {
      if (used.has(i) || used.has(j) || used.size >= 2 * most) return false
      used.add(i).add(j)
      return true
    })
    .map(([i, j]) => [paths[i]!, paths[j]!])
}
