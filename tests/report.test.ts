import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scoreRun } from '../src/apply/run.ts'
import { writeReport } from '../src/cli/commands/report.ts'
import { defineReward, type Sample, textOf, unscored } from '../src/core/index.ts'
import { openStore } from '../src/store/index.ts'
import { noBrowser, openBrowser } from './browser.ts'

const attack = '<script>window.attacked = 1</script><img src=x onerror="window.attacked = 2">'
const scriptedSvg = `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>top.attacked = 3</script></svg>').toString('base64')}`

const samples: Sample[] = Array.from({ length: 12 }, (_, index) => ({
  id: index === 0 ? `s0${attack}` : `s${index}`,
  prompt: index % 2 === 0 ? 'even' : attack,
  output: index === 3 ? `${attack}</pre></article>` : `answer number ${index}`,
  group: `g${Math.floor(index / 4)}`,
  meta: { kind: index < 6 ? 'low' : 'high', quality: index / 11, recipe: attack },
}))

const length = defineReward({
  name: 'length',
  range: [0, 1000],
  judge: ({ id, output }) =>
    id === 's5'
      ? unscored('bad-input', attack)
      : {
          value: textOf(output).length,
          parts: { [attack]: 1 },
          evidence: [
            { kind: 'span', in: 'output', start: 0, end: 6, label: attack, good: false },
            { kind: 'image', role: attack, dataUrl: scriptedSvg },
            { kind: 'image', role: 'none', dataUrl: 'javascript:attacked=4' },
          ],
        },
})
const index = defineReward({ name: 'index', range: [0, 11], judge: ({ id }) => Number(/\d+/.exec(id)?.[0]) })

async function reportFile(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-report-'))
  const store = await openStore(join(folder, 'store.db'))
  const { run } = await scoreRun({
    samples: [{ samples, lines: samples.map((_, i) => i + 1), errors: [] }],
    rewards: { length, index },
    store,
  })
  const file = join(folder, 'report.html')
  await writeReport({ config: {}, configFile: null, store }, run, file, {
    gold: 'meta.quality',
    breakdown: 'meta.recipe',
  })
  await store.close()
  return file
}

test('the report states what was not judged, and holds no markup from samples', async () => {
  const text = readFileSync(await reportFile(), 'utf8')
  expect(text).toContain('1 bad-input')
  expect(text).toContain('Best of n')
  expect(text).not.toContain('<script>window.attacked')
  expect(text).not.toContain('onerror="window')
  expect(text).not.toContain('javascript:attacked')
  expect(text.match(/<script>/g)).toHaveLength(1)
})

describe.skipIf(noBrowser)(`in a browser${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  test('filters, orders, runs nothing from samples and asks the network for nothing', async () => {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) problems.push(request.url())
    })
    await page.goto(`file://${await reportFile()}`)
    const cards = page.locator('article:visible')
    expect(await cards.count()).toBe(12)
    await page.getByRole('combobox', { name: 'kind' }).selectOption('high')
    expect(await cards.count()).toBe(6)
    await page.getByRole('combobox', { name: 'kind' }).selectOption('')
    await page.getByRole('searchbox', { name: 'search' }).fill('answer number 7')
    expect(await cards.count()).toBe(1)
    expect(await page.locator('.count').textContent()).toBe('1 of 12 shown')
    await page.getByRole('searchbox', { name: 'search' }).fill('')
    await page.getByRole('combobox', { name: 'order' }).selectOption({ label: 'index, highest first' })
    expect(await cards.first().locator('h3 span').first().textContent()).toBe('s11')
    // A sample without a score comes last in either direction.
    await page.getByRole('combobox', { name: 'order' }).selectOption({ label: 'length, lowest first' })
    expect(await cards.last().locator('h3 span').first().textContent()).toBe('s5')
    expect(await page.evaluate('window.attacked')).toBeUndefined()
    expect(
      await page
        .locator('figure.picture img')
        .first()
        .evaluate((image) => (image as unknown as { complete: boolean }).complete),
    ).toBe(true)
    expect(problems).toEqual([])
    await page.close()
  })

  test('fits a phone: nothing but tables scrolls sideways', async () => {
    const page = await browser.newPage({ viewport: { width: 380, height: 800 } })
    await page.goto(`file://${await reportFile()}`)
    const wide = `[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .chart')).map((e) => e.outerHTML.slice(0, 80))`
    expect(await page.evaluate(wide)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true)
    await page.close()
  })
})

test('a report without prompts in common or a truth is drawn too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-report-'))
  const store = await openStore(join(folder, 'store.db'))
  const file = join(folder, 'data.jsonl')
  writeFileSync(file, '{"prompt":"a","output":"b"}\n')
  const { run } = await scoreRun({ samples: file, rewards: { length }, store })
  await writeReport({ config: {}, configFile: null, store }, run, join(folder, 'r.html'), {})
  expect(readFileSync(join(folder, 'r.html'), 'utf8')).toContain('row-1')
  await store.close()
})
