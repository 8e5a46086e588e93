// Rows a second of reading (wall-clock time), against node:readline with JSON.parse in the same run.
//
//   npm run -s bench -- data [--rows 200000] [--json]
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { JsonObject } from '../src/core/index.ts'
import { readRecords, readSamples, writeRecords } from '../src/data/index.ts'
import { print, processorClock } from './_throughput.ts'

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, json: { type: 'boolean', default: false } },
})
const count = Number(values.rows)
const folder = mkdtempSync(join(tmpdir(), 'guerdon-bench-'))

function* sums(): Generator<JsonObject> {
  for (let index = 0; index < count; index++) {
    const other = (index * 7) % 1000
    yield {
      id: `q-${index}`,
      prompt: `What is ${index} plus ${other}? Answer with a number.`,
      output: `The answer is ${index + other}.`,
      reference: String(index + other),
    }
  }
}
function* pairs(): Generator<JsonObject> {
  for (const { id, prompt, output, reference } of sums())
    yield {
      id,
      prompt,
      chosen: output,
      rejected: `It may be ${reference}1.`,
      score_chosen: 8.5,
      score_rejected: 3.25,
    }
}

async function time(what: string, path: string, read: () => Promise<number>, baseline?: number) {
  const processorMs = processorClock()
  const start = performance.now()
  const rows = await read()
  const seconds = (performance.now() - start) / 1000
  return {
    what,
    rows,
    'rows/s': Math.round(rows / seconds),
    'processor us/row': (processorMs() * 1000) / rows,
    'MB/s': statSync(path).size / 1e6 / seconds,
    ratio: baseline === undefined ? 1 : rows / seconds / baseline,
  }
}

async function samples(path: string): Promise<number> {
  let rows = 0
  for await (const batch of readSamples(path)) rows += new Set(batch.lines).size
  return rows
}
async function records(path: string): Promise<number> {
  let rows = 0
  for await (const batch of readRecords(path)) rows += batch.records.length
  return rows
}

try {
  const at = (name: string) => join(folder, name)
  for (const name of ['sums.jsonl', 'sums.jsonl.gz', 'sums.json', 'sums.csv', 'sums.parquet'])
    await writeRecords(at(name), sums())
  await writeRecords(at('pairs.jsonl'), pairs())
  const readline = async () => {
    let rows = 0
    for await (const line of createInterface({ input: createReadStream(at('sums.jsonl')) })) {
      JSON.parse(line)
      rows++
    }
    return rows
  }
  await readline()
  await samples(at('sums.jsonl'))
  const baseline = await time('node:readline + JSON.parse', at('sums.jsonl'), readline)
  const lines: Record<string, string | number>[] = [baseline]
  for (const name of ['sums.jsonl', 'pairs.jsonl', 'sums.jsonl.gz', 'sums.json', 'sums.csv', 'sums.parquet'])
    lines.push(await time(`readSamples ${name}`, at(name), () => samples(at(name)), baseline['rows/s']))
  for (const name of ['sums.jsonl', 'sums.csv', 'sums.parquet'])
    lines.push(await time(`readRecords ${name}`, at(name), () => records(at(name)), baseline['rows/s']))
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024)
  print(lines.map((line) => ({ ...line, 'peak MiB of all': peakMiB })))
} finally {
  rmSync(folder, { recursive: true })
}
