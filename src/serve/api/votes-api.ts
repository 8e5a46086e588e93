import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { z } from 'zod'
import type { JsonObject } from '../../core/index.ts'
import { preferenceLayouts, writePreferences } from '../../data/index.ts'
import type { Store, StoredRun, Vote } from '../../store/index.ts'
import { decoded } from '../json-body.ts'
import type { ServeApp, ServeEnv } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'
import type { ApiContext } from './api.ts'
import { bodyOf } from './body.ts'
import { missing, runNamed } from './runs-api.ts'
import { shownSample } from './shown-sample.ts'
import { votedPreferences, voteResults } from './vote-results.ts'
import {
  isAOnLeft,
  nextPairs,
  type VoteSide,
  type VoteTask,
  voteTask,
  voteTaskKind,
  voteTaskOf,
} from './vote-task.ts'
import type { BlindedPair, BlindedSide, NextPairs, VoteTaskDetail, VoteTaskHead } from './wire.ts'

const line = (length: number) => z.string().trim().min(1).max(length)
const voterName = line(60)
const newTask = z.strictObject({
  title: line(120),
  question: line(500),
  criteria: z
    .array(z.strictObject({ id: line(40).regex(/^[a-z][a-z0-9-]*$/), text: line(200) }))
    .min(1)
    .max(5),
  run: line(500),
  choose: z.union([z.literal('random'), z.strictObject({ first: line(200), second: line(200) })]),
  pairs: z.int().min(1).max(10_000),
  votesPerPair: z.int().min(1).max(50),
  rated: line(200).nullable(),
  attentionChecks: z.boolean(),
})
const submitted = z.strictObject({
  votes: z
    .array(
      z.strictObject({
        id: line(100),
        pair: z.int().min(0),
        criterion: line(40),
        choice: z.enum(['left', 'right', 'tie', 'skip']),
        voter: voterName,
        created: z.iso.datetime(),
        seconds: z.number().min(0),
      }),
    )
    .min(1)
    .max(500),
})

/** Pairs that a page holds ahead, so that it goes on while the server is away. */
const pairsAhead = 8

/** Votes of people on pairs of answers: tasks, blinded pairs, submitting, results and export. */
export function votesApi({ store }: ApiContext): ServeApp {
  const app = new Hono<ServeEnv>()

  const taskNamed = async (id: string) => {
    const found = await voteTask(store, id)
    if (found === undefined) throw missing('task of votes')
    return found
  }

  app.get('/votes', async (c) => {
    const heads = await store.documents.list(voteTaskKind)
    return c.json(await Promise.all(heads.map(async ({ id }) => headOf(store, await taskNamed(id)))))
  })

  app.post('/votes', async (c) => {
    const wanted = decoded(newTask, await bodyOf(c))
    const run = await runNamed(store, wanted.run)
    const names = new Set(run.rewards.map(({ name }) => name))
    if (wanted.choose !== 'random' && !(names.has(wanted.choose.first) && names.has(wanted.choose.second)))
      throw new RequestProblem(400, 'unknown-reward', 'the run has no such reward.', { field: 'choose' })
    const id = randomUUID()
    const content = await voteTaskOf(store, run, id, wanted)
    await store.documents.keep({
      kind: voteTaskKind,
      id,
      created: new Date().toISOString(),
      title: wanted.title,
      content: content as unknown as JsonObject,
    })
    return c.json(await detailOf(store, await taskNamed(id)), 201)
  })

  app.get('/votes/:task', async (c) => c.json(await detailOf(store, await taskNamed(c.req.param('task')))))

  app.get('/votes/:task/next', async (c) => {
    const id = c.req.param('task')
    const { task } = await taskNamed(id)
    const voter = decoded(voterName, c.req.query('voter') ?? '')
    const run = await runNamed(store, task.run)
    const { pairs, done, total } = nextPairs(id, task, await store.votes.list(id), voter, pairsAhead)
    const answer: NextPairs = {
      pairs: (await Promise.all(pairs.map((pair) => blinded(store, run, id, task, pair, voter)))).filter(
        (pair) => pair !== null,
      ),
      done,
      total,
    }
    return c.json(answer)
  })

  app.post('/votes/:task/votes', async (c) => {
    const id = c.req.param('task')
    const { task } = await taskNamed(id)
    const { votes } = decoded(submitted, await bodyOf(c))
    const criteria = new Set(task.criteria.map((criterion) => criterion.id))
    await store.votes.add(
      votes.map(({ pair: index, criterion, choice, voter, created, seconds }): Vote => {
        const pair = task.pairs[index]
        if (pair === undefined || !criteria.has(criterion))
          throw new RequestProblem(
            400,
            'bad-body',
            'a vote is on a pair or a criterion that the task does not have.',
          )
        const aOnLeft = isAOnLeft(id, index, voter)
        const left = aOnLeft ? 1 : 0
        return {
          // One vote of each voter on each pair and criterion, however often it is sent and under whatever id.
          id: `${id}/${index}/${criterion}/${voter}`,
          created,
          question: id,
          a: pair.a.id,
          b: pair.b.id,
          choice:
            choice === 'skip'
              ? null
              : choice === 'tie'
                ? 0.5
                : choice === 'left'
                  ? left
                  : ((1 - left) as 0 | 1),
          voter,
          meta: {
            run: task.run,
            pair: index,
            criterion,
            left: aOnLeft ? 'a' : 'b',
            seconds,
            check: pair.check,
          },
        }
      }),
    )
    return c.json({ kept: votes.map((vote) => vote.id) })
  })

  app.get('/votes/:task/results', async (c) => {
    const id = c.req.param('task')
    const { task } = await taskNamed(id)
    return c.json(await voteResults(store, id, task, await store.runs.find(task.run)))
  })

  app.get('/votes/:task/export', async (c) => {
    const id = c.req.param('task')
    const { task } = await taskNamed(id)
    const layout = preferenceLayouts.find((name) => name === (c.req.query('as') ?? 'trl-conversational'))
    if (layout === undefined)
      throw new RequestProblem(400, 'unknown-layout', `pairs are written as ${preferenceLayouts.join(', ')}.`)
    const criterion = c.req.query('criterion') ?? task.criteria[0]!.id
    const folder = await mkdtemp(join(tmpdir(), 'guerdon-export-'))
    try {
      const file = join(folder, 'pairs.jsonl')
      await writePreferences(file, await votedPreferences(store, id, task, criterion), { convention: layout })
      return c.body(await readFile(file, 'utf8'), 200, {
        'content-type': 'application/x-ndjson; charset=utf-8',
        'content-disposition': `attachment; filename="pairs-${layout}.jsonl"`,
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  return app
}

type Found = NonNullable<Awaited<ReturnType<typeof voteTask>>>

async function headOf(store: Store, { document, task }: Found): Promise<VoteTaskHead> {
  const votes = await store.votes.list(document.id)
  const { kind, id, created, title } = document
  return {
    kind,
    id,
    created,
    title,
    run: task.run,
    pairs: task.pairs.length,
    votesPerPair: task.votesPerPair,
    votes: votes.length,
    voters: new Set(votes.map(({ voter }) => voter)).size,
  }
}

async function detailOf(store: Store, found: Found): Promise<VoteTaskDetail> {
  const { question, criteria, rated, attentionChecks } = found.task
  return { ...(await headOf(store, found)), question, criteria, rated, attentionChecks }
}

async function blinded(
  store: Store,
  run: StoredRun,
  id: string,
  task: VoteTask,
  index: number,
  voter: string,
): Promise<BlindedPair | null> {
  const { a, b } = task.pairs[index]!
  const [left, right] = isAOnLeft(id, index, voter) ? [a, b] : [b, a]
  const shown = async ({ position }: VoteSide) => {
    const [placed] = await store.runs.samples(run.id, position, position)
    if (placed === undefined) return undefined
    // Without scores, reference and row: neither values nor what is right nor whose it is is seen.
    const { reference: _, ...sample } = { ...placed.sample, meta: {} }
    return shownSample({ ...placed, sample, scores: {} }, { run, maxText: 20_000, draw: true })
  }
  const [first, second, asked] = await Promise.all([shown(left), shown(right), shown(a)])
  if (first === undefined || second === undefined || asked === undefined) return null
  const side = ({ output, renders, boxes, masks }: typeof first): BlindedSide => ({
    output,
    renders,
    boxes,
    masks,
  })
  return { pair: index, prompt: asked.prompt, left: side(first), right: side(second) }
}
