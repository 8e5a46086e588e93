import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/index.ts'
import { byteRanges, type RecordOptions, readRecords, readSamples, writeRecords } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-formats-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const place = (name: string) => join(folder, `${++files}-${name}`)
const fileOf = (name: string, content: string | Uint8Array) => {
  const path = place(name)
  writeFileSync(path, content)
  return path
}

async function all(path: string, options?: RecordOptions) {
  const result = {
    records: [] as JsonObject[],
    lines: [] as number[],
    errors: [] as string[],
    warnings: [] as string[],
  }
  for await (const batch of readRecords(path, options)) {
    result.records.push(...batch.records)
    result.lines.push(...batch.lines)
    result.errors.push(
      ...batch.errors.map(({ code, place }) => `${place.line} ${code} ${place.field ?? ''}`.trim()),
    )
    result.warnings.push(...batch.warnings.map(({ message }) => message))
  }
  return result
}

const thrown = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (error) => error,
  )
  return { code: error?.code, message: error?.message as string }
}

describe('JSON Lines', () => {
  test('byte order mark, CRLF, blank lines and a last line without an end', async () => {
    const path = fileOf('a.jsonl', '\ufeff{"a":1}\r\n\r\n  \n{"a":"\u2028é"}\r\n{"a":null}')
    expect(await all(path)).toMatchObject({
      records: [{ a: 1 }, { a: '\u2028é' }, { a: null }],
      lines: [1, 4, 5],
      errors: [],
    })
  })

  test('a broken row is an error with its line and field; the rest is kept', async () => {
    const rows = [
      '{"a":1}',
      '{"a":1,',
      '{"m":[{"c":NaN}]}',
      '{"a":-Infinity}',
      "{'a':1}",
      '[1]',
      '"text"',
      '{"a":True}',
      '{"a":"x\ty"}',
      '{"a":01}',
      '{"a":1} {"b":2}',
      '{"a":2}',
    ]
    const { records, errors } = await all(fileOf('b.jsonl', rows.join('\n')))
    expect(records).toEqual([{ a: 1 }, { a: 2 }])
    expect(errors).toEqual([
      '2 broken-json',
      '3 broken-json m.0.c',
      '4 broken-json a',
      '5 broken-json',
      '6 bad-row',
      '7 bad-row',
      '8 broken-json a',
      '9 broken-json a',
      '10 broken-json a',
      '11 broken-json',
    ])
  })

  test('invalid UTF-8 names its line, and only that row is lost', async () => {
    const path = fileOf('c.jsonl', Buffer.from('{"a":"é"}\n{"a":"\xff"}\n{"a":"z"}\n', 'latin1').subarray(0))
    // The first row is Latin-1 as well, so it is invalid too.
    expect(await all(path)).toMatchObject({
      records: [{ a: 'z' }],
      lines: [3],
      errors: ['1 invalid-utf8', '2 invalid-utf8'],
    })
  })

  test('UTF-16 is refused by name', async () => {
    const path = fileOf('d.jsonl', Buffer.from('\ufeff{"a":1}\n', 'utf16le'))
    expect(await thrown(all(path))).toMatchObject({
      code: 'invalid-utf8',
      message: expect.stringContaining('UTF-16'),
    })
  })

  test('numbers keep their text and keys their order through reading and writing', async () => {
    const rows = [
      '{"id":12345678901234567890,"x":1.0,"y":[1e3,-0,0.10,{"z":3.14159265358979323846}]}',
      '{"b":1,"10":2,"2":{"7":1,"a":2,"1":3},"a":3}',
      '{"__proto__":{"x":1.50},"constructor":2}',
    ]
    const path = fileOf('e.jsonl', `${rows.join('\n')}\n`)
    const target = place('e-copy.jsonl')
    const { records } = await all(path)
    expect(Object.getPrototypeOf(records[2])).toBe(Object.prototype)
    await writeRecords(target, records)
    expect(readFileSync(target, 'utf8')).toBe(readFileSync(path, 'utf8'))
    const changed = place('e-changed.jsonl')
    ;(records[0] as Record<string, unknown>).x = 2
    await writeRecords(changed, records)
    expect(readFileSync(changed, 'utf8')).toContain('"id":12345678901234567890,"x":2,')
  })

  test('any JSON object survives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 }),
        async (rows) => {
          const records = rows.map((row) => JSON.parse(JSON.stringify(row)))
          for (const name of ['p.jsonl', 'p.json', 'p.jsonl.gz', 'p.json.gz']) {
            const path = join(folder, name)
            await writeRecords(path, records)
            expect((await all(path)).records).toEqual(records)
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  test('a line of ten megabytes, and lines cut by block ends, are read whole', async () => {
    const long = 'é'.repeat(5_000_000)
    const rows = [
      { a: long },
      ...Array.from({ length: 3000 }, (_, index) => ({ a: 'x'.repeat(index), index })),
    ]
    const path = place('long.jsonl')
    await writeRecords(path, rows)
    const { records } = await all(path, { batchSize: 500 })
    expect(records).toEqual(rows)
  })

  test('nesting deeper than 512 levels is refused, 500 are read', async () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
    const path = fileOf('deep.jsonl', [nested(500), nested(100_000), nested(600), '{"a":1}'].join('\n'))
    const { records, errors } = await all(path)
    expect(records).toHaveLength(2)
    expect(errors).toEqual(['2 too-deep', '3 too-deep'])
  })

  test('ranges of bytes read every row once, with its line', async () => {
    const rows = Array.from({ length: 997 }, (_, index) =>
      JSON.stringify({ index, text: 'é'.repeat(index % 31) }),
    )
    const path = fileOf('ranges.jsonl', `${rows.join('\n')}\n`)
    for (const count of [1, 2, 3, 7, 50]) {
      const parts = await byteRanges(path, count)
      const read = await Promise.all(parts.map(({ range, firstLine }) => all(path, { range, firstLine })))
      expect(read.flatMap(({ records }) => records.map(({ index }) => index))).toEqual(
        rows.map((_, index) => index),
      )
      expect(read.flatMap(({ lines }) => lines)).toEqual(rows.map((_, index) => index + 1))
      if (count === 7)
        for (const [index, { range }] of parts.entries())
          expect((await all(path, { range })).lines).toEqual(read[index]!.lines)
    }
    for (let cut = 0; cut < 40; cut++) {
      const [a, b] = [await all(path, { range: [0, cut] }), await all(path, { range: [cut, 1e9] })]
      expect([...a.lines, ...b.lines]).toEqual(rows.map((_, index) => index + 1))
    }
    expect(await thrown(all(place('x.jsonl.gz'), { range: [0, 5] }))).toMatchObject({ code: 'bad-option' })
  })

  test('limit, batches and progress', async () => {
    const path = place('many.jsonl')
    await writeRecords(
      path,
      Array.from({ length: 100 }, (_, a) => ({ a })),
    )
    const batches = []
    for await (const batch of readRecords(path, { batchSize: 30 })) batches.push(batch)
    expect(batches.map(({ records }) => records.length)).toEqual([30, 30, 30, 10])
    expect(batches.at(-1)!.bytesRead).toBe(batches.at(-1)!.bytesTotal)
    expect((await all(path, { limit: 42, batchSize: 30 })).lines).toHaveLength(42)
    const controller = new AbortController()
    await expect(async () => {
      for await (const _ of readRecords(path, { batchSize: 10, signal: controller.signal }))
        controller.abort()
    }).rejects.toThrow(/abort/i)
  })

  test('rows with much text come in small batches', async () => {
    const path = place('heavy.jsonl')
    await writeRecords(
      path,
      Array.from({ length: 9 }, () => ({ a: 'x'.repeat(5_000_000) })),
    )
    const sizes = []
    for await (const { records } of readRecords(path)) sizes.push(records.length)
    expect(sizes).toEqual([4, 4, 1])
  })

  test('a file cut off inside gzip gives the rows before the damage and an error', async () => {
    const text = Array.from({ length: 20_000 }, (_, index) =>
      JSON.stringify({ index, noise: Math.sin(index) }),
    ).join('\n')
    const whole = gzipSync(text)
    const { records, errors } = await all(fileOf('cut.jsonl.gz', whole.subarray(0, whole.length / 2)))
    expect(records.length).toBeGreaterThan(1000)
    expect(records[1000]!.index).toBe(1000)
    expect(errors.join()).toContain('unreadable')
    expect(await thrown(all(fileOf('not.jsonl.gz', '{"a":1}')))).toMatchObject({ code: 'no-usable-row' })
    const members = fileOf('members.jsonl.gz', Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"a":2}\n')]))
    expect((await all(members)).records).toEqual([{ a: 1 }, { a: 2 }])
  })
})

describe('JSON', () => {
  test('arrays are streamed, objects may stand in a row, rows are numbered', async () => {
    const array = fileOf('a.json', ' [ {"a":"],[{"}, {"b":[1,{"c":"\\"]"}]} , {"c":{}}\n]\n')
    expect(await all(array)).toMatchObject({
      records: [{ a: '],[{' }, { b: [1, { c: '"]' }] }, { c: {} }],
      lines: [1, 2, 3],
    })
    expect((await all(fileOf('b.json', '{"a":\n1}\n{"a":2}{"a":3}'))).records).toEqual([
      { a: 1 },
      { a: 2 },
      { a: 3 },
    ])
    const large = place('large.json')
    const rows = Array.from({ length: 20_000 }, (_, index) => ({
      index,
      text: `"${'\\'.repeat(index % 7)}]}`,
    }))
    await writeRecords(large, rows)
    expect((await all(large)).records).toEqual(rows)
  })
  test('a list inside an object is read with `at`', async () => {
    const path = fileOf('c.json', '{"info":{},"annotations":[{"a":1},{"a":2}]}')
    expect((await all(path)).records).toHaveLength(1)
    expect((await all(path, { at: 'annotations' })).records).toEqual([{ a: 1 }, { a: 2 }])
    expect(await thrown(all(path, { at: 'info' }))).toMatchObject({ code: 'bad-option' })
  })
  test('what is broken is said by row, what came before is kept', async () => {
    expect(await all(fileOf('d.json', '[{"a":1},{"a":NaN},{"a":3}]'))).toMatchObject({
      lines: [1, 3],
      errors: ['2 broken-json a'],
    })
    expect(await all(fileOf('e.json', '[{"a":1},{"a":2'))).toMatchObject({
      lines: [1],
      errors: ['2 broken-json'],
    })
    expect(await all(fileOf('f.json', '[{"a":1},]'))).toMatchObject({ lines: [1], errors: ['2 broken-json'] })
    expect(await thrown(all(fileOf('g.json', '[]')))).toMatchObject({ code: 'empty' })
  })
  test('a list in a .jsonl file says how to read it', async () => {
    expect((await thrown(all(fileOf('h.jsonl', '[\n{"a":1}\n]')))).message).toBeUndefined()
    expect((await all(fileOf('i.jsonl', '[{"a":1}]\n{"a":2}'))).errors).toEqual(['1 bad-row'])
  })
})

describe('CSV and TSV', () => {
  test('quotes, line breaks, byte order mark, null and empty text; values stay text', async () => {
    const path = fileOf('a.csv', '\ufeffid,text,n\r\n1,"a ""b"",\r\nc",007\r\n2,"",\r\n"é",x,1.0\r\n')
    expect(await all(path)).toMatchObject({
      records: [
        { id: '1', text: 'a "b",\r\nc', n: '007' },
        { id: '2', text: '', n: null },
        { id: 'é', text: 'x', n: '1.0' },
      ],
      lines: [2, 4, 5],
      errors: [],
    })
  })
  test('rows that do not fit are errors with their line', async () => {
    const bad = Buffer.concat([
      Buffer.from('a,b\n1,2\n3\n4,"x"y\n'),
      Buffer.from([0xff, 0x2c, 0x31, 10]),
      Buffer.from('5,6\n7,"never closed\n8,9\n'),
    ])
    const { records, errors, warnings } = await all(fileOf('b.csv', bad))
    expect(records).toEqual([{ a: '1', b: '2' }, { a: '3' }, { a: '4', b: '"x"y' }, { a: '5', b: '6' }])
    expect(errors).toEqual(['5 invalid-utf8', '7 broken-csv'])
    expect(warnings.join()).toMatch(/b\.csv:3, field "b": has 1 fields where the header names 2/)
    expect((await all(fileOf('long.csv', 'a,b\n1,2,3\n4,5\n'))).errors).toEqual(['2 broken-csv'])
    expect(await thrown(all(fileOf('c.csv', 'a,a\n1,2\n')))).toMatchObject({ code: 'bad-header' })
    expect(await thrown(all(fileOf('d.csv', 'a,b\n')))).toMatchObject({ code: 'empty' })
  })
  test('TSV has no quoting', async () => {
    const path = fileOf('a.tsv', 'a\tb\n"x" y\t"\nz\t\n')
    expect((await all(path)).records).toEqual([
      { a: '"x" y', b: '"' },
      { a: 'z', b: null },
    ])
    expect(await thrown(writeRecords(place('b.tsv'), [{ a: 'x\ty' }]))).toMatchObject({
      code: 'cannot-write',
    })
  })
  test('any texts and nulls survive', async () => {
    const row = fc.record({
      a: fc.option(fc.string({ unit: 'grapheme' })),
      'b,"': fc.option(fc.string()),
      c: fc.constant('1'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1 }), async (rows) => {
        for (const name of ['p.csv', 'p.csv.gz']) {
          await writeRecords(join(folder, name), rows)
          expect((await all(join(folder, name))).records).toEqual(rows.map((record) => ({ ...record })))
        }
      }),
      { numRuns: 25 },
    )
  })
  test('columns of later rows are columns of all', async () => {
    const path = place('late.csv')
    await writeRecords(path, [{ a: 1 }, { b: { c: [1.5] }, a: true }])
    expect(readFileSync(path, 'utf8')).toBe('a,b\n1,\ntrue,"{""c"":[1.5]}"\n')
    expect(await thrown(writeRecords(path, [{ a: 1, b: 2 }], { columns: ['a'] }))).toMatchObject({
      code: 'cannot-write',
    })
  })
})

describe('Parquet', () => {
  const rows = [
    {
      id: 1,
      large: 2 ** 53,
      score: 0.5,
      whole: 1,
      ok: true,
      text: 'é',
      none: null,
      messages: [{ role: 'user', content: 'hi', n: null }],
      info: { a: [1, 2], b: { c: 'x' } },
      mixed: 'text',
      map: {},
    },
    {
      id: 2,
      large: 3,
      score: null,
      whole: 2.5,
      ok: null,
      text: '',
      none: null,
      messages: [],
      info: { a: [], b: null },
      mixed: [1],
      map: { k: 1 },
    },
    {
      id: 3,
      large: 4,
      score: 1,
      whole: 3,
      ok: false,
      text: null,
      none: null,
      messages: null,
      info: null,
      mixed: null,
      map: null,
    },
  ]
  test('types are inferred over all rows and come back', async () => {
    const path = place('a.parquet')
    expect(await writeRecords(path, rows)).toBe(3)
    expect((await all(path)).records).toEqual(rows)
  })
  test('a file of guerdon and one read from elsewhere are written back with their types', async () => {
    const path = place('b.parquet')
    const { parquetWriteFile } = await import('hyparquet-writer')
    parquetWriteFile({
      filename: path,
      columnData: [
        { name: 'big', data: [9007199254740993n, -1n, null], type: 'INT64' },
        { name: 'small', data: [1, 2, 3], type: 'INT32' },
        { name: 'bytes', data: [new Uint8Array([0, 255]), null, new Uint8Array()], type: 'BYTE_ARRAY' },
        { name: 'time', data: [new Date(1), new Date(-1500), null], type: 'TIMESTAMP' },
        { name: 'real', data: [Number.NaN, 1.5, null], type: 'DOUBLE' },
        { name: 'any', data: [{ a: [1, null] }, 'x', null], type: 'JSON' },
      ],
    })
    const batches = []
    for await (const batch of readRecords(path)) batches.push(batch)
    const [{ records, schema, warnings }] = batches as [(typeof batches)[0]]
    expect(records).toEqual([
      {
        big: 9007199254740992,
        small: 1,
        bytes: 'AP8=',
        time: '1970-01-01T00:00:00.001Z',
        real: null,
        any: { a: [1, null] },
      },
      { big: -1, small: 2, bytes: null, time: '1969-12-31T23:59:58.500Z', real: 1.5, any: 'x' },
      { big: null, small: 3, bytes: '', time: null, real: null, any: null },
    ])
    expect(warnings.map(({ message }) => message).join()).toContain('field "real": is NaN')
    const copy = place('b-copy.parquet')
    await writeRecords(copy, records, { schema: schema! })
    const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet')
    const raw = await parquetReadObjects({ file: await asyncBufferFromFile(copy), utf8: false })
    expect(raw[0]).toMatchObject({ big: 9007199254740993n, small: 1, time: new Date(1) })
    expect(Buffer.from(raw[0]!.bytes)).toEqual(Buffer.from([0, 255]))
    const lines = place('b.jsonl')
    await writeRecords(lines, records)
    expect(readFileSync(lines, 'utf8')).toContain('"big":9007199254740993,')
    expect((await all(lines)).records).toEqual(records)
    await expect(writeRecords(copy, [{ small: 'x' }], { schema: schema! })).rejects.toThrow(
      /field "small": record 1 has "x" in a column of integers/,
    )
    expect((await all(copy)).records).toEqual(records) // a failed writing leaves the old file
  })
  test('maps are objects, and maps again when written', async () => {
    const { fileWriter, ParquetWriter } = await import('hyparquet-writer')
    const path = place('map.parquet')
    const writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [
        { name: 'root', num_children: 1 },
        { name: 'm', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'MAP' },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        { name: 'key', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        { name: 'value', type: 'INT64', repetition_type: 'OPTIONAL' },
      ],
    })
    writer.write({ columnData: [{ name: 'm', data: [{ a: 1n, b: null }, null, {}] }] })
    await writer.finish()
    for await (const { records, schema } of readRecords(path)) {
      expect(records).toEqual([{ m: { a: 1, b: null } }, { m: null }, { m: {} }])
      const copy = place('map-copy.parquet')
      await writeRecords(copy, records, { schema: schema! })
      expect((await all(copy)).records).toEqual(records)
    }
  })
  test('several row groups, gzip around it, a damaged file', async () => {
    const many = Array.from({ length: 45_000 }, (_, index) => ({ index, text: `t${index % 10}` }))
    const path = place('c.parquet')
    await writeRecords(path, many)
    const { records, lines } = await all(path, { batchSize: 1000 })
    expect(records).toEqual(many)
    expect(lines.at(-1)).toBe(45_000)
    const bytes = readFileSync(path)
    expect((await all(fileOf('d.parquet.gz', gzipSync(bytes)), { limit: 3 })).records).toEqual(
      many.slice(0, 3),
    )
    expect(await thrown(all(fileOf('e.parquet', bytes.subarray(0, 1000))))).toMatchObject({
      code: 'broken-parquet',
    })
    const damaged = Buffer.from(bytes)
    damaged.fill(0xff, 10, 5000)
    const rest = await all(fileOf('f.parquet', damaged))
    expect(rest.errors).toEqual(['1 broken-parquet'])
    expect(rest.records.length).toBe(25_000)
  })
})

describe('sources and places', () => {
  test('what cannot be read says why', async () => {
    expect(await thrown(all(join(folder, 'absent.jsonl')))).toMatchObject({ code: 'unreadable' })
    expect(await thrown(all(folder, { format: 'jsonl' }))).toMatchObject({ code: 'unreadable' })
    expect(await thrown(all(fileOf('a.txt', '')))).toMatchObject({
      code: 'unknown-format',
      message: expect.stringContaining('jsonl, json, csv, tsv, parquet'),
    })
    expect((await thrown(all('x', { format: 'jsnl' as 'json' }))).message).toContain('Did you mean "json')
    expect(await thrown(all(fileOf('empty.jsonl', '')))).toMatchObject({ code: 'empty' })
    expect(await thrown(all(fileOf('blank.jsonl', '\n \n')))).toMatchObject({ code: 'empty' })
    expect((await thrown(all(fileOf('none.jsonl', '{\n{\n')))).message).toContain('first problem')
  })
  test('writing is whole or not at all, follows links and says what went wrong', async () => {
    const path = fileOf('old.jsonl', 'old\n')
    const failing = function* () {
      yield { a: 1 }
      throw new Error('no more')
    }
    expect(await thrown(writeRecords(path, failing()))).toMatchObject({ code: 'cannot-write' })
    expect(readFileSync(path, 'utf8')).toBe('old\n')
    const link = place('link.jsonl')
    symlinkSync(path, link)
    await writeRecords(link, [{ a: 1 }])
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n')
    expect((await thrown(writeRecords(join(folder, 'no/such.jsonl'), [{}]))).message).toContain(
      'Make the folder first',
    )
    expect((await thrown(writeRecords('/dev/full/x.jsonl', [{}]))).code).toBe('cannot-write')
    const nested: unknown[] = []
    let inner = nested
    for (let depth = 0; depth < 100_000; depth++) {
      const next: unknown[] = []
      inner.push(next)
      inner = next
    }
    expect((await thrown(writeRecords(path, [{ a: nested as never }]))).message).toContain('record 1')
  })
  test('rows come from standard input as well', () => {
    const index = new URL('./index.ts', import.meta.url)
    const script = `
      import { readSamples, writeSamples } from ${JSON.stringify(index.href)}
      const all = async function* () { for await (const { samples } of readSamples('-')) yield* samples }
      await writeSamples('-', all())`
    const input = '{"id":"a","prompt":"p","output":"é"}\n'
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      input,
      encoding: 'utf8',
    })
    expect(output).toBe(input)
  })
  test('numbers beyond any double are refused in samples too', async () => {
    const path = fileOf(
      'huge.jsonl',
      '{"prompt":"","output":"","x":[1, -1e999]}\n{"prompt":"","output":""}\n',
    )
    for await (const { samples, errors } of readSamples(path)) {
      expect(samples.map(({ id }) => id)).toEqual(['row-2'])
      expect(errors[0]!.message).toMatch(
        /:1, field "x\.1": the number -1e999 is beyond the range of a double/,
      )
    }
  })
  test('integers beyond 2^53 in samples are warned of; as ids they keep every digit', async () => {
    const path = fileOf(
      'ids.jsonl',
      '{"id":12345678901234567891,"prompt":"","output":"","x":1}\n{"id":12345678901234567892,"prompt":"","output":"","x":12345678901234567892}\n',
    )
    for await (const { samples, errors, warnings } of readSamples(path)) {
      expect(samples.map(({ id }) => id)).toEqual(['12345678901234567891', '12345678901234567892'])
      expect(errors).toEqual([])
      expect(warnings.map(({ place }) => `${place.line} ${place.field}`)).toEqual(['1 id', '2 id', '2 x'])
    }
  })
})
