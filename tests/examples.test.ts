import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

// The examples as a reader runs them: each a process of its own, in an empty folder.

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'guerdon-examples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function node(args: readonly string[], options: { cwd?: string; input?: string } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=guerdon-source', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    ...options,
  })
  return { status, stdout, stderr }
}
const example = (name: string, ...args: string[]) => node([join(root, 'examples', name), ...args])
const command = join(root, 'src/cli/main.ts')

describe('examples', { timeout: 60_000 }, () => {
  test('a reward of your own', () => {
    const { status, stdout } = example('own-reward.ts')
    expect(stdout).toMatch(/^mix: 6 scored, 0 not, mean 0\.\d{3}\n.* -> a1\n.* -> b2\n$/)
    expect(status).toBe(0)
  })

  test('pairs for a trainer', () => {
    const out = join(folder, 'pairs.jsonl')
    const { status, stdout } = example('build-pairs.ts', out)
    expect(stdout).toContain('2 pairs of 2 prompts')
    expect(status).toBe(0)
    const rows = readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows.map(({ id }) => id)).toEqual(['a1>a3', 'b2>b1'])
  })

  test('a network of your own, as docs/tensor.md shows it', () => {
    const weights = join(folder, 'product.safetensors')
    const { status, stdout, stderr } = example('train-network.ts', weights)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^loss 0\.00\d+ at step 1499\nslope at \(0\.5, -1\): -1\.0, 0\.5\n$/)
    expect(status).toBe(0)
    const source = readFileSync(join(root, 'examples/train-network.ts'), 'utf8')
    const blocks = readFileSync(join(root, 'docs/tensor.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)
    const shown = [...blocks].map(([, code]) => code!)
    expect(shown.length).toBeGreaterThan(1)
    for (const code of shown) expect(source).toContain(code)
  })

  test('a vision-language model asked about a picture, as docs/embedded-models.md shows it', () => {
    const { status, stdout, stderr } = example('ask-about-scenes.ts')
    expect(stderr).toBe('')
    const [there, said, checked, yes, no, again] = stdout.split('\n')
    expect(there).toMatch(/^in the picture: (\w+ \w+, ){2}\w+ \w+$/)
    expect(said).toMatch(/ \| three \| yes$/)
    expect(checked).toMatch(/^(\d) of \1 claims are true$/)
    expect(yes).toMatch(/^yes (1\.00|0\.9\d), without the picture 0\.\d\d$/)
    expect(no).toMatch(/^"no" has -\d+\.\d nats$/)
    expect(again).toBe(`${said!.split(' |')[0]} (128 numbers of the last state)`)
    expect(status).toBe(0)
    const source = readFileSync(join(root, 'examples/ask-about-scenes.ts'), 'utf8')
    const page = readFileSync(join(root, 'docs/embedded-models.md'), 'utf8')
    const shown = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!)
    expect(shown.filter((code) => source.includes(code))).toHaveLength(1)
  })

  test('a reward that hangs, isolated', () => {
    const { status, stdout } = example('isolated-reward.ts')
    expect(stdout).toMatch(/^5 scored, unscored: {"timeout":1}\nline 6, sample b3: .*1000 ms\n$/)
    expect(status).toBe(0)
  })

  test('a configuration, also where no guerdon is installed beside it', () => {
    for (const name of ['guerdon.config.ts', 'answers.jsonl'])
      cpSync(join(root, 'examples', name), join(folder, name))
    const { status, stdout, stderr } = node([command, 'score', 'answers.jsonl', '--json'])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout).rewards).toMatchObject({ mix: { scored: 6 }, math: { scored: 6, mean: 0.5 } })
    expect(status).toBe(0)
  })
})

describe('the program as a process', { timeout: 60_000 }, () => {
  test('without arguments it prints help', () => {
    const { status, stdout, stderr } = node([command])
    expect(stdout).toMatch(/^Usage: guerdon/)
    expect([status, stderr]).toEqual([0, ''])
  })

  test('standard input; results and nothing else on stdout, no progress bar in a log', () => {
    const input = readFileSync(join(root, 'examples/answers.jsonl'), 'utf8')
    const { status, stdout, stderr } = node([command, 'score', '-', '-r', 'math'], { input })
    expect(stdout).toMatch(/^run \S+: 6 samples in .*\n\nreward .*\n-+ .*\nmath +6 .*\n$/)
    expect(stderr).toMatch(/^\nnext: guerdon rank/)
    expect(stderr).not.toContain('\u001b')
    expect(status).toBe(0)
    const broken = node([command, 'score', '-', '-r', 'math'], { input: `${input.trim()}\n{` })
    expect(broken.stderr).toContain('bad row: standard input:7')
    expect(broken.status).toBe(2)
  })

  test('a reader that has had enough is no error', () => {
    const run = `"$0" --conditions=guerdon-source "$1" rewards | head -n 1; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', run, process.execPath, command], { encoding: 'utf8' })
    expect(stdout).toMatch(/^reward .*\n0\n$/)
    expect(stderr).not.toContain('EPIPE')
  })
})
