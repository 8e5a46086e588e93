/** A number for people: thousands separated, three decimals where it is no whole number, `-` for none. */
export function figure(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '-'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const text = Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(digits)
  return text.replace('-', '−')
}

export function percent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined ? '-' : `${(100 * share).toFixed(digits)}%`
}

export function interval(of: { low: number; high: number } | null | undefined, digits = 3): string {
  return of === null || of === undefined ? '' : `[${figure(of.low, digits)}, ${figure(of.high, digits)}]`
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`
}

/** 24 Nov 2026, 14:05 */
export function moment(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  return date.toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  })
}

export function bounds([low, high]: readonly [number | null, number | null]): string {
  return `[${low === null ? '−∞' : figure(low)}, ${high === null ? '∞' : figure(high)}]`
}

/** Where a value stands in its range, in [0, 1]; null where the range has no end. */
export function shareOf(
  value: number | null | undefined,
  [low, high]: readonly [number | null, number | null],
): number | null {
  if (value === null || value === undefined || low === null || high === null || high <= low) return null
  return Math.min(1, Math.max(0, (value - low) / (high - low)))
}
