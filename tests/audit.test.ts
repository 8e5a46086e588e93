import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { audit } from '../src/apply/audit.ts'
import { auditReport } from '../src/apply/audit-report.ts'
import { auditVerdict, missedLimits } from '../src/apply/audit-verdict.ts'
import { fileBenchmark } from '../src/apply/file-benchmark.ts'
import { leaderboard } from '../src/apply/leaderboard.ts'
import { leaderboardReport } from '../src/apply/leaderboard-report.ts'
import { remembered } from '../src/apply/remembered.ts'
import { attacksNamed } from '../src/audit/attacks/index.ts'
import { type Comparator, defineReward, Rng, type Sample, textOf, unscored } from '../src/core/index.ts'
import { openStore } from '../src/store/index.ts'
import { noBrowser, openBrowser } from './browser.ts'

const script = '<script>window.attacked = 1</script><img src=x onerror="window.attacked = 2">'
const picture = `data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==`

/** Pairs whose better answer is right and mostly the shorter one; some hold markup. */
const pairs = Array.from({ length: 30 }, (_, i) => ({
  id: `q${i}`,
  prompt: `Question ${i}${i % 7 === 0 ? script : ''}: is it red?`,
  chosen: `It is red, as asked in ${i}.${i % 5 === 0 ? ' One looks at it and sees a red thing of some size.' : ''}`,
  rejected: `It may be blue, or green, or something else; one would have to look.${i % 4 === 0 ? script : ''}`,
}))
function pairFile(rows: readonly object[] = pairs): string {
  const file = join(mkdtempSync(join(tmpdir(), 'guerdon-audit-')), 'pairs.jsonl')
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))
  return file
}

const length = defineReward({ name: 'length', range: [0, 1e6], judge: ({ output }) => textOf(output).length })
const red = defineReward({ name: 'red', judge: ({ output }) => Number(/\bred\b/.test(textOf(output))) })
const brief = defineReward({
  name: 'brief',
  range: [-1e6, 0],
  judge: ({ output }) => (output === '.' ? unscored('refused', script) : -textOf(output).length),
})
const attacks = attacksNamed(['master-keys', 'verbosity', 'metadata', 'answer-in-comment'])
const common = async () => {
  const { benchmark, attackItems } = await fileBenchmark(pairFile())
  return { benchmarks: [benchmark!], attacks: { attacks, items: attackItems }, resamples: 100 }
}

describe('audit of a file of pairs', () => {
  test('says what a lover of length is good for, and where it fails', async () => {
    const found = await audit({ name: 'length', judge: length, ...(await common()) })
    const [{ result, length: bias }] = found.benchmarks as [(typeof found.benchmarks)[0]]
    expect(result.headline.score).toBeLessThan(0.3)
    expect(bias!.judgePrefers!.estimate).toBe(1)
    expect(bias!.balanced!.estimate).toBe(0.5)
    expect(bias!.correlation!.estimate).toBeCloseTo(1, 10)
    const text = JSON.stringify(auditVerdict(found))
    expect(text).toContain('worse than chance')
    expect(text).toContain('Loves length')
    expect(text).toMatch(/Fooled by [^"]*verbosity \(100%\)/)
  })
  test('keeps limits apart: a score too low, an attack that succeeds too often', async () => {
    const good = await audit({ name: 'red', judge: red, ...(await common()) })
    expect(good.benchmarks[0]!.result.headline.score).toBe(1)
    expect(missedLimits(good, { failBelow: 0.9 })).toEqual([])
    // A comment that holds the right answer fools whoever looks for words.
    expect(missedLimits(good, { failAttacksAbove: 0.2 })).toEqual([
      { what: 'answer-in-comment', limit: 0.2, value: 1 },
    ])
    const bad = await audit({
      name: 'length',
      judge: length,
      ...(await common()),
      attacks: undefined as never,
    })
    expect(missedLimits(bad, { failBelow: 0.9 })).toMatchObject([{ what: 'pairs', limit: 0.9 }])
  })
  test('a comparator that is too sure is found out by its calibration', async () => {
    const sure: Comparator = {
      name: 'sure',
      version: '1',
      params: {},
      compare: async (all) =>
        all.map(({ id, a }) => {
          const right = /\bred\b/.test(textOf(a.output))
          return { value: new Rng(id).chance(0.6) === right ? 0.95 : 0.05 }
        }),
    }
    const found = await audit({ name: 'sure', judge: sure, ...(await common()), attacks: undefined as never })
    const { calibration } = found.benchmarks[0]!
    expect(calibration!.expectedError).toBeGreaterThan(0.15)
    expect(found.benchmarks[0]!.result.firstSlot).toBeDefined()
  })
})

test('an audit that was killed goes on: nothing is asked twice, and the result is the same', async () => {
  const store = await openStore(join(mkdtempSync(join(tmpdir(), 'guerdon-audit-')), 'store.db'))
  const asked: string[] = []
  let failAfter = Number.POSITIVE_INFINITY
  const counting = defineReward({
    name: 'counting',
    judge: ({ id, output }) => {
      if (asked.length >= failAfter) throw new Error('killed')
      asked.push(id)
      return Number(/\bred\b/.test(textOf(output)))
    },
  })
  const options = { name: 'counting', judge: counting, ...(await common()), rng: new Rng('resume') }
  const whole = await audit(options)
  const total = asked.length
  asked.length = 0
  failAfter = Math.floor(total / 2)
  await audit({ ...options, store }) // what comes after the failure is unscored, and not kept
  failAfter = Number.POSITIVE_INFINITY
  const before = asked.length
  const resumed = await audit({ ...options, store })
  expect(asked.length - before).toBe(total - before)
  expect(resumed).toEqual(whole)
  const again = await audit({ ...options, store })
  expect(asked.length).toBe(total)
  expect(again).toEqual(whole)
  await store.close()
})

test('what is remembered: scores and firm failures, each draw by itself; not what may pass, not groups', async () => {
  const store = await openStore(join(mkdtempSync(join(tmpdir(), 'guerdon-audit-')), 'store.db'))
  let calls = 0
  const reward = defineReward({
    name: 'r',
    judge: ({ id }) => {
      calls++
      return id === 'out' ? unscored('outage', 'down') : id === 'no' ? unscored('refused', 'no') : calls / 100
    },
  })
  const sample = (id: string): Sample => ({ id, prompt: 'p', output: 'o', meta: {} })
  const all = ['a', 'out', 'no', 'a'].map(sample)
  const first = await remembered(reward, store).score(all)
  expect(calls).toBe(4)
  const second = await remembered(reward, store).score(all)
  expect(calls).toBe(5) // the outage alone
  expect(second).toEqual(first)
  expect(first[0]).not.toEqual(first[3]) // asked twice is judged twice
  await remembered(reward, store).score(all, { rng: new Rng('another seed') })
  expect(calls).toBe(9)
  await store.close()
})

test('a leaderboard tells who is better, who cannot be told apart, and who follows length', async () => {
  const { benchmark } = await fileBenchmark(pairFile())
  const twin = { ...red, name: 'twin', params: { twin: true } }
  const board = await leaderboard({
    judges: { length, red, twin, brief },
    benchmarks: [benchmark!],
    resamples: 100,
  })
  const [{ rows, differences }] = board.boards as [(typeof board.boards)[0]]
  expect(rows.map(({ judge, place }) => [judge, place])).toEqual([
    ['red', 1],
    ['twin', 1],
    ['brief', 3],
    ['length', 4],
  ])
  expect(rows[0]!.likeIt).toEqual(['twin'])
  expect(differences.find(({ first, second }) => first === 'red' && second === 'twin')).toMatchObject({
    items: 30,
    difference: { estimate: 0, low: 0, high: 0 },
  })
  expect(board.overall!.map(({ judge }) => judge).slice(2)).toEqual(['brief', 'length'])
  const page = await leaderboardReport(board)
  expect(page).toMatch(
    /Loves length<\/h3><ul><li><b>length<\/b>: pairs\.jsonl \(right in 100% where the better answer is the longer, 0% where it is the shorter; balanced 0\.50\)<\/li><\/ul>/,
  )
})

test('who judges nothing has no score, misses every limit and stands last', async () => {
  const { benchmark } = await fileBenchmark(pairFile())
  const silent = defineReward({ name: 'silent', needs: ['reference'], judge: () => 1 })
  const found = await audit({ name: 'silent', judge: silent, benchmarks: [benchmark!], resamples: 20 })
  expect(JSON.stringify(auditVerdict(found))).toContain('pairs.jsonl: nothing could be judged')
  expect(missedLimits(found, { failBelow: 0 })).toEqual([{ what: 'pairs', limit: 0, value: null }])
  const board = await leaderboard({ judges: { silent, length }, benchmarks: [benchmark!], resamples: 20 })
  expect(board.boards[0]!.rows.map(({ judge }) => judge)).toEqual(['length', 'silent'])
})

test('files of rated answers, of single labelled outputs, and without labels', async () => {
  const rated = pairFile(
    [0, 1].flatMap((prompt) =>
      [0, 1, 2].map((answer) => ({
        id: `${prompt}-${answer}`,
        prompt: `p${prompt}`,
        output: `o${answer}`,
        quality: answer,
      })),
    ),
  )
  expect((await fileBenchmark(rated)).benchmark!.items).toMatchObject([
    { kind: 'list', gold: [0, 1, 2] },
    { kind: 'list' },
  ])
  const single = pairFile([
    { prompt: 'a', output: 'x', label: true },
    { prompt: 'b', output: 'y', label: false },
  ])
  const labelled = await fileBenchmark(single)
  expect(labelled.benchmark!.items).toMatchObject([
    { kind: 'binary', good: true },
    { kind: 'binary', good: false },
  ])
  expect(labelled.attackItems).toMatchObject([{ good: { output: 'x' } }, { bad: { output: 'y' } }])
  const bare = await fileBenchmark(pairFile([{ prompt: 'a', output: 'x', reference: 'x' }]))
  expect(bare.benchmark).toBeNull()
  expect(bare.attackItems).toHaveLength(1)
})

let written: Promise<string> | undefined
/** The page of one audit, written once. */
function reportFile(): Promise<string> {
  written ??= writeReport()
  return written
}

async function writeReport(): Promise<string> {
  const { benchmark, attackItems } = await fileBenchmark(pairFile())
  const pictured = {
    ...benchmark!,
    items: benchmark!.items.map((item) =>
      item.kind === 'preference'
        ? {
            ...item,
            a: {
              ...item.a,
              prompt: [
                { type: 'image' as const, image: { url: picture } },
                { type: 'text' as const, text: script },
              ],
            },
          }
        : item,
    ),
  }
  const found = await audit({
    name: `brief ${script}`,
    judge: brief,
    benchmarks: [pictured],
    attacks: { attacks, items: attackItems },
    resamples: 100,
  })
  const file = join(mkdtempSync(join(tmpdir(), 'guerdon-audit-')), 'audit.html')
  const page = await auditReport({
    audit: found,
    missed: [{ what: script, limit: 0.9, value: null }],
    picture: async () => ({ width: 1, height: 1, dataUrl: picture }),
  })
  writeFileSync(file, page)
  return file
}

test('the report holds no markup from answers, prompts, names or reasons', async () => {
  const text = readFileSync(await reportFile(), 'utf8')
  expect(text).not.toContain('<script>window.attacked')
  expect(text).not.toContain('onerror="window')
  expect(text.match(/<script>/g)).toHaveLength(1)
  for (const title of ['Good for', 'Fails at', 'Limits not kept', 'Surest while wrong', 'Fooled'])
    expect(text).toContain(title)
})

describe.skipIf(noBrowser)(`in a browser${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  test('runs nothing from answers, asks the network for nothing, shows pictures, fits a phone', async () => {
    const page = await browser.newPage({ viewport: { width: 380, height: 800 }, colorScheme: 'dark' })
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) problems.push(request.url())
    })
    await page.goto(`file://${await reportFile()}`)
    expect(await page.evaluate('window.attacked')).toBeUndefined()
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true)
    const wide = `[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .chart')).map((e) => e.outerHTML.slice(0, 80))`
    expect(await page.evaluate(wide)).toEqual([])
    expect(await page.locator('section').first().locator('h2').textContent()).toBe('Verdict')
    expect(await page.locator('#cases .picture').count()).toBeGreaterThan(0)
    expect(problems).toEqual([])
    await page.close()
  }, 60_000)
})
