/** Items per second of processor time (what else the machine does is not counted): the best of `runs`. */
export async function throughput(
  items: number,
  work: () => unknown,
  {
    runs = 5,
    warmups = 20,
    warmupMs = 0,
    minimumMs = 50,
  }: { runs?: number; warmups?: number; warmupMs?: number; minimumMs?: number } = {},
): Promise<number> {
  const warmMs = processorClock()
  for (let run = 0; run < warmups || warmMs() < warmupMs; run++) await work()
  let best = 0
  for (let run = 0; run < runs; run++) {
    const spentMs = processorClock()
    let done = 0
    let spent = 0
    do {
      await work()
      done += items
      spent = spentMs()
    } while (spent < minimumMs)
    best = Math.max(best, (done / spent) * 1000)
  }
  return best
}

/** A clock of processor time from now on [ms]: what else the machine does is not counted. */
export function processorClock(): () => number {
  const started = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(started)
    return (user + system) / 1000
  }
}

/** The least processor time of `runs` runs of `work` [ms], after one warm-up; no more runs than fit in `limitMs`. */
export async function fastestMs(
  work: () => unknown,
  { runs = 5, limitMs = Number.POSITIVE_INFINITY }: { runs?: number; limitMs?: number } = {},
): Promise<number> {
  await work()
  let [best, spent] = [Number.POSITIVE_INFINITY, 0]
  for (let run = 0; run < 3 || (run < runs && spent < limitMs); run++) {
    const elapsedMs = processorClock()
    await work()
    const ms = elapsedMs()
    best = Math.min(best, ms)
    spent += ms
  }
  return best
}

/** Rows as JSON (`--json`) or as a table with a heading. */
export function print(rows: readonly Readonly<Record<string, string | number>>[]): void {
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(rows)}\n`)
    return
  }
  const columns = Object.keys(rows[0] ?? {})
  const text = (value: string | number | undefined) =>
    typeof value === 'number'
      ? Number.isInteger(value)
        ? value.toLocaleString('en')
        : value.toFixed(2)
      : (value ?? '')
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => text(row[column]).length)),
  )
  const line = (cells: readonly (string | number | undefined)[]) =>
    cells
      .map((cell, index) =>
        typeof cell === 'number' ? text(cell).padStart(widths[index]!) : text(cell).padEnd(widths[index]!),
      )
      .join('  ')
      .trimEnd()
  process.stdout.write(
    [
      line(columns),
      line(widths.map((width) => '-'.repeat(width))),
      ...rows.map((row) => line(columns.map((column) => row[column]))),
    ]
      .map((row) => `${row}\n`)
      .join(''),
  )
}
