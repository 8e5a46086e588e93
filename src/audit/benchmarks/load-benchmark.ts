import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { GuerdonError } from '../../core/index.ts'
import { readRows } from '../../data/records.ts'
import { Row } from '../../data/row.ts'
import type { BenchmarkFiles, BenchmarkItem, BenchmarkSpec, GenerateOptions } from './benchmark.ts'
import type { Benchmark } from './run-benchmark.ts'

export interface LoadBenchmarkOptions extends GenerateOptions {
  /**
   * A folder with the benchmark's files, one file, or `hf://owner/name/split` (also written `hub:owner/name/split`).
   * @default what the benchmark generates; else its folder below `GUERDON_DATA`; else its place on the hub
   */
  readonly source?: string
  /** Items at most, the first ones. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

/**
 * The items of a benchmark. Rows that cannot be read are `problems`, and the rest goes on. Throws a `GuerdonError` that
 * says how to get the data where they are absent, and where no row is an item.
 */
export async function loadBenchmark(
  spec: BenchmarkSpec,
  options: LoadBenchmarkOptions = {},
): Promise<Benchmark> {
  const { limit = Number.POSITIVE_INFINITY } = options
  const problems: GuerdonError[] = []
  const items: BenchmarkItem[] = []
  const done = () => items.length >= limit
  if (spec.generate && options.source === undefined) {
    for (const item of await spec.generate(options)) {
      if (done()) break
      items.push(item)
    }
    return { spec, items, source: `generated with seed ${options.seed ?? 0}`, problems }
  }
  const { source, files } = await filesOf(spec, options, problems)
  const joined = await spec.join?.(files)
  const ids = new Set<string>()
  for await (const { row, file } of files.each('items')) {
    try {
      for (const item of spec.read!(row, joined, file)) {
        if (ids.has(item.id)) throw row.problem('id', `"${item.id}" stands before already.`)
        ids.add(item.id)
        items.push(item)
      }
    } catch (error) {
      if (!(error instanceof GuerdonError)) throw error
      problems.push(error)
    }
    if (done()) break
  }
  if (items.length === 0)
    throw new GuerdonError(
      'no-usable-row',
      `has no item of "${spec.name}"${problems[0] ? `; the first problem: ${problems[0].message}` : '.'}`,
      { place: { file: source }, ...(problems[0] ? { cause: problems[0] } : {}) },
    )
  return { spec, items, source, problems }
}

/** Numbers that the benchmark's authors published, computed again from its data. Empty where it holds none. */
export async function recomputePublished(spec: BenchmarkSpec, options: LoadBenchmarkOptions = {}) {
  if (spec.recompute === undefined) return []
  const { files } = await filesOf(spec, options, [])
  return spec.recompute(files)
}

interface OpenFiles extends BenchmarkFiles {
  each(role: string): AsyncGenerator<{ readonly row: Row; readonly file: string }>
}

async function filesOf(
  spec: BenchmarkSpec,
  { signal, ...options }: LoadBenchmarkOptions,
  problems: GuerdonError[],
): Promise<{ source: string; files: OpenFiles }> {
  const source = options.source ?? (await defaultSource(spec))
  const hub = hubAddresses(source, spec)
  const isFolder = hub === undefined && (await kindOf(source, spec)) === 'folder'
  const present = isFolder ? new Set(await readdir(source)) : undefined
  const pathsOf = (role: string): string[] => {
    if (hub) return role === 'items' ? hub : []
    const names = spec.files?.[role] ?? []
    if (!present) return role === 'items' ? [source] : pathsBeside(source, names)
    const found = names.flatMap((name) => {
      const there = [name, `${name}.gz`].find((candidate) => present.has(candidate))
      return there === undefined ? [] : [join(source, there)]
    })
    if (found.length === 0)
      throw new GuerdonError('not-found', `has none of the files ${names.join(', ') || '(none known)'}.`, {
        place: { file: source },
        fix: howToGet(spec),
      })
    return found
  }
  const each = async function* (role: string) {
    for (const path of pathsOf(role)) {
      const row = new Row(path)
      const file = basename(path).replace(/\.(?:jsonl|ndjson|json|csv|tsv|parquet)(?:\.gz)?$/, '')
      for await (const batch of readRows(path, signal ? { signal } : {}, false)) {
        problems.push(...batch.errors)
        row.nullsMayBeAbsent = batch.schema !== undefined
        row.textOnly = batch.textOnly ?? false
        for (const [index, record] of batch.records.entries()) {
          row.record = record
          row.line = batch.lines[index]!
          yield { row, file: path.startsWith('hf://') ? path : file }
        }
      }
    }
  }
  const rows = async function* (role: string) {
    for await (const { row } of each(role)) yield row
  }
  return { source, files: { rows, each } }
}

/** Files beside a file, gzipped where only that is there. */
function pathsBeside(file: string, names: readonly string[]): string[] {
  return names.map((name) => {
    const path = join(dirname(file), name)
    return !existsSync(path) && existsSync(`${path}.gz`) ? `${path}.gz` : path
  })
}

/** Where the data of a benchmark are when nobody says. */
async function defaultSource(spec: BenchmarkSpec): Promise<string> {
  const root = process.env.GUERDON_DATA
  if (root && spec.folder) {
    const folder = join(root, spec.folder)
    if (await stat(folder).catch(() => undefined)) return folder
  }
  if (spec.hub) return 'hub'
  throw new GuerdonError('not-found', `the data of "${spec.name}" are not here.`, { fix: howToGet(spec) })
}

/** `hub` alone is the benchmark's own place; `hub:` and `hf://` name another. */
function hubAddresses(source: string, spec: BenchmarkSpec): string[] | undefined {
  if (source === 'hub') {
    if (spec.hub) return [...spec.hub]
    throw new GuerdonError('not-found', `"${spec.name}" is not on the hub.`, { fix: howToGet(spec) })
  }
  if (source.startsWith('hub:')) return [`hf://${source.slice('hub:'.length)}`]
  return source.startsWith('hf://') ? [source] : undefined
}

async function kindOf(source: string, spec: BenchmarkSpec): Promise<'folder' | 'file'> {
  const found = await stat(source).catch(() => undefined)
  if (found) return found.isDirectory() ? 'folder' : 'file'
  throw new GuerdonError('not-found', 'there is no such file or folder.', {
    place: { file: source },
    fix: howToGet(spec),
  })
}

/** How to get a benchmark's data, as a sentence. */
export function howToGet({ name, hub, folder, how, generate }: BenchmarkSpec): string {
  const ways = [
    generate && 'It is generated: give no source.',
    how,
    hub &&
      `It is on the hub: give "hub" (or ${hub[0]}) as its source, or on another machine run "hf download ${hub[0]!.split('/').slice(2, 4).join('/')} --repo-type dataset --local-dir ${name}" and give the file.`,
    folder &&
      `Or set GUERDON_DATA to the folder of data sets that holds "${folder}" (CONTRIBUTING.md, "Real data").`,
  ]
  return ways.filter(Boolean).join(' ')
}
