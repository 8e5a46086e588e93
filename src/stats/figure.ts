/** A number for people: thousands separated, `digits` decimals where it is no whole number, `-` for none. */
export function figure(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return '-'
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞'
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(digits)
}

/** An estimate with its interval for people: `0.512 [0.48, 0.55]`, `-` for none. */
export function intervalFigure(
  interval: { readonly estimate: number; readonly low: number; readonly high: number } | null | undefined,
): string {
  return interval === null || interval === undefined
    ? '-'
    : `${figure(interval.estimate)} [${figure(interval.low)}, ${figure(interval.high)}]`
}
