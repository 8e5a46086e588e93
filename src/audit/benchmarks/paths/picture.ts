import { encodePng } from '../../../worlds/scenes/png.ts'
import type { PathEnvironment } from './environments.ts'
import { isInside, type Point } from './geometry.ts'

const pixels = 64

/** Two paths on the same map side by side, Path 1 on the left, as the bytes of a PNG. */
export function pathsPicture(environment: PathEnvironment, paths: readonly (readonly Point[])[]): Uint8Array {
  const gap = 4
  const width = paths.length * pixels + (paths.length - 1) * gap
  const data = new Uint8Array(width * pixels * 3).fill(255)
  const paint = (x: number, y: number, [red, green, blue]: readonly [number, number, number]) => {
    if (x >= 0 && y >= 0 && x < width && y < pixels) data.set([red, green, blue], (y * width + x) * 3)
  }
  const scale = pixels / environment.size
  for (const [index, path] of paths.entries()) {
    const left = index * (pixels + gap)
    for (let y = 0; y < pixels; y++)
      for (let x = 0; x < pixels; x++) {
        const point: Point = [(x + 0.5) / scale, (y + 0.5) / scale]
        if (environment.obstacles.some((obstacle) => isInside(point, obstacle)))
          paint(left + x, y, [70, 70, 70])
      }
    for (let i = 1; i < path.length; i++) {
      const [from, to] = [path[i - 1]!, path[i]!]
      for (let part = 0; part <= 32; part++) {
        const at = (axis: 0 | 1) => Math.floor((from[axis] + (part / 32) * (to[axis] - from[axis])) * scale)
        paint(left + at(0), at(1), [220, 30, 30])
      }
    }
    for (const [point, colour] of [
      [environment.start, [20, 140, 40]],
      [environment.goal, [30, 60, 220]],
    ] as const)
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++)
          paint(left + Math.floor(point[0] * scale) + dx, Math.floor(point[1] * scale) + dy, colour)
    if (index > 0)
      for (let y = 0; y < pixels; y++) for (let x = 1; x <= gap; x++) paint(left - x, y, [160, 160, 160])
  }
  return encodePng({ width, height: pixels, data })
}
