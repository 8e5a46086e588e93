import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browsingCases } from '../../tests/browsing-cases.ts'
import { type PostgresServer, postgresMissing, postgresServer } from '../../tests/postgres-server.ts'
import { newRun, sample, storeCases, withRun } from '../../tests/store-cases.ts'
import { openPostgresStore as openStore } from './postgres-store.ts'
import {
  numbersArray,
  restored,
  restoredJson,
  storable,
  storableJson,
  textsArray,
} from './postgres-values.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('\0', '\ud800', '\udc00', '\ufdd0', '\\', 'u0000', '"', 'fdd0', '0000'))
    .map((parts) => parts.join('')),
)

test('every text and every JSON value can be stored and comes back', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(storable(text)).not.toContain('\0')
      expect(storable(text).isWellFormed()).toBe(true)
      expect(restored(storable(text))).toBe(text)
      const json = storableJson({ [text]: [text, { text }] })
      expect(json).not.toMatch(/(?<!\\)(\\\\)*\\u(0000|d[89a-f])/)
      expect(restoredJson(json)).toEqual({ [text]: [text, { text }] })
    }),
  )
})

describe.skipIf(postgresMissing !== null)(
  `PostgreSQL${postgresMissing ? ` (${postgresMissing})` : ''}`,
  () => {
    let server: PostgresServer
    beforeAll(async () => {
      server = await postgresServer()
    })
    afterAll(() => server?.close())

    async function open(address = server.fresh()) {
      const store = await openStore(address)
      return {
        ...store,
        rowsOf: async (table: string) =>
          Number((await server.query(`SELECT count(*) AS rows FROM ${schemaOf(address)}.${table}`))[0].rows),
      }
    }

    describe('every store', () => {
      storeCases(open)
      browsingCases(open)
    })

    test('what the server is given is what it reads', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.option(anyText)),
          fc.array(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }))),
          fc.jsonValue({ noUnicodeString: false }),
          anyText,
          async (texts, numbers, value, key) => {
            const stored = texts.map((text) => (text === null ? null : storable(text)))
            const json = { [key]: JSON.parse(JSON.stringify(value)) }
            const [row] = await server.query(
              'SELECT $1::text[] AS texts, $2::float8[] AS numbers, $3::text AS json, $3::jsonb IS NOT NULL AS parsed',
              [textsArray(stored), numbersArray(numbers), storableJson(json)],
            )
            expect(row.texts).toEqual(stored)
            expect(row.numbers.map((one: number | null) => one)).toEqual(numbers.map((one) => one))
            expect(row.parsed).toBe(true)
            expect(restoredJson(row.json)).toEqual(json)
          },
        ),
        { numRuns: 50 },
      )
    })

    test('of processes that open a new store at once, one makes it', async () => {
      const address = server.fresh()
      const stores = await Promise.all(Array.from({ length: 8 }, () => open(address)))
      expect(await stores[0]!.rowsOf('store_version')).toBe(1)
      await Promise.all(
        stores.map(async (store, index) => {
          await store.runs.create(newRun(`run-${index}`))
          await store.close()
        }),
      )
      const again = await open(address)
      expect(await again.runs.list()).toHaveLength(8)
      await again.close()
    })

    test('those who write the same scores crosswise and lose their connections lose nothing', async () => {
      const address = server.fresh()
      await (await withRun(() => open(address))).close()
      const writers = await Promise.all(Array.from({ length: 4 }, () => open(address)))
      const all = Array.from({ length: 600 }, (_, index) => index + 1)
      let dropped = 0
      let written = 0
      await Promise.all(
        writers.map(async (store, writer) => {
          for (let from = 0; from < all.length; from += 50) {
            const positions = all.slice(from, from + 50)
            if (writer % 2 === 1) positions.reverse()
            await store.runs.record('r', {
              samples: positions.map((position) => ({ position, sample: sample(`${position}`) })),
              scores: (writer < 2 ? ['a', 'b'] : ['b', 'a']).map((reward) => ({
                reward,
                positions,
                scores: positions.map((position) => ({ value: position })),
              })),
              finishedSegments: [{ segment: from, rewards: ['a'] }],
            })
            if (++written % 3 === 0) dropped += await server.dropConnections() // the others are writing
          }
        }),
      )
      expect(dropped).toBeGreaterThan(4)
      const totals = await writers[0]!.runs.totals('r')
      expect(totals.samples).toBe(600)
      for (const reward of ['a', 'b'])
        expect(totals.rewards[reward]).toMatchObject({ scored: 600, waiting: 0, mean: 300.5 })
      expect((await writers[0]!.runs.progress('r')).a!.segments.size).toBe(12)
      for (const writer of writers) await writer.close()
    })

    test('samples of images and of hostile names', async () => {
      const store = await withRun(open)
      const name = '\0\ud800"\\{},\ufdd0'
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
      const rich = sample(name, {
        prompt: [{ role: 'user', content: [{ type: 'image', image: { bytes, mediaType: 'image/png' } }] }],
        output: name,
        meta: { [name]: name },
      })
      await store.runs.create({ ...newRun(name), source: name, config: { [name]: name } })
      await store.runs.record('r', {
        samples: [{ position: 1, sample: rich }],
        badRows: [{ position: 2, kind: name, message: name }],
      })
      expect((await store.runs.samples('r', 1, 1))[0]!.sample).toEqual(rich)
      expect(await store.runs.badRows('r', 1)).toEqual([{ position: 2, kind: name, message: name }])
      expect((await store.runs.totals('r')).badRowsBy).toEqual({ [name]: 1 })
      expect(await store.runs.find(name)).toMatchObject({ id: name, source: name, config: { [name]: name } })
      await store.close()
    })

    describe('what goes wrong', () => {
      test('a newer store, a foreign schema, no store, a bad schema name', async () => {
        const newer = server.fresh()
        await (await open(newer)).close()
        await server.query(`UPDATE ${schemaOf(newer)}.store_version SET version = 99`)
        await expect(open(newer)).rejects.toMatchObject({
          code: 'store-newer',
          message: expect.stringContaining('version 99'),
        })
        const foreign = server.fresh()
        await server.query(
          `CREATE SCHEMA ${schemaOf(foreign)}; CREATE TABLE ${schemaOf(foreign)}.mine (x int)`,
        )
        await expect(open(foreign)).rejects.toMatchObject({ code: 'not-a-store' })
        const nothing = server.fresh()
        await expect(openStore(nothing, { mustExist: true })).rejects.toMatchObject({ code: 'store-missing' })
        expect(
          await server.query('SELECT FROM pg_namespace WHERE nspname = $1', [schemaOf(nothing)]),
        ).toEqual([])
        await expect(openStore(nothing, { schema: 'x; DROP' })).rejects.toMatchObject({ code: 'bad-address' })
      })

      test('no server, no database: told in plain words, without the password', async () => {
        for (const [address, said] of [
          ['postgres://me:secret@127.0.0.1:1/data', 'cannot be reached'],
          [
            server
              .fresh()
              .replace(/postgres\?/, 'nowhere?')
              .replace('guerdon@', 'guerdon:secret@'),
            'nowhere',
          ],
        ] as const) {
          const failure = await openStore(address, { openPatience: 100 }).catch((error) => error)
          expect(failure).toMatchObject({ code: 'store-failed', fix: expect.any(String) })
          expect(failure.message).toContain(said)
          expect(failure.message).not.toContain('secret')
          expect(failure.message).toContain('***')
        }
      })

      test('a statement that takes too long, and a lock that is held', async () => {
        const address = server.fresh()
        const store = await openStore(address, { statementTimeout: 200 })
        await store.runs.create(newRun('r'))
        const other = new pg.Client({ connectionString: address })
        await other.connect()
        await other.query(`BEGIN; LOCK TABLE ${schemaOf(address)}.runs`)
        await expect(store.runs.setStatus('r', 'complete')).rejects.toMatchObject({
          code: 'store-failed',
          message: expect.stringContaining('too long'),
        })
        await other.query('ROLLBACK')
        await store.runs.setStatus('r', 'complete')
        expect((await store.runs.find('r'))!.status).toBe('complete')
        await other.end()
        await store.close()
      })
    })
  },
)

const schemaOf = (address: string) => new URL(address).searchParams.get('schema')!
