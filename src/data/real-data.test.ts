import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { testOnData } from '../../tests/shared-data.ts'
import { type JsonObject, type Preference, promptText, type Sample, textOf } from '../core/index.ts'
import { type ReadOptions, readPreferences, readRecords, readSamples, writePreferences } from './index.ts'

async function recordsOf(path: string, options?: Parameters<typeof readRecords>[1]) {
  const records: JsonObject[] = []
  for await (const batch of readRecords(path, options)) {
    expect(batch.errors).toEqual([])
    records.push(...batch.records)
  }
  return records
}
async function samplesOf(path: string, options?: ReadOptions) {
  const samples: Sample[] = []
  for await (const batch of readSamples(path, options)) {
    expect(batch.errors).toEqual([])
    samples.push(...batch.samples)
  }
  return samples
}
async function preferencesOf(path: string, options?: ReadOptions) {
  const preferences: Preference[] = []
  for await (const batch of readPreferences(path, options)) {
    expect(batch.errors).toEqual([])
    preferences.push(...batch.preferences)
  }
  return preferences
}

/** Lists inside JSON objects whose rows the table counts; a top-level object that is not a list is one row. */
const inside: Readonly<Record<string, string>> = {
  'gt.json': 'annotations',
  'dets-coco.json': 'annotations',
  'instances.json': 'annotations',
}
const oneObject = new Set(['multi_turn_func_doc.json', 'relation.json'])

testOnData('.', 'every file has as many rows as its table says', async (folder) => {
  const table = readFileSync(join(folder, 'README.md'), 'utf8')
  let files = 0
  for (const [, set, cells] of table.matchAll(/^\| \*\*([\w-]+)\*\* \|(.*)$/gm))
    for (const [, name, rows] of cells!.matchAll(/`([\w.-]+\.(?:jsonl|json|csv|tsv)(?:\.gz)?)` (\d+)/g)) {
      const at = inside[name!]
      const records = await recordsOf(join(folder, set!, name!), at ? { at } : {})
      const count = oneObject.has(name!) ? Object.keys(records[0]!).length : records.length
      expect(count, `${set}/${name}`).toBe(Number(rows))
      files++
    }
  expect(files).toBe(globSync('*/*.{jsonl,json,csv,tsv}{,.gz}', { cwd: folder }).length)
})

testOnData('toolrl', 'Parquet in the layout of verl', async (folder) => {
  const path = join(folder, 'rlla-test.parquet')
  const samples = await samplesOf(path, { promptsOnly: true })
  expect(samples).toHaveLength(80)
  const records = await recordsOf(path)
  samples.forEach((sample, index) => {
    const record = records[index] as {
      reward_model: { ground_truth: string }
      prompt: { role: string; content: string }[]
    }
    expect(sample.reference).toBe(record.reward_model.ground_truth)
    expect(sample.prompt).toEqual(record.prompt.map(({ role, content }) => ({ role, content })))
    expect(sample.meta).toMatchObject({ data_source: 'rlla', extra_info: { split: 'test', index } })
  })
  const judged = await samplesOf(path, {
    mapping: { prompt: 'prompt', output: 'extra_info.output', reference: 'reward_model.ground_truth' },
  })
  expect(judged.every(({ output, reference }) => output === reference)).toBe(true)
})

testOnData(
  'hh-rlhf-harmless-test',
  'transcripts are split and written back letter by letter',
  async (folder) => {
    const path = join(folder, 'pairs.jsonl.gz')
    const preferences = await preferencesOf(path)
    const records = await recordsOf(path)
    const equal = records.filter(({ chosen, rejected }) => chosen === rejected).length
    expect(preferences).toHaveLength(1156 - equal)
    const longer = preferences.filter(
      ({ chosen, rejected }) => textOf(chosen).length > textOf(rejected).length,
    ).length
    expect(longer / records.length).toBeGreaterThan(0.3)
    for (const { prompt, chosen } of preferences) {
      expect(promptText(prompt).length).toBeGreaterThan(0)
      expect(textOf(chosen)).not.toMatch(/\n\nHuman:/)
    }
    const folderOfCopy = mkdtempSync(join(tmpdir(), 'guerdon-hh-'))
    const copy = join(folderOfCopy, 'copy.jsonl')
    await writePreferences(copy, preferences, { convention: 'hh-rlhf' })
    const different = records.filter(({ chosen, rejected }) => chosen !== rejected)
    expect(await recordsOf(copy)).toEqual(different)
    rmSync(folderOfCopy, { recursive: true })
  },
)

testOnData('hhh-alignment', 'prompt, chosen and rejected', async (folder) => {
  const preferences = await preferencesOf(join(folder, 'pairs.jsonl'))
  expect(preferences).toHaveLength(111)
  expect(new Set(preferences.map(({ meta }) => meta.source)).size).toBe(4)
})

testOnData('oasst-samples', 'five outputs of one prompt share a group', async (folder) => {
  const samples = await samplesOf(join(folder, 'pythia-12b-sft-v8-2.5k-steps.jsonl.gz'), {
    mapping: { id: 'prompt_id', prompt: 'prompt', output: 'results.*.outputs.*' },
  })
  expect(samples).toHaveLength(1250)
  expect(new Set(samples.map(({ group }) => group)).size).toBe(250)
})
