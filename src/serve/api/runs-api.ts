import { basename } from 'node:path'
import { Hono } from 'hono'
import { z } from 'zod'
import { GuerdonError, type UnscoredCode } from '../../core/index.ts'
import { imageDataUrl } from '../../data/images.ts'
import type { Differences, FoundSample, SampleQuery, Store, StoredRun } from '../../store/index.ts'
import { decoded, parsedJson } from '../json-body.ts'
import type { ServeApp, ServeEnv } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'
import type { ApiContext } from './api.ts'
import { baseDirectoryOf, imageOf, shownSample } from './shown-sample.ts'
import type {
  Overview,
  RewardHead,
  RunDetail,
  RunDifference,
  RunHead,
  SampleDetail,
  SamplesPage,
} from './wire.ts'

const text = z.string().max(1000)
const finite = z.number()
const filterSchema = z.strictObject({
  values: z
    .array(z.strictObject({ reward: text, low: finite.optional(), high: finite.optional() }))
    .max(8)
    .optional(),
  unscored: z.strictObject({ reward: text, code: text.optional() }).optional(),
  groupOf: z.int().optional(),
  text: text.optional(),
  meta: z.strictObject({ field: text, value: text }).optional(),
  ids: z.array(text).max(1000).optional(),
})
const querySchema = z.strictObject({
  filter: filterSchema.default({}),
  order: z
    .discriminatedUnion('by', [
      z.strictObject({ by: z.literal('position') }),
      z.strictObject({ by: z.literal('value'), reward: text }),
      z.strictObject({
        by: z.enum(['gap', 'disagreement']),
        first: text,
        second: z.strictObject({ reward: text, run: text.optional() }),
      }),
    ])
    .default({ by: 'position' }),
  descending: z.boolean().default(false),
  after: z.string().max(2000).optional(),
  limit: z.int().min(1).max(200).default(48),
})

/** Texts in a page of samples are previews; one sample by itself is shown up to this. */
const wholeText = 200_000
const previewText = 1500
/** A field of meta with at most this many values sorts samples into kinds. */
const fewKinds = 40

export function runsApi({ store }: ApiContext): ServeApp {
  const app = new Hono<ServeEnv>()

  app.get('/overview', async (c) => {
    const runs = await store.runs.list()
    const overview: Overview = {
      store: basename(store.location),
      runs: await Promise.all(
        runs
          .slice(0, 50)
          .map(async (run) => ({ ...runHead(run), samples: await store.samples.count(run.id) })),
      ),
      documents: (await store.documents.list()).slice(0, 100),
      votes: (await store.votes.list()).length,
    }
    return c.json(overview)
  })

  app.get('/runs', async (c) => c.json((await store.runs.list()).map(runHead)))

  app.get('/runs/:run', async (c) =>
    c.json(await runDetail(store, await runNamed(store, c.req.param('run')))),
  )

  app.get('/runs/:run/samples', async (c) => {
    const run = await runNamed(store, c.req.param('run'))
    const query = queryOf(c.req.query('query'), querySchema)
    const page = await store.samples.page(run.id, query as SampleQuery)
    const shown = { maxText: previewText, draw: true }
    const others = await samplesBeside(store, query.order, page.samples)
    const answer: SamplesPage = {
      samples: await Promise.all(
        page.samples.map(async (found) => {
          const other = others?.found.get(found.sample.id)
          return {
            ...(await shownSample(found, { run, ...shown })),
            ...(other === undefined
              ? {}
              : { beside: await shownSample(other, { run: others!.run, ...shown }) }),
          }
        }),
      ),
      next: page.next,
    }
    return c.json(answer)
  })

  app.get('/runs/:run/against/:other', async (c) => {
    const run = await runNamed(store, c.req.param('run'))
    const other = await runNamed(store, c.req.param('other'))
    const { filter } = queryOf(c.req.query('query'), z.strictObject({ filter: filterSchema.default({}) }))
    const known = new Set(other.rewards.map(({ name }) => name))
    const answer: RunDifference[] = []
    for (const { name } of run.rewards)
      if (known.has(name))
        answer.push({
          reward: name,
          ...differenceOf(
            await store.samples.differences(run.id, {
              reward: name,
              run: other.id,
              filter: filter as NonNullable<SampleQuery['filter']>,
            }),
          ),
        })
    return c.json(answer)
  })

  app.get('/runs/:run/count', async (c) => {
    const run = await runNamed(store, c.req.param('run'))
    const { filter } = queryOf(c.req.query('query'), z.strictObject({ filter: filterSchema.default({}) }))
    return c.json({ count: await store.samples.count(run.id, filter as SampleQuery['filter']) })
  })

  app.get('/runs/:run/samples/:position', async (c) => {
    const run = await runNamed(store, c.req.param('run'))
    const position = whole(c.req.param('position'))
    const [found] = await store.runs.page(run.id, { after: position - 1, limit: 1 })
    if (found?.position !== position) throw missing('sample')
    const { samples } = await store.samples.page(run.id, { filter: { groupOf: position }, limit: 100 })
    const detail: SampleDetail = {
      sample: await shownSample(found, { run, maxText: wholeText, draw: true }),
      group: samples.map(({ position, sample, scores }) => ({
        position,
        id: sample.id,
        values: Object.fromEntries(Object.entries(scores).map(([name, { value }]) => [name, value])),
        kind: kindOf(sample.meta),
      })),
    }
    return c.json(detail)
  })

  app.get('/runs/:run/histogram', async (c) => {
    const run = await runNamed(store, c.req.param('run'))
    const part = c.req.query('part')
    const reward = c.req.query('reward') ?? run.rewards[0]?.name ?? ''
    return c.json(await store.samples.histogram(run.id, part === undefined ? { reward } : { reward, part }))
  })

  app.get('/runs/:run/media/:position/:hash', async (c) => {
    const run = await runNamed(store, c.req.param('run'))
    const position = whole(c.req.param('position'))
    const [found] = await store.runs.samples(run.id, position, position)
    const source = found && imageOf(found.sample, c.req.param('hash'))
    if (source === undefined) throw missing('picture')
    const side = c.req.query('side') === 'full' ? 1600 : 480
    let picture: Awaited<ReturnType<typeof imageDataUrl>>
    try {
      picture = await imageDataUrl(source, { baseDirectory: baseDirectoryOf(run), maxSide: side })
    } catch (error) {
      if (error instanceof GuerdonError) throw missing('picture that can be read')
      throw error
    }
    const [, type, data] = /^data:(image\/[a-z]+);base64,(.*)$/s.exec(picture.dataUrl)!
    return c.body(Buffer.from(data!, 'base64'), 200, {
      'content-type': type!,
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'private, max-age=86400, immutable',
    })
  })

  return app
}

/** The samples of the same ids in the run that an order looks into. */
async function samplesBeside(
  store: Store,
  order: z.output<typeof querySchema>['order'],
  samples: readonly FoundSample[],
): Promise<{ readonly run: StoredRun; readonly found: ReadonlyMap<string, FoundSample> } | undefined> {
  const other = 'second' in order ? order.second.run : undefined
  if (other === undefined || samples.length === 0) return undefined
  const run = await runNamed(store, other)
  const ids = samples.map(({ sample }) => sample.id)
  const page = await store.samples.page(run.id, { filter: { ids }, limit: ids.length })
  return { run, found: new Map(page.samples.map((found) => [found.sample.id, found])) }
}

function differenceOf({ here, there, deviation, ...counts }: Differences): Omit<RunDifference, 'reward'> {
  if (here === null || there === null || deviation === null || counts.pairs < 2)
    return { ...counts, here, there, difference: null }
  const mean = here - there
  const margin = (normalQuantile * deviation) / Math.sqrt(counts.pairs)
  return { ...counts, here, there, difference: { mean, low: mean - margin, high: mean + margin } }
}

/** Of two-sided 95%. */
const normalQuantile = 1.959964

export function queryOf<Schema extends z.ZodType>(
  given: string | undefined,
  schema: Schema,
): z.output<Schema> {
  return decoded(schema, given === undefined ? {} : parsedJson(Buffer.from(given)))
}

export async function runNamed(store: Store, id: string): Promise<StoredRun> {
  const run = await store.runs.find(id)
  if (run === undefined) throw missing('run')
  return run
}

export function missing(what: string): RequestProblem {
  return new RequestProblem(404, 'not-found', `there is no such ${what}.`)
}

export function whole(text: string): number {
  const value = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) throw missing('sample')
  return value
}

function runHead({ id, created, status, source, rewards }: StoredRun): RunHead {
  return {
    id,
    created,
    status,
    source: source === undefined ? null : source === '-' ? 'standard input' : basename(source),
    rewards: rewards.map(rewardHead),
  }
}

function rewardHead({ name, reward, range: [low, high] }: StoredRun['rewards'][number]): RewardHead {
  return { name, reward, range: [bound(low), bound(high)] }
}

export function bound(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

async function runDetail(store: Store, run: StoredRun): Promise<RunDetail> {
  const totals = await store.runs.totals(run.id)
  const groups = await store.runs.groupTotals(run.id)
  const first = await store.runs.page(run.id, { after: -1, limit: 200 })
  const fields = new Set(
    first.flatMap(({ sample }) =>
      Object.entries(sample.meta).flatMap(([field, value]) => (typeof value === 'string' ? [field] : [])),
    ),
  )
  const kinds: RunDetail['kinds'][number][] = []
  for (const field of [...fields].slice(0, 6)) {
    const values = await store.samples.metaValues(run.id, field, fewKinds + 1)
    if (values.length > 1 && values.length <= fewKinds) kinds.push({ field, values })
  }
  const parts: Record<string, string[]> = {}
  for (const { name } of run.rewards) parts[name] = await store.samples.parts(run.id, name)
  return {
    ...runHead(run),
    samples: totals.samples,
    badRows: totals.badRows,
    warnings: totals.warnings,
    totals: Object.fromEntries(
      Object.entries(totals.rewards).map(([name, reward]) => [name, { ...reward, groups: groups[name]! }]),
    ),
    parts,
    kinds,
  }
}

export function kindOf(meta: Readonly<Record<string, unknown>>): string | null {
  for (const field of ['recipe', 'model', 'kind'])
    if (typeof meta[field] === 'string') return meta[field].slice(0, 200)
  return null
}

export type { UnscoredCode }
