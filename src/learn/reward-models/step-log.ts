import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StepReport } from '../../tensor/train.ts'

/**
 * Writes one JSON line for each step into `seed-<member>.jsonl` of a folder; a resumed training drops the lines of steps
 * that it does again.
 */
export function stepLog(folder: string): (report: StepReport & { readonly member: number }) => void {
  const begun = new Set<number>()
  return ({ step, member, loss, metrics, gradientNorm, learningRate }) => {
    const file = join(folder, `seed-${member}.jsonl`)
    if (!begun.has(member)) {
      begun.add(member)
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, linesBefore(file, step))
    }
    appendFileSync(file, `${JSON.stringify({ step, loss, ...metrics, gradientNorm, learningRate })}\n`)
  }
}

function linesBefore(file: string, step: number): string {
  if (step === 0 || !existsSync(file)) return ''
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1) // a last line without its end was cut off
  return lines
    .filter((line) => (JSON.parse(line) as { step: number }).step < step)
    .map((line) => `${line}\n`)
    .join('')
}
