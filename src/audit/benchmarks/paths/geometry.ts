export type Point = readonly [x: number, y: number]
/** Corners in order; closed by itself. */
export type Polygon = readonly Point[]

export function distanceBetween([ax, ay]: Point, [bx, by]: Point): number {
  return Math.hypot(bx - ax, by - ay)
}

/** Distance from a point to a polygon, 0 inside and on the edge. */
export function distanceToPolygon(point: Point, polygon: Polygon): number {
  if (isInside(point, polygon)) return 0
  return Math.min(...edgesOf(polygon).map(([from, to]) => distanceToSegment(point, from, to)))
}

/** Whether a point lies inside a polygon (even-odd rule). */
export function isInside([x, y]: Point, polygon: Polygon): boolean {
  let inside = false
  for (const [[ax, ay], [bx, by]] of edgesOf(polygon))
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
  return inside
}

/** Whether a segment meets a polygon's edge or inside. */
export function crosses(from: Point, to: Point, polygon: Polygon): boolean {
  return isInside(from, polygon) || edgesOf(polygon).some(([a, b]) => segmentsMeet(from, to, a, b))
}

function edgesOf(polygon: Polygon): (readonly [Point, Point])[] {
  return polygon.map((corner, index) => [corner, polygon[(index + 1) % polygon.length]!] as const)
}

function distanceToSegment([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay]
  const squared = dx * dx + dy * dy
  const t = squared === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / squared))
  return Math.hypot(x - ax - t * dx, y - ay - t * dy)
}

function segmentsMeet(a: Point, b: Point, c: Point, d: Point): boolean {
  const side = (p: Point, q: Point, r: Point) =>
    Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))
  return side(a, b, c) * side(a, b, d) <= 0 && side(c, d, a) * side(c, d, b) <= 0
}
