import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newRun, sample, storeCases, withRun } from '../../tests/store-cases.ts'
import { openStore } from './index.ts'
import { readSampleText, sampleText, textHash } from './sample-text.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const fresh = () => join(folder, `${++count}`, 'store.db')

async function open(path = fresh()) {
  const store = await openStore(path)
  return {
    ...store,
    async rowsOf(table: string) {
      const database = new DatabaseSync(path)
      const { rows } = database.prepare(`SELECT count(*) AS rows FROM ${table}`).get() as { rows: number }
      database.close()
      return rows
    },
  }
}

describe('sample text', () => {
  test('bytes, turns and every JSON value come back', () => {
    const rich = sample('x', {
      prompt: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'see' },
            { type: 'image', image: { bytes: Buffer.from([1, 2, 255]), mediaType: 'image/png' } },
          ],
        },
      ],
      reference: null,
      group: 'g',
      meta: { a: [1, { b: null }] },
    })
    const back = readSampleText('x', sampleText(rich))
    expect(back).toEqual(structuredClone(rich))
    expect('reference' in readSampleText('y', sampleText(sample('y')))).toBe(false)
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.jsonValue({ noUnicodeString: false }),
        (output, reference) => {
          const one = sample('x', { output, reference: JSON.parse(JSON.stringify(reference)) })
          expect(readSampleText('x', sampleText(one))).toEqual(one)
        },
      ),
    )
  })
  test('the hash of a text is a safe integer and spreads', () => {
    const hashes = new Set(Array.from({ length: 20_000 }, (_, index) => textHash(`sample-${index}`)))
    expect(hashes.size).toBe(20_000)
    const low = new Set([...hashes].map((hash) => hash % 2 ** 22))
    expect(low.size).toBeGreaterThan(19_900) // 20,000 balls in 4 million bins: about 48 pairs
    for (const hash of hashes) expect(Number.isSafeInteger(hash)).toBe(true)
  })
})

describe('every store', () => storeCases(open))

describe('what goes wrong with the file', () => {
  test('a newer store, a foreign database, text and a damaged store are refused and left alone', async () => {
    const newer = fresh()
    await (await openStore(newer)).close()
    const database = new DatabaseSync(newer)
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(openStore(newer)).rejects.toMatchObject({
      code: 'store-newer',
      message: expect.stringContaining('version 99'),
    })

    const foreign = join(folder, 'foreign.db')
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE mine (x)')
    other.close()
    const before = readFileSync(foreign)
    await expect(openStore(foreign)).rejects.toMatchObject({ code: 'not-a-store' })
    expect(readFileSync(foreign).equals(before)).toBe(true)

    const text = join(folder, 'text.db')
    writeFileSync(text, 'this is a diary, not a database. '.repeat(100))
    await expect(openStore(text)).rejects.toMatchObject({ code: 'store-corrupt' })
    expect(statSync(text).size).toBe(3300)

    const damaged = fresh()
    const store = await withRun(() => open(damaged))
    await store.runs.record('r', {
      samples: Array.from({ length: 2000 }, (_, index) => ({
        position: index + 1,
        sample: sample(`${index}`),
      })),
    })
    await store.close()
    const bytes = readFileSync(damaged)
    writeFileSync(damaged, bytes.fill(7, bytes.length / 2))
    const half = await openStore(damaged)
    await expect(half.runs.page('r', { after: 0, limit: 2000 })).rejects.toMatchObject({
      code: 'store-corrupt',
      message: expect.stringContaining(damaged),
    })
    await half.close()
  })

  test('a full store says so and keeps what it had', async () => {
    const path = fresh()
    const store = await withRun(() => open(path))
    await store.close()
    const small = await openStore(path, { maximumBytes: 256 * 1024 })
    const batch = (first: number) => ({
      samples: Array.from({ length: 200 }, (_, index) => ({
        position: first + index,
        sample: sample(`${first + index}`, { output: 'x'.repeat(200) }),
      })),
    })
    let kept = 0
    const fill = async () => {
      for (;;) {
        await small.runs.record('r', batch(kept + 1))
        kept += 200
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'store-full', fix: expect.stringContaining('kept') })
    expect(kept).toBeGreaterThan(0)
    expect((await small.runs.totals('r')).samples).toBe(kept)
    await small.close()
    const large = await openStore(path)
    await large.runs.record('r', batch(kept + 1))
    expect((await large.runs.totals('r')).samples).toBe(kept + 200)
    await large.close()
  })

  test('a folder that cannot be made, a folder in the place of the file, a missing store', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(openStore(join(folder, 'file', 'store.db'))).rejects.toMatchObject({
      message: expect.stringContaining('store'),
      fix: expect.any(String),
    })
    mkdirSync(join(folder, 'taken.db'))
    await expect(openStore(join(folder, 'taken.db'))).rejects.toMatchObject({ code: 'store-failed' })
    await expect(openStore(fresh(), { mustExist: true })).rejects.toMatchObject({ code: 'store-missing' })
  })

  test('a locked store gives up after its time', async () => {
    const path = fresh()
    const store = await openStore(path, { busyTimeout: 50 })
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    await expect(store.runs.create(newRun('r'))).rejects.toMatchObject({ code: 'store-locked' })
    other.exec('ROLLBACK')
    await store.runs.create(newRun('r'))
    other.close()
    await store.close()
  })
})

// A file system of its own needs the right to mount; where there is none, `maximumBytes` above stands in.
describe.skipIf(!canMount())('on a small file system', () => {
  const mounted = join(folder, 'mounted')
  beforeAll(() => {
    mkdirSync(mounted)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', mounted])
  })
  afterAll(() => {
    execFileSync('umount', ['-l', mounted])
  })
  test('a full disk, then a read-only one', async () => {
    const path = join(mounted, 'store.db')
    const store = await withRun(() => open(path))
    let kept = 0
    const fill = async () => {
      for (;;) {
        await store.runs.record('r', {
          samples: Array.from({ length: 50 }, (_, index) => ({
            position: kept + index + 1,
            sample: sample(`${kept + index}`, { output: 'x'.repeat(500) }),
          })),
        })
        kept += 50
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'store-full' })
    expect((await store.runs.totals('r')).samples).toBe(kept)
    await store.close()
    execFileSync('mount', ['-o', 'remount,ro', mounted])
    const readOnly = await openStore(path)
    await expect(readOnly.runs.create(newRun('new'))).rejects.toMatchObject({ code: 'store-read-only' })
    expect((await readOnly.runs.totals('r')).samples).toBe(kept)
    await readOnly.close()
    await expect(openStore(join(mounted, 'new', 'store.db'))).rejects.toMatchObject({
      code: 'store-read-only',
    })
  })
})

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const probe = join(folder, 'probe')
  mkdirSync(probe, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', probe], { stdio: 'ignore' })
    execFileSync('umount', [probe], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('processes that open and write one new store at the same moment do not disturb each other', async () => {
  const path = fresh()
  const program = `
    import { openStore } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    const store = await openStore(${JSON.stringify(path)})
    await store.runs.create({ id: process.argv[1], created: '', config: {} })
    for (let first = 1; first < 500; first += 50)
      await store.runs.record(process.argv[1], {
        samples: Array.from({ length: 50 }, (_, i) => ({
          position: first + i, sample: { id: String(first + i), prompt: '', output: '', meta: {} },
        })),
      })
    await store.close()`
  const codes = await Promise.all(
    Array.from({ length: 6 }, (_, index) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, `run-${index}`], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      return new Promise((resolve) => child.on('exit', resolve))
    }),
  )
  expect(codes).toEqual([0, 0, 0, 0, 0, 0])
  const store = await openStore(path)
  for (let index = 0; index < 6; index++) expect((await store.runs.totals(`run-${index}`)).samples).toBe(500)
  await store.close()
})
