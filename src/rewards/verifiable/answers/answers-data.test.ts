import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { testOnData } from '../../../../tests/shared-data.ts'
import type { Reward, Sample } from '../../../core/index.ts'
import { extractBoxed, extractYesNo } from '../extract/extract.ts'
import { arithmetic, reachesTarget } from './arithmetic.ts'
import { choice } from './choice.ts'
import { contains } from './contains.ts'
import { exact } from './exact.ts'
import { grade } from './grade.ts'
import { math } from './math.ts'
import { readAnswer } from './math-answer.ts'
import { mathEqual } from './math-equality.ts'
import { numeric } from './numeric.ts'

type Row = any

function rowsOf(folder: string, file: string): Row[] {
  const bytes = readFileSync(join(folder, file))
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function expectedOf(folder: string, set: string): Row {
  return JSON.parse(readFileSync(join(folder, '../expected.json'), 'utf8'))[set]
}

const sample = (output: string, reference: Sample['reference'], id = ''): Sample => ({
  id,
  prompt: '',
  output,
  meta: {},
  ...(reference !== undefined && { reference }),
})

async function values(reward: Reward, samples: readonly Sample[]): Promise<(number | null)[]> {
  return (await reward.score(samples)).map(({ value }) => value)
}

testOnData(
  'gsm8k',
  'the correctness of all four systems is recomputed from their solutions',
  async (folder) => {
    const expected = expectedOf(folder, 'gsm8k')
    const all = rowsOf(folder, 'is-correct-all.jsonl')
    for (const [system, [right, rows]] of Object.entries(expected['all 1319']) as [string, number[]][]) {
      expect(all).toHaveLength(rows!)
      expect(all.filter((row) => row[system]).length, system).toBe(right)
    }
    const rows = rowsOf(folder, 'test.jsonl.gz')
    for (const reward of [math, numeric]) {
      const check = reward.create({ where: 'after:A:' })
      for (const [system, [right, count]] of Object.entries(expected['this part']) as [string, number[]][]) {
        const scores = await values(
          check,
          rows.map((row) => sample(row.solutions[system].solution, row.final)),
        )
        expect(scores).toEqual(rows.map((row) => (row.solutions[system].is_correct ? 1 : 0)))
        expect([scores.filter((score) => score === 1).length, scores.length]).toEqual([right, count])
      }
    }
  },
)

testOnData('gsm8k', 'the final answer stands after ####', async (folder) => {
  const rows = rowsOf(folder, 'test.jsonl.gz')
  const scores = await values(
    exact.create({ where: 'after:####', normalise: 'none' }),
    rows.map((row) => sample(row.answer, row.final)),
  )
  expect(scores.every((score) => score === 1)).toBe(true)
  const train = rowsOf(folder, 'train.jsonl.gz')
  const found = await numeric.create({}).score(train.map((row) => sample(row.answer, 0)))
  expect(found.every(({ parts }) => parts?.found === 1)).toBe(true)
})

testOnData('tora-gsm8k', 'numeric equality of ToRA-70B is as published', async (folder) => {
  const rows = rowsOf(folder, 'tora-70b-v1.0.jsonl.gz')
  const { numeric_equal } = expectedOf(folder, 'tora-gsm8k')['tora-70b-v1.0']
  for (const reward of [numeric.create({ where: 'whole' }), math.create({ where: 'whole' })]) {
    const scores = await values(
      reward,
      rows.map((row) => sample(String(row.pred), row.gt)),
    )
    expect(scores.filter((score) => score === 1).length / rows.length).toBeCloseTo(numeric_equal, 4)
  }
})

testOnData(
  'math-test',
  'every gold answer is extracted and equals itself, however it is dressed',
  (folder) => {
    const rows = rowsOf(folder, 'test.jsonl.gz')
    expect(rows).toHaveLength(2500)
    let readable = 0
    for (const { solution } of rows) {
      const gold = extractBoxed(solution).value!
      expect(gold).toBeTruthy()
      const dressed = [
        gold,
        `$${gold}$`,
        ` \\boxed{${gold}}.`,
        gold.replaceAll('\\frac', '\\dfrac'),
        gold.replaceAll('\\left', '').replaceAll('\\right', ''),
        gold.replace(/\\frac\{(\d+)\}\{(\d+)\}/g, '($1)/($2)'),
      ]
      for (const given of dressed) {
        // between an integer and a fraction a written division is not a mixed number
        if (/\d\s*\(\d+\)\//.test(given)) continue
        expect(mathEqual(given, gold), `${given} against ${gold}`).toEqual({ equal: true })
      }
      expect(grade(gold, gold)).toBe(true)
      if (readAnswer(gold).kind !== 'text') readable++
    }
    expect(readable).toBeGreaterThanOrEqual(2475)
  },
)

testOnData('math-test', 'different gold answers are not equal', (folder) => {
  const golds = [
    ...new Set(rowsOf(folder, 'test.jsonl.gz').map(({ solution }) => extractBoxed(solution).value!)),
  ]
  const equal: string[] = []
  for (let i = 0; i < golds.length; i++)
    for (let step = 1; step <= 12; step++) {
      const [a, b] = [golds[i]!, golds[(i + step * 37) % golds.length]!]
      if (a !== b && mathEqual(a, b).equal) equal.push(`${a} = ${b}`)
    }
  // the same but for what may be left out
  expect(equal).toEqual(['y = 2x = 2x', '87 = 87^\\circ'])
})

testOnData('theoremqa', 'typed checks find what equal strings find, and more', async (folder) => {
  const questions = rowsOf(folder, 'questions.jsonl')
  const expected = expectedOf(folder, 'theoremqa')
  const isNear = numeric.create({ where: 'whole', relativeTolerance: 0.01 })
  const checks: Record<string, (given: string, gold: string) => Promise<boolean>> = {
    bool: async (given, gold) =>
      extractYesNo(given, { position: 'only' }).value === (gold === 'True' ? 'yes' : 'no'),
    integer: async (given, gold) =>
      (await values(numeric.create({ where: 'whole' }), [sample(given, gold)]))[0] === 1,
    float: async (given, gold) => (await values(isNear, [sample(given, gold)]))[0] === 1,
    option: async (given, gold) =>
      (await values(choice.create({ where: 'whole' }), [sample(given, gold)]))[0] === 1,
    'list of integer': async (given, gold) => mathEqual(given, gold).equal === true,
    'list of float': async (given, gold) =>
      mathEqual(given, gold, { relativeTolerance: 0.01 }).equal === true,
  }
  const counts: Record<string, number> = {}
  for (const { Answer_type } of questions) counts[Answer_type] = (counts[Answer_type] ?? 0) + 1
  expect(counts).toEqual(expected.answer_types)
  const typed: Record<string, number> = {}
  for (const system of ['internlm2_20b_5shots_short', 'Mistral_7B_v0.1_5shots_mistral']) {
    const outputs = rowsOf(folder, `${system}.jsonl.gz`)
    let strings = 0
    typed[system] = 0
    for (const [index, row] of outputs.entries()) {
      const [given, gold] = [String(row.pred), String(row.gold[0])]
      const isSame = given === gold
      const isRight = await checks[questions[index].Answer_type]!(given, gold)
      if (isSame) strings++
      if (isRight) typed[system]!++
      expect(isRight || !isSame, `${given} against ${gold}`).toBe(true)
    }
    expect(strings).toBe(expected[system].exact_string)
  }
  expect(typed).toEqual({ internlm2_20b_5shots_short: 141, 'Mistral_7B_v0.1_5shots_mistral': 113 })
})

testOnData('evouna', 'agreement of answer checks with people, for five systems', async (folder) => {
  const rows = rowsOf(folder, 'NQ.jsonl.gz').filter(({ improper }) => !improper)
  const expected = expectedOf(folder, 'evouna').NQ
  expect(rows).toHaveLength(expected.proper)
  const words = contains.create({ normalise: 'words' })
  const parts = contains.create({ normalise: 'case', wholeWords: false })
  const agreement: Record<string, number> = {}
  for (const [system, accuracy] of Object.entries(expected.human_accuracy_proper) as [string, number][]) {
    const people = rows.map((row) => row[`judge_${system}`] === true)
    expect(people.filter(Boolean).length / rows.length).toBeCloseTo(accuracy, 4)
    const share = (verdicts: readonly boolean[]) =>
      verdicts.filter((verdict, index) => verdict === people[index]).length / rows.length
    const answers = rows.map((row) => String(row[`answer_${system}`] ?? ''))
    const aliases = rows.map((row): string[] =>
      row.golden_answer.split('/').map((alias: string) => alias.trim()),
    )
    const plain = answers.map((answer, index) =>
      aliases[index]!.some((alias) => answer.toLowerCase().includes(alias.toLowerCase())),
    )
    const published = expected.substring_match_agreement_with_human_proper[system]
    expect(share(plain)).toBeCloseTo(published, 4)
    const samples = answers.map((answer, index) => sample(answer, aliases[index]!.filter(Boolean)))
    const judged = async (reward: Reward) =>
      share((await values(reward, samples)).map((value) => value === 1))
    // runs of white space read as one find a little more
    expect(await judged(parts)).toBeGreaterThanOrEqual(published)
    agreement[system] = Math.round(1000 * (await judged(words))) / 1000
  }
  // accents and articles help; the broken spacing of newbing ("A. D .") costs
  expect(agreement).toEqual({ fid: 0.897, gpt35: 0.844, chatgpt: 0.804, gpt4: 0.822, newbing: 0.779 })
})

testOnData('game24', 'the verifier agrees with the stored rewards of all 10,000 samples', async (folder) => {
  const rows = rowsOf(folder, 'gpt4-naive_cot.jsonl.gz')
  const expected = expectedOf(folder, 'game24').naive_cot
  const numbersOf = (row: Row): number[] => row.puzzle.split(' ').map(Number)
  const verdicts = rows.map((row) => {
    const last = row.output.trim().split('\n').at(-1).toLowerCase().replace('answer: ', '')
    return reachesTarget(last.split('=')[0], numbersOf(row), 24) ? 1 : 0
  })
  expect(verdicts).toEqual(rows.map(({ r }) => r))
  expect(verdicts.reduce<number>((sum, verdict) => sum + verdict, 0) / rows.length).toBeCloseTo(
    expected.mean_r,
    4,
  )
  const solved = new Set(rows.filter((_, index) => verdicts[index] === 1).map(({ puzzle }) => puzzle))
  expect(solved.size / new Set(rows.map(({ puzzle }) => puzzle)).size).toBeCloseTo(expected.best_of_100, 2)
  // the reward also looks at what the equation claims
  const scores = await values(
    arithmetic.create({}),
    rows.map((row) => sample(row.output, { numbers: numbersOf(row) })),
  )
  expect(scores.filter((score, index) => score === rows[index].r).length).toBe(9999)
})
