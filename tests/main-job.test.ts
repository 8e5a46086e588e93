import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { readRecords } from '../src/data/index.ts'
import { command } from './command.ts'
import { testOnData } from './shared-data.ts'

// The command line on real data sets, without a line of code for any of them.

async function guerdon(...args: string[]) {
  const { exitCode, out, problems } = await command(args)
  expect(problems).toBe('')
  return { exitCode, json: JSON.parse(out) }
}

const newStore = () => join(mkdtempSync(join(tmpdir(), 'guerdon-main-job-')), 'store.db')

const systems = ['6b_finetuning', '6b_verification', '175b_finetuning', '175b_verification']

testOnData('gsm8k', 'the correctness of four systems, scored from their solutions', async (folder) => {
  const file = join(folder, 'test.jsonl.gz')
  const right = new Map(systems.map((system) => [system, 0]))
  for await (const { records } of readRecords(file))
    for (const { solutions } of records as unknown as {
      solutions: Record<string, { is_correct: boolean }>
    }[])
      for (const system of systems)
        right.set(system, right.get(system)! + Number(solutions[system]!.is_correct))
  const store = newStore()
  for (const system of systems) {
    const { json, exitCode } = await guerdon(
      ...[
        '--store',
        store,
        '--json',
        'score',
        file,
        '--run',
        system,
        '-r',
        'math=math(where=after:A:)',
        '-r',
        'length',
      ],
      ...[
        '--map',
        'prompt=question',
        `output=solutions.${system}.solution`,
        'reference=final',
        'meta=solutions',
      ],
    )
    expect(exitCode).toBe(0)
    expect(json.rows).toMatchObject({ samples: 660, bad: 0 })
    expect(Math.round(json.rewards.math.mean * json.rewards.math.scored)).toBe(right.get(system))
    const { json: comparison } = await guerdon(
      ...['--store', store, '--json', 'compare', system, '--label', `meta.solutions.${system}.is_correct`],
    )
    const [math, length] = comparison.rewards
    expect(math.kappa.plain.kappa).toBe(1)
    // Wrong solutions tend to be longer: length is no reward here.
    expect(length.spearman.high).toBeLessThan(0)
  }
})

testOnData(
  'toolrl',
  'gold responses earn the most, read from JSON Lines and from Parquet',
  async (folder) => {
    const { json } = await guerdon(
      ...[
        '--store',
        newStore(),
        '--json',
        'score',
        join(folder, 'sft.jsonl.gz'),
        '-r',
        'toolrl',
        '-r',
        'calls=tool-calls',
      ],
      ...['--map', 'prompt=input', 'output=output', 'reference=output'],
    )
    expect(json.rewards.toolrl).toMatchObject({ scored: 200, unscored: 0, maximum: 4 })
    // A gold without a call earns the format alone.
    expect(json.rewards.toolrl.minimum).toBe(1)
    const parquet = readdirSync(folder).find((name) => name.endsWith('.parquet'))!
    const { json: rows } = await guerdon(
      ...[
        '--store',
        newStore(),
        '--json',
        'score',
        join(folder, parquet),
        '-r',
        'toolrl',
        '--run',
        'parquet',
      ],
      ...[
        '--map',
        'prompt=prompt',
        'output=reward_model.ground_truth',
        'reference=reward_model.ground_truth',
      ],
    )
    expect(rows.rewards.toolrl).toMatchObject({ scored: 80, unscored: 0, maximum: 4 })
  },
)
