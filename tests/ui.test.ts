import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { audit } from '../src/apply/audit.ts'
import { auditDocument, leaderboardDocument } from '../src/apply/kept-documents.ts'
import { leaderboard } from '../src/apply/leaderboard.ts'
import type { Benchmark } from '../src/audit/benchmarks/index.ts'
import { defineReward, identityOf, type Sample, type Score, textOf } from '../src/core/index.ts'
import { trainingDocument } from '../src/learn/trainers/kept-training.ts'
import { type RunningServer, startUi } from '../src/serve/ui-server.ts'
import { openStore, type Store } from '../src/store/index.ts'
import { noBrowser, openBrowser } from './browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-ui-'))
const attack = '<script>window.attacked=1</script><img src=x onerror="window.attacked=2">'
const badName = '"><img src=x onerror=window.attacked=3>.png'
const scripted =
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="top.attacked=4"><script>top.attacked=5</script><image href="http://attacker.test/a.png"/><rect width="9" height="9"/></svg>'
const fetching = JSON.stringify({ data: { url: 'http://attacker.test/d.json' }, mark: 'bar', encoding: {} })
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const dataOf = (svg: string) => `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`

/** The sample that has masks. */
const masked = 10

const samples: Sample[] = Array.from({ length: 40 }, (_, index) => ({
  id: index === 1 ? `s1 ${attack}` : `s${index}`,
  group: `g${Math.floor(index / 4)}`,
  prompt:
    index % 4 === 2
      ? [
          {
            type: 'image',
            image: { path: index === 2 ? badName : index === 6 ? '../../etc/passwd' : 'a.png' },
          },
          { type: 'text', text: `look ${attack}` },
        ]
      : [{ role: 'user', content: `question ${Math.floor(index / 4)} ${attack}` }],
  output:
    index === masked
      ? JSON.stringify([{ segmentation: [[0, 0, 1, 0, 1, 1]], label: attack }])
      : index === 3
        ? `${attack}</pre><a href="javascript:window.attacked=6">x</a>`
        : index === 4
          ? scripted
          : index === 5
            ? fetching
            : `answer number ${index}`,
  reference:
    index === masked ? [{ segmentation: { size: [2, 2], counts: '121' }, label: attack, image: 0 }] : attack,
  meta: { kind: index < 20 ? 'low' : 'high', model: `model-${index % 4}`, [attack]: attack },
}))

function reward(name: string, range: readonly [number, number] = [0, 1]) {
  return { name, reward: name, version: '1', params: {}, range, identity: identityOf({ name }) }
}

const scoresOf = (sign: 1 | -1): Score[] =>
  samples.map((_, index) => ({
    value: sign > 0 ? (index % 8) / 7 : 1 - (index % 8) / 7,
    parts: { correct: (index % 8) / 7, [attack]: 1 },
    rationale: attack,
    evidence: [
      { kind: 'span', in: 'output', start: 0, end: 6, label: attack, good: sign > 0 },
      { kind: 'box', image: 0, box: [0, 0, 1, 1], role: 'predicted', label: attack },
      { kind: 'image', role: attack, dataUrl: dataOf(scripted) },
      { kind: 'image', role: 'none', dataUrl: 'javascript:window.attacked=7' },
    ],
  }))

/** A store with a run that attacks, one of a hundred thousand samples, an audit, a leaderboard and a live training. */
async function filled(path: string): Promise<void> {
  const store = await openStore(path)
  const source = join(folder, 'data.jsonl')
  writeFileSync(join(folder, 'a.png'), pixel)
  writeFileSync(join(folder, badName.replaceAll('/', '')), pixel)
  const positions = samples.map((_, index) => index + 1)
  for (const [id, created] of [
    ['hostile', '2026-01-02T00:00:00.000Z'],
    ['many', '2026-01-01T00:00:00.000Z'],
  ] as const)
    await store.runs.create({ id, created, source, config: {} })
  await store.runs.addRewards('hostile', [reward('strict'), reward('lax')])
  await store.runs.record('hostile', {
    samples: samples.map((sample, index) => ({ position: index + 1, sample })),
    scores: [
      { reward: 'strict', positions, scores: scoresOf(1) },
      { reward: 'lax', positions, scores: scoresOf(-1) },
    ],
  })
  // The same samples once more, answered and judged in another way.
  await store.runs.create({ id: 'again', created: '2025-12-31T00:00:00.000Z', source, config: {} })
  await store.runs.addRewards('again', [reward('strict'), reward('lax')])
  const few = positions.slice(0, 10)
  await store.runs.record('again', {
    samples: few.map((position) => ({
      position,
      sample: { ...samples[position - 1]!, output: `another answer ${position}` },
    })),
    scores: [
      {
        reward: 'strict',
        positions: few,
        scores: few.map((position) => ({ value: position === 8 ? 0 : 0.5 })),
      },
      { reward: 'lax', positions: few, scores: few.map(() => ({ value: 0.5 })) },
    ],
  })
  await store.runs.addRewards('many', [reward('strict')])
  for (let first = 1; first <= 100_000; first += 5000) {
    const part = Array.from({ length: 5000 }, (_, index) => first + index)
    await store.runs.record('many', {
      samples: part.map((position) => ({
        position,
        sample: {
          id: `row-${position}`,
          prompt: `p${position >> 2}`,
          output: `word${position % 997}`,
          meta: {},
        },
      })),
      scores: [
        {
          reward: 'strict',
          positions: part,
          scores: part.map((position) => ({ value: ((position * 7919) % 100_000) / 100_000 })),
        },
      ],
    })
  }
  for (const id of ['hostile', 'many', 'again']) await store.runs.setStatus(id, 'complete')

  const benchmark = pairsBenchmark()
  const length = defineReward({
    name: 'length',
    range: [0, 1000],
    judge: ({ output }) => textOf(output).length,
  })
  const picture = async () => 'none'
  const created = '2026-01-03T00:00:00.000Z'
  const found = await audit({ name: 'length', judge: length, benchmarks: [benchmark], resamples: 50 })
  await store.documents.keep(await auditDocument(found, { created, picture }))
  const shortness = defineReward({
    name: 'short',
    range: [-1000, 0],
    judge: ({ output }) => -textOf(output).length,
  })
  const board = await leaderboard({
    judges: { length, short: shortness },
    benchmarks: [benchmark],
    resamples: 50,
  })
  await store.documents.keep(await leaderboardDocument(board, { created, picture }))

  mkdirSync(join(folder, 'training/seed-0/with'), { recursive: true })
  writeFileSync(log, [0, 1, 2].map((iteration) => logLine(iteration)).join(''))
  await store.documents.keep({
    kind: 'reproduction',
    id: 'toy',
    created,
    title: 'Toy',
    content: {
      claim: 'It learns.',
      folder: join(folder, 'training'),
      status: 'running',
      arms: { with: 'the method' },
    },
  })
  await store.close()
}

const log = join(folder, 'training/seed-0/with/training.jsonl')
const logLine = (iteration: number) =>
  `${JSON.stringify({ iteration, reward: iteration / 10, updates: { loss: 1 } })}\n`

function pairsBenchmark(): Benchmark {
  const sample = (id: string, output: string): Sample => ({
    id,
    prompt: `which? ${attack}`,
    output,
    meta: {},
  })
  return {
    spec: {
      name: 'toy-pairs',
      title: 'Toy pairs',
      source: 'made here',
      summary: 'Agrees with the labels.',
      kind: 'preference',
      chance: 0.5,
      aggregation: {},
    } as unknown as Benchmark['spec'],
    items: Array.from({ length: 12 }, (_, index) => ({
      kind: 'preference' as const,
      id: `pair-${index}`,
      subset: index % 2 ? 'odd' : 'even',
      a: sample(`a${index}`, 'long answer '.repeat(3)),
      b: sample(`b${index}`, attack.slice(0, 20)),
      label: index % 3 === 0 ? -1 : 1,
    })),
    source: 'made here',
    problems: [],
  }
}

// A busy machine draws slowly: the limits are for what hangs.
describe.skipIf(noBrowser)(
  `the page in a browser${noBrowser ? ` (${noBrowser})` : ''}`,
  { timeout: 180_000 },
  () => {
    const path = join(folder, 'store.db')
    let browser: Browser
    let store: Store
    let server: RunningServer
    let context: BrowserContext
    const problems: string[] = []
    let asked = 0
    // As a judge would: it asks, and costs.
    const judge = defineReward({
      name: 'judge',
      needs: ['chat'],
      judge: ({ output }) => {
        asked++
        return { value: textOf(output).includes('42') ? 1 : 0, rationale: 'so it is', usage: { calls: 1 } }
      },
    })

    beforeAll(async () => {
      const { buildUi, isBuilt } = await import(new URL('../scripts/build-ui.mjs', import.meta.url).href)
      await Promise.all([filled(path), isBuilt() ? undefined : buildUi()])
      store = await openStore(path)
      server = await startUi({ store, given: { judge } })
      browser = await openBrowser()
      context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    }, 180_000)
    afterAll(async () => {
      await browser?.close()
      await server?.close()
      await store?.close()
      rmSync(folder, { recursive: true, force: true })
    })

    /** A page that notes everything it must not do. */
    async function opened(route: string, from: BrowserContext = context, base = server.url): Promise<Page> {
      const page = await from.newPage()
      page.setDefaultTimeout(60_000)
      page.on('pageerror', (error) => problems.push(error.message))
      page.on('request', (request) => {
        if (!request.url().startsWith(base) && !request.url().startsWith('data:'))
          problems.push(request.url())
      })
      page.on('console', (message) => {
        if (/Content Security Policy|Refused to/.test(message.text())) problems.push(message.text())
      })
      await page.goto(`${base}/#${route}`)
      await page.locator('main h1').first().waitFor()
      return page
    }
    const settled = (page: Page) =>
      page.waitForFunction('!document.querySelector("[aria-label=Loading]")', undefined, { timeout: 60_000 })
    const cards = (page: Page) => page.locator('.sample .open')
    const card = (page: Page, id: string) => page.getByRole('button', { name: id, exact: true })

    test('samples by mouse: search, order, filter, one sample with its parts, the next, back', async () => {
      const page = await opened('/')
      await page.getByRole('link', { name: /Look at 40 samples/ }).click()
      await cards(page).first().waitFor()
      await page.getByLabel('Search').fill('number 17')
      await page.getByText('1 of 40 samples').waitFor()
      await page.getByLabel('Search').fill('')
      await page.getByText('40 samples', { exact: true }).waitFor()
      await page.getByRole('combobox', { name: 'Order' }).click()
      await page.getByRole('option', { name: 'strict pays more than lax' }).click()
      // Of those as far apart the last of the data comes first when the order is from its end.
      await cards(page).first().filter({ hasText: 's39' }).waitFor()
      await page.getByRole('combobox', { name: 'kind' }).click()
      await page.getByRole('option', { name: /high/ }).click()
      await page.getByText('20 of 40 samples').waitFor()
      await cards(page).first().click()
      const dialog = page.getByRole('dialog')
      await dialog.getByText('correct').first().waitFor()
      expect(await dialog.locator('mark').first().textContent()).toBe('answer')
      const first = await dialog.locator('h2').textContent()
      await dialog.getByRole('button', { name: 'Next sample (j)' }).click()
      await dialog.locator('h2').filter({ hasNotText: first! }).waitFor()
      await dialog.getByRole('button', { name: 'Close' }).click()
      await dialog.waitFor({ state: 'detached' })
      await page.close()
    })

    test('samples by keyboard alone', async () => {
      const page = await opened('/')
      await page.keyboard.press('g')
      await page.keyboard.press('s')
      await cards(page).first().waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('number 8')
      await page.getByText('1 of 40 samples').waitFor()
      await card(page, 's9').waitFor({ state: 'detached' })
      await page.keyboard.press('Escape')
      await card(page, 's8').focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').getByText('correct').first().waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await page.keyboard.press('?')
      const keys = page.getByRole('dialog', { name: 'Keys' })
      await keys.waitFor()
      expect(await keys.getByRole('heading').allTextContents()).toEqual(['Keys', 'Samples', 'Go to'])
      for (const [key, does] of [
        ['/', 'Search'],
        ['f', 'Filters'],
        ['g v', 'Votes'],
      ] as const)
        await keys.getByRole('row', { name: `${key.split(' ').join('')} ${does}`, exact: true }).waitFor()
      await page.close()
    })

    test('two runs side by side, widest apart first', async () => {
      const page = await opened('/samples/hostile')
      await cards(page).first().waitFor()
      await page.keyboard.press('c')
      const differences = page.getByRole('region', { name: 'Against again' }).getByRole('row')
      // Ten samples: eight equal steps from 0 to 1 and the first two again, against one half but for one 0.
      await differences.filter({ hasText: 'strict' }).getByText('−0.036').waitFor()
      await differences.getByRole('button', { name: 'lax' }).click()
      await page.getByRole('combobox', { name: 'Order' }).click()
      await page.getByRole('option', { name: 'strict here more than in again' }).click()
      // 7/7 here and 0 there.
      const first = page.locator('.sample').first()
      await first.getByText('another answer 8').waitFor()
      await first.getByText('+1', { exact: true }).waitFor()
      await cards(page).first().filter({ hasText: 's7' }).click()
      const beside = page.getByRole('dialog').getByRole('region', { name: 'Beside again' })
      await beside.getByRole('region', { name: 'hostile' }).getByText('answer number 7').waitFor()
      await beside.getByRole('region', { name: 'again' }).getByText('another answer 8').waitFor()
      expect(await beside.locator('tbody tr').allInnerTexts()).toEqual([
        'strict\t1\t0\t+1',
        'lax\t0\t0.500\t−0.500',
      ])
      await page.keyboard.press('k')
      await page.keyboard.press('j')
      await beside.getByRole('region', { name: 'again' }).waitFor()
      await page.close()
    })

    test('masks lie over the picture, and keys and buttons take them away', async () => {
      const page = await opened(`/samples/hostile/-/${masked + 1}`)
      const dialog = page.getByRole('dialog')
      const regions = dialog.locator('svg path[fill-opacity]')
      await regions.first().waitFor()
      expect(await regions.count()).toBe(2)
      await dialog.getByRole('button', { name: /^reference/ }).click()
      expect(await regions.count()).toBe(1)
      await page.keyboard.press('m')
      expect(await regions.count()).toBe(0)
      await page.keyboard.press('m')
      expect(await regions.count()).toBe(2)
      await page.close()
    })

    test('a hundred thousand samples: a few cards in the page, the rest page by page', async () => {
      const page = await opened('/samples/many')
      await page.getByText('100,000 samples').waitFor()
      await cards(page).first().waitFor()
      for (let round = 0; round < 3; round++) {
        await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)')
        await page.waitForTimeout(250)
      }
      await card(page, 'row-1').waitFor({ state: 'detached' })
      expect(await cards(page).count()).toBeLessThan(60)
      await page.getByRole('combobox', { name: 'Order' }).click()
      await page.getByRole('option', { name: 'strict, highest first' }).click()
      await page.getByText('0.99999', { exact: false }).or(page.getByText('1.000')).first().waitFor()
      await page.close()
    })

    test('votes by keyboard survive a killed server and a crashed page, and count once', {
      timeout: 180_000,
    }, async () => {
      const port = await freePort()
      let child = await uiProcess(path, port)
      const own = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      try {
        const base = `http://127.0.0.1:${port}`
        const page = await opened('/votes', own, base)
        await page.getByRole('button', { name: 'Begin a task' }).waitFor()
        await page.keyboard.press('n')
        await page.getByLabel('How many pairs').fill('12')
        await page.getByRole('button', { name: 'Begin', exact: true }).click()
        await page.getByLabel('Who votes?').fill('ann')
        await page.keyboard.press('Enter')
        await page.getByRole('region', { name: 'Left' }).waitFor()
        const shown = await page.locator('main').textContent()
        expect(shown).not.toContain('model-')
        const voted = (count: number) => page.getByText(new RegExp(`^${count} of \\d+ pairs`)).waitFor()
        for (const [index, key] of ['1', '2', '=', 's'].entries()) {
          await page.keyboard.press(key)
          await voted(index + 1)
        }
        await page.keyboard.press('u')
        await voted(3)
        await page.keyboard.press('2')
        await voted(4)
        child.kill('SIGKILL')
        for (const [index, key] of ['1', '1', '2'].entries()) {
          await page.keyboard.press(key)
          await voted(5 + index)
        }
        await page.getByText(/kept here until the server answers/).waitFor({ timeout: 60_000 })
        const { href } = new URL(page.url())
        await page.close({ runBeforeUnload: false }) // gone with votes that no server has seen
        child = await uiProcess(path, port)
        const again = await own.newPage()
        await again.goto(href)
        await again.getByText('all votes are kept').waitFor({ timeout: 60_000 })
        const votes = await store.votes.list()
        expect(votes).toHaveLength(7)
        expect(new Set(votes.map(({ meta }) => meta.pair)).size).toBe(7)
        expect(votes.filter(({ choice }) => choice === 0.5)).toHaveLength(1)
        await again.getByText(/^7 of \d+ pairs/).waitFor()
        await again.getByText('Results').click()
        await again.getByText('7 votes by 1 voter').waitFor()
      } finally {
        child.kill('SIGKILL')
        await own.close()
      }
    })

    test('a number of an audit and of a leaderboard opens the cases behind it', async () => {
      const page = await opened('/audits')
      await page
        .getByRole('link', { name: /length/ })
        .first()
        .click()
      await page.getByRole('button', { name: /cases behind even/ }).click()
      const drawer = page.getByRole('dialog')
      await drawer.getByText('people prefer this').first().waitFor()
      expect(await drawer.getByText('pair-').count()).toBeGreaterThan(0)
      await page.keyboard.press('Escape')
      await drawer.waitFor({ state: 'detached' })
      await page.goBack()
      await page.getByRole('link', { name: /leaderboard/ }).click()
      await page.getByRole('button', { name: /items on which length and short differ/ }).click()
      await page.getByRole('dialog').getByText('pair-').first().waitFor()
      await page.close()
    })

    test('a training goes on before one’s eyes', async () => {
      const page = await opened('/training/reproduction/toy')
      await page.getByText('up to iteration 2').waitFor()
      await page.locator('.chart svg').first().waitFor()
      appendFileSync(log, logLine(3) + logLine(4))
      await page.getByText('up to iteration 4').waitFor()
      // Beside logs of a trainer that knows no store.
      mkdirSync(join(folder, 'runs/grpo'), { recursive: true })
      for (const seed of [0, 1])
        writeFileSync(join(folder, `runs/grpo/seed-${seed}.jsonl`), logLine(0) + logLine(9))
      const created = '2026-01-04T00:00:00.000Z'
      await store.documents.keep(
        trainingDocument({
          logs: join(folder, 'runs'),
          title: 'Mine',
          created,
          measured: [{ name: 'accuracy', value: 0.75, low: 0.7, high: 0.8, n: 40 }],
        }),
      )
      await page.reload()
      await page.getByRole('combobox', { name: 'Beside' }).click()
      await page.getByRole('option', { name: 'Mine' }).click()
      await page.getByText('up to iteration 9').waitFor()
      await page.getByRole('button', { name: 'Mine: grpo' }).click()
      await page.getByRole('button', { name: 'Mine: grpo', pressed: false }).waitFor()
      await page.close()
    })

    test('in the playground every key moves the rewards', async () => {
      const page = await opened('/playground')
      const value = page.getByTestId('value boxes')
      await value.filter({ hasText: /\d/ }).waitFor()
      const before = await value.textContent()
      await page.getByRole('button', { name: /^box 2/ }).focus()
      for (let step = 0; step < 4; step++) await page.keyboard.press('Shift+ArrowDown')
      await value.filter({ hasNotText: before! }).waitFor()
      await page.getByText('Answer', { exact: true }).first().click()
      await page.getByTestId('value math').filter({ hasText: /\d/ }).waitFor()
      await page.getByLabel('Reference').fill('42')
      await page.getByLabel('Answer', { exact: true }).last().fill('\\boxed{42}')
      await page.getByTestId('value math').filter({ hasText: /^1$/ }).waitFor()
      // What asks a model waits until it is told to.
      expect(asked).toBe(0)
      await page.keyboard.press('Control+Enter')
      await page.getByTestId('value judge').filter({ hasText: /^1$/ }).waitFor()
      await page.getByText('so it is').waitFor()
      await page.getByLabel('Answer', { exact: true }).last().fill('\\boxed{41}')
      await page.getByText('of what stood here when it was asked').waitFor()
      expect(asked).toBe(1)
      // A sample of a run, to be changed.
      await page.goto(`${server.url}/#/samples/hostile/-/1`)
      await page.getByRole('link', { name: 'Change it in the playground' }).click()
      await page.getByLabel('Answer', { exact: true }).filter({ hasText: 'answer number 0' }).waitFor()
      await page.close()
    })

    /** A task of votes of its own. */
    const begun = async (title: string): Promise<string> => {
      const response = await fetch(`${server.url}/v1/votes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          title,
          question: 'Which one?',
          criteria: [{ id: 'better', text: 'Which answer is better?' }],
          run: 'hostile',
          choose: 'random',
          pairs: 8,
          votesPerPair: 1,
          rated: null,
          attentionChecks: false,
        }),
      })
      return ((await response.json()) as { id: string }).id
    }
    const againstAgain = Buffer.from(
      JSON.stringify({
        order: { by: 'disagreement', first: 'strict', second: { reward: 'strict', run: 'again' } },
        descending: true,
      }),
    )
      .toString('base64')
      .replaceAll('=', '')
    /** Every page, and what is to be seen on it before anything is said about it. */
    const routes = async (page: Page): Promise<[route: string, shown: Locator][]> => {
      const task = await begun('Looked at')
      const documents = await store.documents.list()
      const id = (kind: string) => documents.find((document) => document.kind === kind)!.id
      const part = page.getByRole('dialog').getByText('correct')
      return [
        ['/', page.getByRole('link', { name: /Look at 40 samples/ })],
        ['/samples/hostile', cards(page)],
        ['/samples/hostile/-/3', part],
        ['/samples/hostile/-/5', part],
        [`/samples/hostile/-/${masked + 1}`, page.getByRole('button', { name: /^reference/ })],
        [`/samples/hostile/${againstAgain}`, page.getByRole('region', { name: 'Against again' })],
        ['/votes', page.getByRole('link', { name: /Looked at/ })],
        [`/votes/${task}`, page.getByRole('region', { name: 'Left' })],
        ['/audits', page.getByRole('link', { name: /length/ })],
        [`/audits/audit/${id('audit')}`, page.getByRole('button', { name: /cases behind even/ })],
        [`/audits/leaderboard/${id('leaderboard')}`, page.getByRole('button', { name: /items on which/ })],
        ['/training', page.getByRole('link', { name: /Toy/ })],
        ['/training/reproduction/toy', page.locator('.chart svg')],
        [`/training/training/${id('training')}`, page.locator('.chart svg')],
        ['/playground', page.getByTestId('value boxes').filter({ hasText: /\d/ })],
      ]
    }

    test('axe finds nothing on any page, in light and in dark; a phone shows it all', {
      timeout: 180_000,
    }, async () => {
      const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
      const own = await browser.newContext({ bypassCSP: true, reducedMotion: 'reduce' })
      const page = await opened('/start', own)
      await page.evaluate(axe)
      await page.evaluate("localStorage.setItem('guerdon-voter', 'axe')")
      await page.addStyleTag({ content: '* { transition: none !important; animation: none !important }' })
      const found: Record<string, unknown> = {}
      // What is only on its way (colours, widths) settles; what is wrong stays.
      const note = async (where: string, look: string) => {
        let what: unknown
        for (let tries = 0; tries < 10; tries++) {
          what = await page.evaluate(look)
          if ((what as string[]).length === 0) return
          await page.waitForTimeout(500)
        }
        found[where] = what
      }
      for (const [route, shown] of await routes(page)) {
        await page.emulateMedia({ colorScheme: 'light' })
        await page.setViewportSize({ width: 1280, height: 800 })
        await page.evaluate(`location.hash = ${JSON.stringify(route)}`)
        await shown.first().waitFor()
        await settled(page)
        const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
        await note(route, axeRun(standards))
        await page.emulateMedia({ colorScheme: 'dark' })
        await page.locator('html[data-mantine-color-scheme=dark]').waitFor()
        await note(`${route}, dark`, axeRun(['color-contrast']))
        await page.setViewportSize({ width: 390, height: 800 })
        await page.waitForTimeout(100)
        await note(`${route}, on a phone`, tooWide)
      }
      expect(found).toEqual({})
      await own.close()
    })
    const axeRun = (
      rules: readonly string[],
    ) => `axe.run(document, { runOnly: ${JSON.stringify(rules)} }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')))`
    const tooWide = `document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 &&
      !e.closest('.scroll, .frames, .said, .command')).slice(0, 5).map((e) => e.outerHTML.slice(0, 120))`

    test('nothing of all this ran a script from a sample or asked another machine', async () => {
      const page = await opened('/samples/hostile')
      for (const position of [2, 3, 4, 5, 6, 7]) {
        await page.goto(`${server.url}/#/samples/hostile/-/${position}`)
        await page.getByRole('dialog').getByText('correct').first().waitFor()
        await page.waitForTimeout(100)
        expect(await page.evaluate('window.attacked')).toBeUndefined()
      }
      // Pictures of the store are shown, files elsewhere are not.
      expect(
        await page.evaluate(`fetch('v1/runs/hostile/media/3/${'0'.repeat(24)}').then((r) => r.status)`),
      ).toBe(404)
      await page.close()
      expect(problems).toEqual([])
    })
  },
)

test('the demonstration ends with the page where it is asked to, and ends when it is told to', {
  timeout: 180_000,
}, async () => {
  const out = mkdtempSync(join(tmpdir(), 'guerdon-demo-'))
  const { buildUi, isBuilt } = await import(new URL('../scripts/build-ui.mjs', import.meta.url).href)
  if (!isBuilt()) await buildUi()
  const child = guerdon(
    ['demo', '--prompts', '1', '--out', out, '--no-open', '--serve', '--port', '0'],
    'pipe',
  )
  let said = ''
  for await (const chunk of child.stdout!) {
    said += chunk
    if (/in the browser: http:\S+/.test(said)) break
  }
  const [, url] = /in the browser: (http:\S+)/.exec(said)!
  expect(await (await fetch(`${url}/v1/runs`)).json()).toHaveLength(1)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  rmSync(out, { recursive: true, force: true })
})

function guerdon(args: readonly string[], stdout: 'pipe' | 'ignore'): ChildProcess {
  const main = new URL('../src/cli/main.ts', import.meta.url)
  return spawn(process.execPath, ['--conditions=guerdon-source', main.pathname, ...args], {
    stdio: ['ignore', stdout, 'inherit'],
    cwd: tmpdir(),
  })
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/** `guerdon ui` in a process of its own, so that it can be killed. */
async function uiProcess(path: string, port: number): Promise<ChildProcess> {
  const child = guerdon(['ui', '--store', path, '--port', String(port), '--no-open'], 'ignore')
  for (;;) {
    if (child.exitCode !== null) throw new Error(`guerdon ui ended with ${child.exitCode}`)
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined)
    if (answer?.ok) return child
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
