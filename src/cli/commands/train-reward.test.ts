import { existsSync, mkdtempSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { command } from '../../../tests/command.ts'
import { Rng } from '../../core/index.ts'
import { rewardModel } from '../../rewards/learned/reward-model.ts'
import { openStore } from '../../store/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-train-reward-'))
const store = join(folder, 'store.db')
afterAll(() => rm(folder, { recursive: true, force: true }))

const guerdon = (...args: string[]) => command(['--store', store, ...args])

/** Reasons are better than guesses, on eight topics. */
async function pairsFile(): Promise<string> {
  const path = join(folder, 'pairs.jsonl')
  const rows = Array.from({ length: 80 }, (_, index) => {
    const rng = new Rng(index)
    const sentence = (word: string) =>
      [rng.pick(['cat', 'dog', 'tree']), word, rng.pick(['lamp', 'stone', 'cloud'])].join(' ')
    return {
      prompt: `about ${index}`,
      chosen: sentence('because'),
      rejected: sentence('perhaps'),
      topic: `topic ${index % 8}`,
    }
  })
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

const small = [
  '--steps',
  '40',
  '--rows',
  '16',
  '--rate',
  '5e-3',
  '--width',
  '16',
  '--depth',
  '1',
  '--vocabulary',
  '300',
  '--threads',
  '1',
]

test('pairs become a reward that is found by its path', async () => {
  const pairs = await pairsFile()
  const out = join(folder, 'my-reward')
  const {
    exitCode,
    out: said,
    problems,
  } = await guerdon(
    ...['train', 'reward', pairs, '--out', out, ...small],
    ...['--split-by', 'topic', '--test-share', '0.25', '--json'],
  )
  expect(problems).toBe('')
  expect(exitCode).toBe(0)
  const { name, data, evaluation } = JSON.parse(said)
  expect(name).toBe('my-reward')
  expect(data).toMatchObject({ pairs: 60, heldOut: 20 }) // two whole topics of eight
  expect(evaluation.accuracy.estimate).toBeGreaterThan(0.9)
  expect(existsSync(join(out, 'reward-model.safetensors'))).toBe(true)
  const sample = (text: string) => ({ id: text, prompt: 'about this', output: text, meta: {} })
  const [good, bad] = await rewardModel({ path: out }).score([
    sample('dog because stone'),
    sample('dog perhaps stone'),
  ])
  expect(good!.value).toBeGreaterThan(bad!.value!)

  // The page in the browser follows its log, and shows what it came to.
  const opened = await openStore(store)
  const [head] = await opened.documents.list('training')
  const { content } = (await opened.documents.find('training', head!.id))!
  await opened.close()
  expect(head!.title).toBe('Reward model my-reward')
  expect(content).toMatchObject({ status: 'complete', folder: join(out, 'log') })
  expect((content.measured as { name: string; value: number }[])[0]).toMatchObject({
    name: 'accuracy',
    value: evaluation.accuracy.estimate,
  })
  const lines = (await readFile(join(out, 'log', 'seed-0.jsonl'), 'utf8')).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).step)).toEqual(Array.from({ length: 40 }, (_, step) => step))
}, 120_000)

test('a field that pairs lack, and a trunk that there is not, are named', async () => {
  const pairs = await pairsFile()
  const out = join(folder, 'none')
  const field = await guerdon('train', 'reward', pairs, '--out', out, '--user', 'annotator')
  expect(field.exitCode).toBe(2)
  expect(field.problems).toContain('no annotator')
  const trunk = await guerdon('train', 'reward', pairs, '--out', out, '--on', 'embedded:nothing')
  expect(trunk.exitCode).toBe(2)
  expect(trunk.problems).toContain('nothing')
  expect(existsSync(out)).toBe(false)
})
