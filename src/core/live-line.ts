/** Where lines are drawn; `process.stderr` is one. */
export interface LineStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/**
 * Progress in one line: rewritten in place on a terminal, at most ten times a second; elsewhere (a log) a line every ten
 * seconds. What does not change is not drawn again by anyone but the caller.
 */
export interface LiveLine {
  /** Whether it is rewritten in place. */
  readonly live: boolean
  /** Whether `show` would draw now; the first line of a log waits its turn. */
  due(): boolean
  show(text: string): void
  /** Takes the line away, so that others can write. */
  clear(): void
  /** Another piece of work: its first line is due again. */
  restart(): void
}

export function liveLine(stream: LineStream = process.stderr): LiveLine {
  const live = stream.isTTY === true
  let last = 0
  let drawn = false
  return {
    live,
    due() {
      const now = Date.now()
      if (now - last < (live ? 100 : 10_000)) return false
      const isFirst = last === 0
      last = now
      return live || !isFirst
    },
    show(text) {
      stream.write(live ? `\r\u001b[K${text}` : `${text}\n`)
      drawn = live
    },
    clear() {
      if (drawn) stream.write('\r\u001b[K')
      drawn = false
    },
    restart() {
      last = 0
    },
  }
}
