import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { GuerdonError, isObject, messageOf, nearest } from '../core/index.ts'

export interface HubOptions {
  /** Called as files arrive: bytes so far and in all. */
  readonly onProgress?: (bytes: number, total: number) => void
  readonly signal?: AbortSignal
}

/** A file of a data set, on this machine. */
export interface HubFile {
  readonly path: string
  /** [bytes] */
  readonly size: number
}

/** `hf://owner/name/split[?config=..&revision=..]` taken apart. */
interface HubSource {
  readonly source: string
  readonly repository: string
  readonly split: string
  readonly config: string | undefined
  /** A branch, tag or commit; the hub's own Parquet conversion when left out. */
  readonly revision: string | undefined
}

interface RemoteFile {
  readonly path: string
  readonly size: number
  /** SHA-256 of the content, for files that the hub keeps in large-file storage. */
  readonly sha256?: string
}

const conversion = 'refs/convert/parquet'
const dataFile = /\.(?:parquet|jsonl|ndjson|json|csv|tsv)(?:\.gz)?$/

/**
 * The files of one split of a data set on the Hugging Face hub, fetched into the cache (environment variable
 * `GUERDON_CACHE`, else `XDG_CACHE_HOME` or `~/.cache`, folder `guerdon`) unless they are there. Without a revision it
 * reads the hub's Parquet conversion. A broken download goes on where it stopped; sizes and, where the hub gives
 * them, SHA-256 sums are checked. `HF_ENDPOINT` names another hub, `HF_TOKEN` opens private data and is sent to
 * that hub only, `HF_HUB_OFFLINE=1` uses the cache alone. Throws a `GuerdonError`.
 */
export async function hubFiles(source: string, options: HubOptions = {}): Promise<readonly HubFile[]> {
  const wanted = hubSource(source)
  const folder = join(cacheFolder(), 'hub', wanted.repository.replace('/', '--'))
  const files = await listing(wanted, folder, options)
  const total = files.reduce((sum, { file }) => sum + file.size, 0)
  let before = 0
  const local: HubFile[] = []
  for (const { revision, file } of files) {
    const path = join(folder, revision.replaceAll('/', '--'), ...file.path.split('/'))
    if ((await sizeOf(path)) !== file.size) {
      if (isOffline())
        throw offline(wanted, folder, `${file.path} is not in the cache and HF_HUB_OFFLINE is set`)
      const start = before
      await download(wanted, revision, file, path, folder, {
        ...options,
        onProgress: (bytes) => options.onProgress?.(start + bytes, total),
      })
    }
    before += file.size
    options.onProgress?.(before, total)
    local.push({ path, size: file.size })
  }
  return local
}

function hubSource(source: string): HubSource {
  const [, owner, name, split, query = ''] =
    /^hf:\/\/([\w.-]+)\/([\w.-]+)\/([\w.-]+)(?:\?(.*))?$/.exec(source) ?? []
  const parameters = new URLSearchParams(query)
  const unknown = [...parameters.keys()].find((key) => key !== 'config' && key !== 'revision')
  const names = [owner, name, ...(parameters.get('revision')?.split('/') ?? [])]
  if (!owner || !name || !split || unknown !== undefined || names.some((part) => !part || /^\.+$/.test(part)))
    throw new GuerdonError(
      'bad-source',
      unknown === undefined
        ? 'does not name a split on the hub.'
        : `has the parameter "${unknown}", which is not known.`,
      {
        place: { file: source },
        fix: 'Write hf://owner/name/split, with ?config=... and &revision=... where needed.',
      },
    )
  return {
    source,
    repository: `${owner}/${name}`,
    split,
    config: parameters.get('config') ?? undefined,
    revision: parameters.get('revision') ?? undefined,
  }
}

interface Listed {
  readonly revision: string
  readonly file: RemoteFile
}

/** Which files make up the split; the last answer of the hub is kept for when it cannot be reached. */
async function listing(wanted: HubSource, folder: string, options: HubOptions): Promise<readonly Listed[]> {
  const { split, config, revision } = wanted
  const kept = join(folder, `${[config ?? '', split, revision ?? ''].map(encodeURIComponent).join('@')}.json`)
  if (!isOffline())
    try {
      const files = await remoteListing(wanted, options)
      await mkdir(folder, { recursive: true })
      await writeFile(`${kept}.partial`, JSON.stringify(files))
      await rename(`${kept}.partial`, kept)
      return files
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof GuerdonError && error.code !== 'offline') throw error
    }
  try {
    return JSON.parse(await readFile(kept, 'utf8'))
  } catch {
    throw offline(wanted, folder, isOffline() ? 'HF_HUB_OFFLINE is set' : `${endpoint()} cannot be reached`)
  }
}

async function remoteListing(wanted: HubSource, options: HubOptions): Promise<readonly Listed[]> {
  const { split, revision } = wanted
  if (revision === undefined) {
    const converted = await tree(wanted, conversion, options)
    if (converted) {
      const found = splitOfConversion(wanted, converted)
      return found.map((file) => ({ revision: conversion, file }))
    }
  }
  const files = (await tree(wanted, revision ?? 'main', options))?.filter(({ path }) => dataFile.test(path))
  if (!files)
    throw new GuerdonError(
      'not-found',
      `the hub has no data set "${wanted.repository}"${revision ? ` at revision "${revision}"` : ''}.`,
      {
        place: { file: wanted.source },
        fix: 'Check the name; a private or gated one needs HF_TOKEN and access to it.',
      },
    )
  const found = files.filter(({ path }) => isOfSplit(path, wanted))
  if (found.length === 0)
    throw notFound(wanted, `has no file for the split "${split}"`, files.map(({ path }) => path).slice(0, 20))
  return found.map((file) => ({ revision: revision ?? 'main', file }))
}

/** Files of the conversion stand at `config/split/0000.parquet`, or `config/partial-split/...` for very large sets. */
function splitOfConversion(wanted: HubSource, files: readonly RemoteFile[]): readonly RemoteFile[] {
  const placed = files.flatMap((file) => {
    const [config, folder] = file.path.split('/')
    return config && folder && file.path.endsWith('.parquet')
      ? [{ file, config, split: folder.replace(/^partial-/, '') }]
      : []
  })
  const configs = [...new Set(placed.map(({ config }) => config))]
  const config =
    wanted.config ?? (configs.length === 1 ? configs[0] : configs.find((name) => name === 'default'))
  if (config === undefined)
    throw notFound(wanted, 'has several configs', configs, 'Add ?config= with one of them.')
  if (!configs.includes(config)) throw notFound(wanted, `has no config "${config}"`, configs)
  const found = placed.filter((item) => item.config === config)
  const splits = [...new Set(found.map(({ split }) => split))]
  if (!splits.includes(wanted.split)) throw notFound(wanted, `has no split "${wanted.split}"`, splits)
  return found.filter(({ split }) => split === wanted.split).map(({ file }) => file)
}

/** A file of a plain repository belongs to a split when a part of its path is the split's name. */
function isOfSplit(path: string, { split, config }: HubSource): boolean {
  const parts = path.replace(dataFile, '').split('/')
  const stem = parts.at(-1)!
  const numbered = stem.startsWith(split) && /^[-_.]\d/.test(stem.slice(split.length))
  const named = parts.slice(0, -1).includes(split) || stem === split || numbered
  return named && (config === undefined || parts.includes(config))
}

function notFound(wanted: HubSource, what: string, known: readonly string[], fix?: string): GuerdonError {
  const guess = nearest(wanted.split, known)
  return new GuerdonError('not-found', `the data set ${what}.`, {
    place: { file: wanted.source },
    fix: `${guess ? `Did you mean "${guess}"? ` : ''}It has ${known.join(', ') || 'none'}.${fix ? ` ${fix}` : ''}`,
  })
}

/** Every file of a revision; `undefined` where the hub knows no such repository or revision. */
async function tree(
  { repository }: HubSource,
  revision: string,
  options: HubOptions,
): Promise<readonly RemoteFile[] | undefined> {
  const files: RemoteFile[] = []
  let url: string | undefined =
    `${endpoint()}/api/datasets/${repository}/tree/${encodeURIComponent(revision)}?recursive=true`
  while (url !== undefined) {
    const response = await ask(url, {}, options)
    if (response.status === 404 || response.status === 401 || response.status === 403) return undefined
    const page: unknown = await response.json()
    if (!Array.isArray(page))
      throw new GuerdonError('hub-error', 'the hub answers with something else than a list of files.')
    for (const item of page)
      if (isObject(item) && item.type === 'file' && typeof item.path === 'string') {
        const sha256 = isObject(item.lfs) ? item.lfs.oid : undefined
        if (item.path.split('/').includes('..')) continue
        files.push({
          path: item.path,
          size: Number(item.size),
          ...(typeof sha256 === 'string' ? { sha256 } : {}),
        })
      }
    const next: string | undefined = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
    url = next === undefined ? undefined : new URL(next, url).href
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function download(
  wanted: HubSource,
  revision: string,
  file: RemoteFile,
  path: string,
  folder: string,
  options: HubOptions,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const release = await lock(`${path}.lock`, options.signal)
  try {
    if ((await sizeOf(path)) === file.size) return // another process fetched it
    const partial = `${path}.partial`
    const url = `${endpoint()}/datasets/${wanted.repository}/resolve/${encodeURIComponent(revision)}/${file.path.split('/').map(encodeURIComponent).join('/')}`
    for (let attempt = 0; ; attempt++) {
      try {
        await fetchRest(url, partial, file, options)
        break
      } catch (error) {
        options.signal?.throwIfAborted()
        if (error instanceof GuerdonError && error.code !== 'offline') throw error
        if (attempt >= 3)
          throw offline(
            wanted,
            folder,
            `${file.path} could not be fetched whole (${messageOf(error)}); what came is kept and the next try goes on from there`,
          )
      }
    }
    const sum = file.sha256 === undefined ? undefined : await sha256Of(partial)
    if (sum !== file.sha256) {
      await rm(partial, { force: true })
      throw new GuerdonError(
        'corrupt-download',
        `${file.path} arrived damaged: its SHA-256 is not the hub's.`,
        {
          place: { file: wanted.source },
          fix: 'Try again; the damaged copy was removed.',
        },
      )
    }
    await rename(partial, path)
  } finally {
    await release()
  }
}

/** Fetches what is missing of a file, appending to what an earlier try left. */
async function fetchRest(url: string, partial: string, file: RemoteFile, options: HubOptions): Promise<void> {
  let have = (await sizeOf(partial)) ?? 0
  if (have > file.size) {
    await rm(partial)
    have = 0
  }
  if (have === file.size && have > 0) return
  const response = await ask(url, have > 0 ? { range: `bytes=${have}-` } : {}, options)
  if (!response.ok || !response.body)
    throw new GuerdonError('hub-error', `the hub answers ${response.status} for ${file.path}.`, {
      fix: 'A gated data set needs HF_TOKEN and its terms accepted on the hub.',
    })
  const resumed = response.status === 206
  if (!resumed) have = 0
  const target = await open(partial, resumed ? 'a' : 'w')
  try {
    for await (const chunk of response.body) {
      await target.write(chunk)
      have += chunk.length
      options.onProgress?.(Math.min(have, file.size), file.size)
    }
  } finally {
    await target.close()
  }
  if ((await sizeOf(partial)) !== file.size)
    throw new Error(`${await sizeOf(partial)} of ${file.size} bytes arrived`)
}

/** A request to the hub. Throws a `GuerdonError` of code `offline` when nothing answers. */
async function ask(url: string, headers: Record<string, string>, { signal }: HubOptions): Promise<Response> {
  const token = process.env.HF_TOKEN
  const own = new URL(url).origin === new URL(endpoint()).origin
  let response: Response
  try {
    // fetch drops the authorization header when a redirect leads to another host.
    response = await fetch(url, {
      headers: { ...headers, ...(token && own ? { authorization: `Bearer ${token}` } : {}) },
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw new GuerdonError('offline', `${endpoint()} cannot be reached: ${messageOf(error)}.`)
  }
  if (response.status === 429 || response.status >= 500)
    throw new GuerdonError('offline', `${endpoint()} answers ${response.status}.`)
  return response
}

function offline({ source, repository, split }: HubSource, folder: string, why: string): GuerdonError {
  return new GuerdonError('offline', `the data set is not here: ${why}.`, {
    place: { file: source },
    fix:
      `On a machine with network run "hf download ${repository} --repo-type dataset --revision ${conversion} --local-dir data" ` +
      `and give guerdon the file (data/default/${split}/0000.parquet or so) instead of hf://, ` +
      `or read hf:// there and copy the folder ${folder}.`,
  })
}

/** Lets one process at a time fetch a file; the lock of a process that is gone is taken over. */
async function lock(path: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  for (;;) {
    signal?.throwIfAborted()
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' })
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => '0'))
    if (holder > 0 && !isRunning(holder)) await rm(path, { force: true })
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function sha256Of(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk)
  return digest.digest('hex')
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
}

function endpoint(): string {
  return (process.env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '')
}

function isOffline(): boolean {
  return /^(?:1|true|yes|on)$/i.test(process.env.HF_HUB_OFFLINE ?? '')
}

function cacheFolder(): string {
  return process.env.GUERDON_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'guerdon')
}
