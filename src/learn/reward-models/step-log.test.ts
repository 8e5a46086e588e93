import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stepLog } from './step-log.ts'

test('a resumed training writes each step once, whatever its last moments left', () => {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-step-log-'))
  const report = (step: number, member = 0) => ({
    step,
    member,
    loss: 1 / (step + 1),
    metrics: { accuracy: 0.5 },
    gradientNorm: 1,
    learningRate: 1e-3,
  })
  const first = stepLog(folder)
  for (let step = 0; step < 5; step++) first(report(step))
  appendFileSync(join(folder, 'seed-0.jsonl'), '{"step":5,"lo')
  const again = stepLog(folder)
  for (let step = 3; step < 6; step++) again(report(step))
  again(report(0, 1))
  const steps = (file: string) =>
    readFileSync(join(folder, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).step)
  expect(steps('seed-0.jsonl')).toEqual([0, 1, 2, 3, 4, 5])
  expect(steps('seed-1.jsonl')).toEqual([0])
  rmSync(folder, { recursive: true })
})
