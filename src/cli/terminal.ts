import { liveLine } from '../core/live-line.ts'

/**
 * Exit codes: 0 all well; 1 a limit that was asked for is not kept; 2 something failed, or could not be judged (the
 * rest was done); 130 interrupted.
 */
export type ExitCode = 0 | 1 | 2 | 130

/** Where a command writes: results to stdout, everything else to stderr. Injected, so commands run in tests. */
export interface Terminal {
  /** One line of the result: what a script would read. */
  result(line: string): void
  /** One line for people. */
  note(line: string): void
  /** A warning or an error. */
  problem(line: string): void
  /**
   * Progress of long work; draws a bar on a terminal, a line every 10 s in a log, nothing with `--quiet` or
   * `--json`. `total` is null where it is not known. `shown` stands in for count and rate where the units of progress
   * (bytes) are not what people count. One label is one piece of work: another starts the clock anew.
   */
  progress(label: string, done: number, total: number | null, shown?: string): void
  /** Ends the progress line. */
  progressEnd(): void
  readonly width: number
  readonly colour: boolean
}

export function processTerminal({ quiet = false }: { quiet?: boolean } = {}): Terminal {
  const line = liveLine()
  let started = 0
  let firstDone = 0
  let label = ''
  return {
    result: (text) => {
      line.clear()
      process.stdout.write(`${text}\n`)
    },
    note: (text) => {
      if (quiet) return
      line.clear()
      process.stderr.write(`${text}\n`)
    },
    problem: (text) => {
      line.clear()
      process.stderr.write(`${text}\n`)
    },
    progress(name, done, total, shown) {
      if (quiet) return
      const now = Date.now()
      if (label !== name) {
        ;[label, started, firstDone] = [name, now, done]
        line.restart()
      }
      if (line.due())
        line.show(progressLine(name, done, total, done - firstDone, (now - started) / 1000, shown))
    },
    progressEnd() {
      line.clear()
      label = ''
    },
    width: process.stdout.columns ?? 100,
    colour: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  }
}

/** `scoring  [#####.....] 52%  104,000/200,000  91,204/s  1 s left` */
export function progressLine(
  name: string,
  done: number,
  total: number | null,
  doneHere: number,
  seconds: number,
  shown?: string,
): string {
  const rate = seconds > 0 ? doneHere / seconds : 0
  const count =
    total === null ? done.toLocaleString('en') : `${done.toLocaleString('en')}/${total.toLocaleString('en')}`
  const speed = `${Math.round(rate).toLocaleString('en')}/s`
  const amount = shown ?? `${count}  ${speed}`
  if (total === null || total === 0) return `${name}  ${amount}`
  const share = Math.min(1, done / total)
  const bar = '#'.repeat(Math.round(share * 20)).padEnd(20, '.')
  const left = rate > 0 ? `  ${duration((total - done) / rate)} left` : ''
  return `${name}  [${bar}] ${Math.floor(share * 100)}%  ${amount}${left}`
}

/** 8.3 s, 2 min 5 s, 1 h 10 min */
export function duration(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
