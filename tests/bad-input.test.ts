import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { scoreRun } from '../src/apply/run.ts'
import type { RunSummary } from '../src/apply/run-summary.ts'
import { scoredSamples } from '../src/apply/scored-samples.ts'
import { defineReward, textOf } from '../src/core/index.ts'
import { openStore } from '../src/store/index.ts'
import { command } from './command.ts'

// Everything that can be wrong with what is given, end to end through the command line: the message says where and how
// to mend it, the rest of the run goes on and is kept, the summary counts the failures, the exit code is 2.

const folder = mkdtempSync(join(tmpdir(), 'guerdon-bad-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function file(content: string | Uint8Array, extension = 'jsonl'): string {
  const path = join(folder, `data-${++files}.${extension}`)
  writeFileSync(path, content)
  return path
}
const lines = (...rows: readonly unknown[]) =>
  rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n')
const good = (id: string) => ({ id, prompt: 'What is 1 + 1?', output: '\\boxed{2}', reference: '2' })

const guerdon = (...args: string[]) =>
  command([...(args.includes('--store') ? [] : ['--store', join(folder, 'store.db')]), ...args])

/** Scores the rows twice, for people and for machines, which must agree. */
async function scored(path: string, ...rewards: string[]) {
  const asked = rewards.flatMap((reward) => ['-r', reward])
  const told = await guerdon('score', path, ...asked)
  const { out, exitCode } = await guerdon('score', path, ...asked, '--json')
  const summary: RunSummary = JSON.parse(out)
  expect(exitCode).toBe(told.exitCode)
  return { ...told, summary }
}

describe('rows', () => {
  test.each<[string, string, string, RegExp]>([
    ['broken JSON', '{"id": "x", "prompt": "p", "output": ', 'broken-json', /:2, field "output": .*cut off/],
    [
      'a wrong type',
      lines({ id: 'x', prompt: 'p', output: 5 }),
      'bad-row',
      /:2, field "output": is a number.*Write/,
    ],
    [
      'a missing field',
      lines({ id: 'x', prompt: 'p' }),
      'missing-field',
      /:2, field "output": is missing.*has id, prompt/,
    ],
    ['no object', '[1, 2]', 'bad-row', /:2: is a list, not an object.*Write one/],
    [
      'an id that stood before',
      lines(good('a')),
      'duplicate-id',
      /:2, field "id": .*"a" stands on line 1.*id of its own/,
    ],
    [
      'NaN',
      '{"id": "x", "prompt": "p", "output": "o", "meta": {"rating": NaN}}',
      'broken-json',
      /:2, field "meta.rating"/,
    ],
    [
      'Infinity',
      '{"id": "x", "prompt": "p", "output": "o", "meta": {"rating": -Infinity}}',
      'broken-json',
      /:2, field "meta.rating"/,
    ],
    [
      'deep nesting',
      `{"id": "x", "prompt": "p", "output": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'too-deep',
      /:2.*level/,
    ],
  ])('%s', async (_what, row, kind, message) => {
    const path = file(lines(good('a'), row, good('b')))
    const { exitCode, problems, out, summary } = await scored(path, 'math')
    expect(exitCode).toBe(2)
    expect(problems).toMatch(message)
    expect(problems).toContain(path)
    expect(out).toMatch(/2 samples, 1 bad row left out/)
    expect(summary.rows).toMatchObject({ samples: 2, bad: 1, badBy: { [kind]: 1 } })
    expect(summary.rewards.math).toMatchObject({ scored: 2, mean: 1 })
    expect(summary.failures).toBe(1)
  })

  test('invalid UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${JSON.stringify(good('a'))}\n{"id": "x", "prompt": "p", "output": "`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`"}\n${JSON.stringify(good('b'))}\n`),
    ])
    const { exitCode, problems, summary } = await scored(file(bytes), 'math')
    expect(exitCode).toBe(2)
    expect(problems).toMatch(/:2.*UTF-8/)
    expect(summary.rewards.math).toMatchObject({ scored: 2, mean: 1 })
  })

  test('integers that a double rounds are warned of and scored', async () => {
    const path = file(lines({ ...good('a'), meta: { account: 1 } }).replace('1}}', '12345678901234567891}}'))
    const { exitCode, problems, out, summary } = await scored(path, 'math')
    expect(exitCode).toBe(0)
    expect(out).toContain('1 sample, 1 warning')
    expect(problems).toMatch(
      /:1, field "meta.account": 12345678901234567891 is read as .*Write it as a string/,
    )
    expect(summary.rows).toMatchObject({ warnings: 1, warningsBy: { 'inexact-number': 1 }, bad: 0 })
  })

  test('more bad rows than are told are counted', async () => {
    const { problems, summary } = await scored(
      file(lines(good('a'), ...Array(9).fill('{'), good('b'))),
      'math',
    )
    expect(problems.match(/^bad row: /gm)).toHaveLength(5)
    expect(problems).toContain('... and 4 more bad rows')
    expect(summary.rows.bad).toBe(9)
  })

  test('a file without one usable row, an empty one, a damaged gzip, no Parquet', async () => {
    expect((await guerdon('score', file('{\n{'), '-r', 'math')).problems).toMatch(
      /no row that can be used.*:1/,
    )
    expect((await guerdon('score', file(''), '-r', 'math')).problems).toMatch(/is empty.*Write/)
    expect((await guerdon('score', file('nothing', 'jsonl.gz'), '-r', 'math')).problems).toMatch(
      /not intact gzip/,
    )
    const parquet = await guerdon('score', file('nothing', 'parquet'), '-r', 'math')
    expect(parquet.problems).toMatch(/not readable Parquet.*cut off/)
    expect(parquet.exitCode).toBe(2)
  })

  test('columns of no known kind: says how to name them, and the names work', async () => {
    const path = file(lines({ question: '1 + 1', answers: [{ text: '\\boxed{2}' }], gold: '2' }))
    const { problems, exitCode } = await guerdon('score', path, '-r', 'math')
    expect(problems).toMatch(/columns question, answers, gold.*--map prompt=question/)
    expect(exitCode).toBe(2)
    const map = ['--map', 'prompt=question', 'output=answers.0.text', 'reference=gold']
    const mapped = await guerdon('score', path, '-r', 'math', ...map, '--json')
    expect(JSON.parse(mapped.out).rewards.math).toMatchObject({ scored: 1, mean: 1 })
  })
})

describe('outputs', () => {
  test('a missing reference is unscored, told with its line; the reward that needs none goes on', async () => {
    const { reference: _, ...bare } = good('b')
    const path = file(lines(good('a'), bare, good('c')))
    const { exitCode, problems, summary } = await scored(path, 'math', 'length')
    expect(exitCode).toBe(2)
    expect(problems).toContain(`math, first bad-input: ${path}:2, sample "b": `)
    expect(summary.rewards.math).toMatchObject({ scored: 2, unscored: 1, mean: 1 })
    expect(summary.rewards.length).toMatchObject({ scored: 3, unscored: 0 })
    expect(summary.failures).toBe(1)
  })

  test('empty outputs are judged, not failures', async () => {
    const { exitCode, summary } = await scored(
      file(lines({ ...good('a'), output: '' }, good('b'))),
      'math',
      'length',
    )
    expect(exitCode).toBe(0)
    expect(summary.rewards.math).toMatchObject({ scored: 2, mean: 0.5 })
  })

  test('outputs of ten megabytes', { timeout: 60_000 }, async () => {
    const path = file(lines(good('a'), { ...good('x'), output: '{"a": '.repeat(1_700_000) }, good('b')))
    const rewards = ['math', 'length', 'tool-calls', 'json', 'repetition'].flatMap((reward) => ['-r', reward])
    const summary: RunSummary = JSON.parse((await guerdon('score', path, ...rewards, '--json')).out)
    expect(summary.rows).toMatchObject({ samples: 3, bad: 0 })
    for (const { scored, unscored, waiting } of Object.values(summary.rewards))
      expect([scored + unscored, waiting]).toEqual([3, 0])
    expect(summary.rewards.math).toMatchObject({ minimum: 0, maximum: 1 })
  })

  const circle =
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="12"/></svg>'
  const svg = (inside: string, head = '') =>
    `${head}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="40">${inside}<circle cx="20" cy="20" r="12"/></svg>`
  const entities = Array.from({ length: 12 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join(
    '',
  )
  test.each([
    ['a script', svg('<script>globalThis.attacked = 1</script>')],
    ['an event handler', svg('<rect onload="globalThis.attacked = 1" width="1" height="1"/>')],
    ['an external image', svg('<image xlink:href="http://127.0.0.1:9/x.png" width="9" height="9"/>')],
    ['a file', svg('<image href="file:///etc/passwd" width="9" height="9"/>')],
    ['an entity bomb', svg('&e12;', `<!DOCTYPE svg [<!ENTITY e0 "ha">${entities}]>`)],
    ['an endless path', svg(`<path d="M0 0${'L1 1L2 2'.repeat(40_000)}"/>`)],
    ['elements that use each other', svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>')],
  ])('SVG with %s is paid nothing', async (_what, output) => {
    const row = (id: string, output: string) => ({ id, prompt: 'A circle.', output, reference: circle })
    const { summary } = await scored(file(lines(row('a', circle), row('x', output), row('b', circle))), 'svg')
    expect(summary.rewards.svg).toMatchObject({ scored: 3, unscored: 0, minimum: 0, maximum: 1 })
    expect(summary.rewards.svg?.mean).toBeCloseTo(2 / 3)
    expect(globalThis).not.toHaveProperty('attacked')
  })

  test('a chart with remote data is not fetched and is not the reference', async () => {
    const chart = (data: unknown) =>
      JSON.stringify({
        data,
        mark: 'bar',
        encoding: { x: { field: 'x', type: 'nominal' }, y: { field: 'y', type: 'quantitative' } },
      })
    const local = chart({
      values: [
        { x: 'a', y: 1 },
        { x: 'b', y: 2 },
      ],
    })
    const row = (id: string, output: string) => ({ id, prompt: 'Draw.', output, reference: local })
    const path = file(
      lines(row('a', local), row('x', chart({ url: 'http://127.0.0.1:9/data.json' })), row('b', local)),
    )
    const { summary } = await scored(path, 'chart')
    expect(summary.rewards.chart).toMatchObject({ scored: 3, maximum: 1 })
    expect(summary.rewards.chart?.minimum).toBeLessThan(0.75)
  })

  test('a reward that returns NaN, infinity or too much, or throws', async () => {
    const config = file(
      `const values = { a: 1, n: NaN, i: Infinity, l: 7 }
       const reward = { name: 'odd', version: '1', range: [0, 1], needs: [], params: {}, score: async (samples) => samples.map(({ id }) => ({ value: values[id] })) }
       const thrown = { ...reward, name: 'thrown', score: async () => { throw new Error('no such table') } }
       export default { rewards: { odd: reward, thrown } }`,
      'config.mjs',
    )
    const path = file(lines(good('a'), good('n'), good('i'), good('l')))
    const { exitCode, problems, out } = await guerdon(
      '--config',
      config,
      'score',
      path,
      '-r',
      'odd',
      '-r',
      'thrown',
    )
    expect(exitCode).toBe(2)
    expect(out).toMatch(/^odd +1 +3 /m)
    expect(problems).toMatch(/odd, first crashed: .*:2, sample "n": .*NaN/)
    expect(problems).toMatch(/thrown, first crashed: .*:1, sample "a": .*no such table/)
  })
})

describe('images', () => {
  const circle =
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="12"/></svg>'
  const images = join(folder, 'images')
  mkdirSync(images, { recursive: true })
  const image = (name: string, bytes: Uint8Array) => writeFileSync(join(images, name), bytes)
  image('good.png', png(4, 4))
  image('cut.png', png(64, 64).subarray(0, 60))
  image('text.png', Buffer.from('not a picture'))
  image('bomb.png', png(50_000, 50_000, deflateSync(Buffer.alloc(50_000_000))))
  image('huge.png', Buffer.concat([png(4, 4), Buffer.alloc(33 * 2 ** 20)]))

  test.each<[string, string, RegExp]>([
    ['unreadable', 'none.png', /none\.png.*does not exist/],
    ['no picture', 'text.png', /text\.png.*format/],
    ['cut off', 'cut.png', /cut\.png.*(truncated|damaged|cut off)/],
    ['a decompression bomb', 'bomb.png', /bomb\.png.*pixels/],
    ['too large a file', 'huge.png', /huge\.png.*bytes|MiB/],
    ['a path that leads out', '../../etc/passwd', /out/],
  ])('%s', async (_what, name, message) => {
    const row = (id: string, reference: unknown) => ({ id, prompt: 'Draw.', output: circle, reference })
    const path = file(lines(row('a', circle), row('x', { image: { path: name } }), row('b', circle)))
    const { exitCode, problems, summary } = await scored(path, `svg(baseDirectory="${images}")`)
    expect(exitCode).toBe(2)
    expect(problems).toMatch(message)
    expect(problems).toContain(`${path}:2, sample "x"`)
    const [found] = Object.values(summary.rewards)
    expect(found).toMatchObject({ scored: 2, unscored: 1, unscoredBy: { 'bad-input': 1 }, mean: 1 })
  })

  test('a report of a run whose file has moved says which pictures are missing', async () => {
    const data = mkdtempSync(join(folder, 'moved-'))
    writeFileSync(join(data, 'a.png'), png(4, 4))
    const prompt = [
      {
        role: 'user',
        content: [
          { type: 'image', image: { path: 'a.png' } },
          { type: 'text', text: 'What?' },
        ],
      },
    ]
    const path = join(data, 'rows.jsonl')
    writeFileSync(path, lines({ ...good('a'), prompt }))
    await guerdon('score', path, '-r', 'math', '--run', 'moved')
    rmSync(data, { recursive: true })
    const page = join(folder, 'moved.html')
    expect((await guerdon('report', 'moved', '--out', page)).exitCode).toBe(0)
    expect(readFileSync(page, 'utf8')).toMatch(/a\.png[^<]*does not exist/)
  })
})

describe('names and options', () => {
  test.each([
    [['-r', 'mth'], /Did you mean "math"/],
    [['-r', 'math + nothing'], /"nothing"/],
    [['-r', 'math', '--format', 'xml'], /"xml".*jsonl/],
    [['-r', 'math', '--convention', 'tlr'], /"tlr".*Did you mean "trl"/],
    [['-r', 'math', '--map', 'prmpt=x'], /"prmpt".*Did you mean "prompt"/],
    [['-r', 'math', '--bogus'], /--bogus/],
  ])('score %j', async (args, message) => {
    const { exitCode, problems } = await guerdon('score', file(lines(good('a'))), ...args)
    expect(problems).toMatch(message)
    expect(exitCode).toBe(2)
  })
})

describe('the store', () => {
  test('that cannot be written', async () => {
    const closed = join(folder, 'closed')
    mkdirSync(closed)
    // What may not be written is a folder without permission, or, for root, who may write everywhere, no folder at all.
    chmodSync(closed, 0o555)
    const path =
      process.getuid?.() === 0 ? join(file('no folder', 'txt'), 'store.db') : join(closed, 'store.db')
    const { exitCode, problems } = await guerdon(
      '--store',
      path,
      'score',
      file(lines(good('a'))),
      '-r',
      'math',
    )
    expect(exitCode).toBe(2)
    expect(problems).toContain(path)
    expect(problems).toMatch(/folder/)
  })

  test('that is something else', async () => {
    const path = file('not a database at all, but long enough to have a header'.repeat(20), 'db')
    const { exitCode, problems } = await guerdon('--store', path, 'runs')
    expect(exitCode).toBe(2)
    expect(problems).toMatch(/damaged.*Restore/)
  })

  test('that is full: what was scored is kept, and the same call goes on when there is room', async () => {
    const path = join(folder, 'full.db')
    const samples = file(
      lines(
        ...Array.from({ length: 4000 }, (_, i) => ({ ...good(`s${i}`), meta: { text: 'x'.repeat(200) } })),
      ),
    )
    const length = defineReward({
      name: 'length',
      range: [0, 100],
      judge: ({ output }) => textOf(output).length,
    })
    const small = await openStore(path, { maximumBytes: 400 * 1024 })
    await expect(scoreRun({ samples, rewards: { length }, store: small, runId: 'r' })).rejects.toMatchObject({
      code: 'store-full',
      message: expect.stringMatching(/full\.db: .*no space left.*Free some space/),
    })
    await small.close()
    const store = await openStore(path)
    const kept = (await store.runs.totals('r')).rewards.length!.scored
    const summary = await scoreRun({ samples, rewards: { length }, store, runId: 'r' })
    expect(summary.rewards.length).toMatchObject({ scored: 4000, waiting: 0 })
    expect(summary.timing.newScores).toBe(4000 - kept)
    expect((await Array.fromAsync(scoredSamples(store, 'r'))).length).toBe(4000)
    await store.close()
  })

  test('on a full disk', async ({ skip }) => {
    const mounted = join(folder, 'mounted')
    mkdirSync(mounted)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=500k', 'tmpfs', mounted], { stdio: 'ignore' })
    } catch {
      skip('a file system of its own needs the right to mount')
    }
    try {
      const path = file(
        lines(
          ...Array.from({ length: 4000 }, (_, i) => ({ ...good(`s${i}`), meta: { text: 'x'.repeat(200) } })),
        ),
      )
      const { exitCode, problems } = await guerdon(
        '--store',
        join(mounted, 'store.db'),
        'score',
        path,
        '-r',
        'math',
        '--run',
        'r',
      )
      expect(exitCode).toBe(2)
      expect(problems).toMatch(/store\.db: .*no space left.*run the same command again/)
    } finally {
      execFileSync('umount', ['-l', mounted])
    }
  })
})

/** A PNG of grey pixels; `data` may lie about what the header says. */
function png(width: number, height: number, data = deflateSync(Buffer.alloc((width + 1) * height))): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8 // bits; colour type 0 is grey
  const chunk = (type: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), content])
    const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    size.writeUInt32BE(content.length)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([size, body, sum])
  }
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
