/** Where a policy was along its training: the mean of each component, and the gold that it had there. */
export interface MeasuredPoint {
  readonly components: readonly number[]
  readonly gold: number
}

/**
 * The measured point at which a smooth surface over all of them is highest: beyond it, more of a component costs gold. The
 * surface is the mean of gold under Gaussian weights of the given width (in the components' units). Of one component: where
 * training on it alone should have stopped; of several: their joint proxy point, which correlated components move.
 *
 * @throws RangeError without a point
 * @source arXiv 2310.04373 (section 4; its fitted surface is another one)
 */
export function proxyPoint(points: readonly MeasuredPoint[], width: number): MeasuredPoint {
  const smoothed = points.map(({ components }): MeasuredPoint => {
    let [sum, weight] = [0, 0]
    for (const other of points) {
      const squares = components.reduce((total, value, at) => total + (value - other.components[at]!) ** 2, 0)
      const near = Math.exp(-squares / (2 * width ** 2))
      sum += near * other.gold
      weight += near
    }
    return { components, gold: sum / weight }
  })
  const [first, ...others] = smoothed
  if (first === undefined) throw new RangeError('there is no proxy point without measurements')
  return others.reduce((best, point) => (point.gold > best.gold ? point : best), first)
}
