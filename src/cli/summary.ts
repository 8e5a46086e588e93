import type { RunSummary } from '../apply/run-summary.ts'
import { figure, table } from './table.ts'
import { duration, type Terminal } from './terminal.ts'

/** What a run found, for people. */
export function printSummary(summary: RunSummary, terminal: Terminal): void {
  const { rows, rewards, timing } = summary
  const rowsText = `${figure(rows.samples)} samples${rows.bad > 0 ? `, ${figure(rows.bad)} bad rows left out` : ''}`
  const speed =
    timing.newScores > 0
      ? ` in ${duration(timing.seconds)} (${figure(Math.round(timing.rowsPerSecond))} rows/s)`
      : ''
  terminal.result(
    `run ${summary.run}: ${rowsText}${speed}${summary.status === 'stopped' ? ' (stopped; the same command goes on)' : ''}`,
  )
  if (timing.newScores === 0 && rows.samples > 0) terminal.result('nothing was left to score')
  terminal.result('')
  const lines = table(
    ['reward', 'scored', 'unscored', 'mean', 'min', 'max', 'flat groups'],
    Object.entries(rewards).map(([name, reward]) => [
      name,
      figure(reward.scored),
      reward.unscored + reward.waiting > 0 ? figure(reward.unscored + reward.waiting) : '-',
      figure(reward.mean),
      figure(reward.minimum),
      figure(reward.maximum),
      reward.groups.groups === 0
        ? '-'
        : `${figure(reward.groups.zeroVariance)} of ${figure(reward.groups.groups)}`,
    ]),
  )
  for (const line of lines) terminal.result(line)
  for (const [name, { unscoredBy, abstained }] of Object.entries(rewards)) {
    const reasons = Object.entries(unscoredBy).map(([code, n]) => `${figure(n)} ${code}`)
    if (abstained > 0) reasons.push(`${figure(abstained)} of these abstained`)
    if (reasons.length > 0) terminal.result(`${name} could not judge: ${reasons.join(', ')}`)
  }
  for (const { message } of rows.firstBad.slice(0, 5)) terminal.problem(`bad row: ${message}`)
  if (rows.bad > 5) terminal.problem(`... and ${figure(rows.bad - 5)} more bad rows`)
}
