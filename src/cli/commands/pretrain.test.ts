import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { program } from '../program.ts'
import type { Terminal } from '../terminal.ts'

async function guerdon(...args: string[]) {
  const lines: string[] = []
  const problems: string[] = []
  const terminal: Terminal = {
    result: (line) => lines.push(line),
    note: () => {},
    problem: (line) => problems.push(line),
    progress: () => {},
    progressEnd: () => {},
    width: 100,
    colour: false,
  }
  return { exit: await program(terminal).run(args), output: lines.join('\n'), problems: problems.join('\n') }
}

test('two steps of a language model: weights, card and metrics', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-pretrain-'))
  const options = ['--steps', '2', '--out', folder, '--samples', '2', '--threads', '1', '--json']
  const { exit, output } = await guerdon('pretrain', 'text-lm', ...options)
  expect(exit).toBe(0)
  const { path, card, metrics } = JSON.parse(output)
  expect(existsSync(path)).toBe(true)
  expect(readFileSync(card, 'utf8')).toContain('Command: `guerdon pretrain text-lm --seed 0 --steps 2`')
  expect(metrics.map(({ name }: { name: string }) => name)).toContain('arithmetic accuracy')
}, 120_000)

test('an unknown model is named', async () => {
  const { exit, problems } = await guerdon('pretrain', 'text-ml')
  expect(exit).toBe(2)
  expect(problems).toContain('Did you mean "text-lm"?')
})
