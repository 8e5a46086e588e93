import { type LineStream, liveLine } from '../../core/live-line.ts'
import { figure } from '../../stats/figure.ts'
import type { LoopRecord, RolloutRecord } from './monitors.ts'

/**
 * Shows a training while it runs, as `onIteration`: one line rewritten on a terminal, a line every ten seconds in a log.
 *
 * @example
 * await policyGradient({ ...options, onIteration: trainingProgress({ iterations: options.iterations }) })
 */
export function trainingProgress({
  iterations,
  label = 'training',
  stream = process.stderr,
}: {
  /** Of the training. */
  readonly iterations: number
  /** @default 'training' */
  readonly label?: string
  /** @default standard error */
  readonly stream?: LineStream
}): (record: LoopRecord<object>) => void {
  const line = liveLine(stream)
  return (record) => {
    const done = record.iteration + 1
    if (line.due() || (done === iterations && line.live))
      line.show(`${label}  ${done}/${iterations}  ${progressText(record)}`)
    if (done === iterations) line.clear()
  }
}

/** `reward 0.52, oracle 0.48, KL 1.2, length 14, gradient 0.31`: what a record says in a line. */
export function progressText(record: LoopRecord<Partial<RolloutRecord>>): string {
  const shown: readonly (readonly [string, number | null | undefined])[] = [
    ['reward', record.reward],
    ['oracle', record.oracle],
    ['loss', record.reward === undefined ? record.updates.loss : undefined],
    ['KL', record.kl],
    ['length', record.length],
    ['gradient', record.updates.gradientNorm],
  ]
  return shown
    .flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${figure(value)}`] : []))
    .join(', ')
}
