import { figure } from '../stats/figure.ts'

/** A text table: first column left-aligned, columns of numbers right-aligned, two spaces between. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const numeric = header.map(
    (_, column) =>
      column > 0 && rows.every((row) => /^$|^[-+<>]?[\d.,%]+([ ±[].*)?$|^-$/.test(row[column] ?? '')),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd()
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}

/** A count with its noun: `1 prompt`, `2,000 prompts`. */
export function counted(count: number, noun: string): string {
  return `${figure(count)} ${noun}${count === 1 ? '' : 's'}`
}
