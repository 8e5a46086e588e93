import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { command } from '../../../tests/command.ts'

const guerdon = (...args: string[]) => command(args)

test('two steps of a language model: weights, card and metrics', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-pretrain-'))
  const options = ['--steps', '2', '--out', folder, '--samples', '2', '--threads', '1', '--json']
  const { exitCode, out } = await guerdon('pretrain', 'text-lm', ...options)
  expect(exitCode).toBe(0)
  const { path, card, metrics } = JSON.parse(out)
  expect(existsSync(path)).toBe(true)
  expect(readFileSync(card, 'utf8')).toContain('Command: `guerdon pretrain text-lm --seed 0 --steps 2`')
  expect(metrics.map(({ name }: { name: string }) => name)).toContain('arithmetic accuracy')
}, 120_000)

test('an unknown model is named', async () => {
  const { exitCode, problems } = await guerdon('pretrain', 'text-ml')
  expect(exitCode).toBe(2)
  expect(problems).toContain('Did you mean "text-lm"?')
})
