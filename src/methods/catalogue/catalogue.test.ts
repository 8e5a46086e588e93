import { expect, test } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { benchmarkNamed } from '../../audit/benchmarks/registry.ts'
import { methods } from '../registry.ts'
import { readSummaries } from '../reproduce/verdicts.ts'
import { catalogue, catalogueEntry, coverage, gaps, leaves, leavesOf, statusOf } from './catalogue.ts'
import { catalogueMarkdown } from './catalogue-markdown.ts'
import { axisNames } from './taxonomy.ts'

const packageExports = packageJson.exports as unknown as Record<string, { 'guerdon-source': string }>

test('the catalogue holds all 88 systems once, each of a kind, with an arXiv paper', () => {
  const all = catalogue()
  expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 88 }, (_, index) => index + 1))
  expect(new Set(all.map(({ id }) => id)).size).toBe(88)
  for (const entry of all) {
    expect(entry.paper).toMatch(/^arXiv \d{4}\.\d{5}$/)
    expect(leavesOf(entry, 'kind').length, entry.id).toBeGreaterThan(0)
    expect(leavesOf(entry, 'application').length, entry.id).toBeGreaterThan(0)
    for (const axis of axisNames) {
      const tags = leavesOf(entry, axis)
      expect(new Set(tags).size, `${entry.id} ${axis}`).toBe(tags.length)
    }
  }
})

test('every method stands in the catalogue under its own number', () => {
  for (const method of methods) expect(catalogueEntry(String(method.number)).id).toBe(method.id)
})

test('a method is made of something, and its benchmarks exist', () => {
  for (const { id, rewards, benchmarks: names, parts } of methods) {
    expect(rewards.length + names.length + parts.length, id).toBeGreaterThan(0)
    for (const name of names) expect(benchmarkNamed(name).name).toBe(name)
  }
})

test('components of the leaves and parts of the methods exist', async () => {
  const names = [
    ...axisNames.flatMap((axis) => leaves(axis).flatMap(({ components }) => components)),
    ...methods.flatMap(({ parts }) => parts),
  ]
  for (const name of new Set(names)) {
    const [entry, exported] = name.split('#') as [string, string]
    const source = packageExports[entry.replace('guerdon', '.')]!['guerdon-source']
    expect(Object.keys(await import(/* @vite-ignore */ `../../../${source}`)), name).toContain(exported)
  }
})

test('tags and words narrow the search together', () => {
  const diffusion = catalogue({ tags: { generator: ['diffusion'], use: ['direct-alignment'] } })
  expect(diffusion.map(({ id }) => id)).toContain('ppd')
  for (const entry of diffusion) expect(leavesOf(entry, 'generator')).toContain('diffusion')
  expect(catalogue({ text: 'tool learning' }).map(({ id }) => id)).toEqual(['toolrl'])
  expect(catalogue({ text: 'DIRECT preference', world: 'W4' }).map(({ id }) => id)).toContain('cream')
  expect(catalogue().filter((entry) => statusOf(entry) !== 'planned').length).toBe(methods.length)
  for (const entry of catalogue({ status: 'component' })) expect(statusOf(entry)).toBe('component')
  expect(catalogue({ text: 'no such thing' })).toEqual([])
})

test('a misspelt system, axis or leaf is named with what exists', () => {
  expect(() => catalogueEntry('toolr')).toThrow('Did you mean toolrl?')
  expect(() => catalogue({ tags: { generator: ['difusion' as 'diffusion'] } })).toThrow(/autoregressive, gan/)
  expect(() => catalogue({ tags: { generatr: ['diffusion'] } as never })).toThrow('no axis "generatr"')
})

test('coverage counts a system at each pair of its tags, and gaps are leaves without a component', () => {
  const table = coverage('kind', 'generator')
  const counted = table.find(({ row }) => row === 'decoding')!.counts
  const listed = catalogue({ tags: { kind: ['decoding'], generator: ['autoregressive'] } })
  expect(counted.autoregressive).toBe(listed.length)
  expect(listed.length).toBeGreaterThan(5)
  for (const { leaf } of gaps()) expect(leaf.components).toEqual([])
})

test('a system without a method is planned; one with a result has its verdict', () => {
  expect(statusOf(catalogueEntry('sgp-rl'))).toBe('component')
  for (const { id, verdict } of readSummaries())
    expect(statusOf(catalogueEntry(id))).toBe(verdict === 'invalid set-up' ? 'component' : verdict)
  expect(statusOf(catalogueEntry('eve'))).toBe('planned')
})

test('docs/methods.md is the catalogue', async () => {
  await expect(catalogueMarkdown()).toMatchFileSnapshot('../../../docs/methods.md')
})
