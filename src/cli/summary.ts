import type { RewardSummary, RunSummary } from '../apply/run-summary.ts'
import { figure } from '../stats/figure.ts'
import { counted, table } from './table.ts'
import { duration, type Terminal } from './terminal.ts'

/** Bad rows, and warnings, that are told one by one. */
const told = 5

/** What a run found, for people: the numbers as the result, and every kind of failure with its first place. */
export function printSummary(summary: RunSummary, terminal: Terminal): void {
  const { rows, rewards, timing } = summary
  const speed =
    timing.newScores > 0
      ? ` in ${duration(timing.seconds)} (${figure(Math.round(timing.rowsPerSecond))} rows/s)`
      : ''
  const bad = rows.bad > 0 ? `, ${counted(rows.bad, 'bad row')} left out` : ''
  const warned = rows.warnings > 0 ? `, ${counted(rows.warnings, 'warning')}` : ''
  const stopped = summary.status === 'stopped' ? ` (stopped; ${howToGoOn(summary)})` : ''
  terminal.result(`run ${summary.run}: ${counted(rows.samples, 'sample')}${bad}${warned}${speed}${stopped}`)
  const asked = Object.values(rewards).reduce((sum, { scored, unscored }) => sum + scored + unscored, 0)
  if (timing.newScores > 0 && asked > timing.newScores)
    terminal.result(
      `went on with this run: ${counted(asked - timing.newScores, 'score')} stood there already`,
    )
  if (timing.newScores === 0 && rows.samples > 0 && summary.status === 'complete')
    terminal.result('nothing was left to score')
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
  for (const [name, reward] of Object.entries(rewards)) printFailures(name, reward, summary, terminal)
  printNotes('bad row', rows.bad, rows.firstBad, terminal)
  printNotes('warning', rows.warnings, rows.firstWarnings, terminal)
}

function howToGoOn({ run, source }: RunSummary): string {
  return source === '-' ? `--run ${run} with the same input goes on` : 'the same command goes on'
}

/** For each code how many samples, and where the first stands and why. */
function printFailures(
  name: string,
  { unscored, unscoredBy, abstained, firstUnscored, waiting }: RewardSummary,
  { source }: RunSummary,
  terminal: Terminal,
): void {
  if (waiting > 0) terminal.result(`${name} has not been asked about ${counted(waiting, 'sample')} yet`)
  if (unscored === 0) return
  const reasons = Object.entries(unscoredBy).map(([code, count]) => `${figure(count)} ${code}`)
  if (abstained > 0) reasons.push(`${figure(abstained)} of these abstained`)
  terminal.result(`${name} could not judge ${counted(unscored, 'sample')}: ${reasons.join(', ')}`)
  const file = source === undefined ? 'row ' : source === '-' ? 'standard input:' : `${source}:`
  for (const { code, line, sample, reason } of firstUnscored)
    terminal.problem(
      `${name}, first ${code}: ${file}${line}, sample "${shortened(sample)}": ${shortened(reason, 400)}`,
    )
}

function printNotes(
  noun: string,
  count: number,
  first: RunSummary['rows']['firstBad'],
  terminal: Terminal,
): void {
  for (const { message } of first.slice(0, told)) terminal.problem(`${noun}: ${shortened(message, 1000)}`)
  if (count > told) terminal.problem(`... and ${counted(count - told, `more ${noun}`)}`)
}

/** A text on one line, cut after so many characters. */
export function shortened(text: string, longest = 60): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > longest ? `${line.slice(0, longest)}...` : line
}
