import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Sample, textOf } from '../../core/index.ts'
import { decoded } from '../json-body.ts'
import type { Endpoint, EndpointRequest } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'
import { judge, numbersOf, unnamedSample } from '../scoring/judging.ts'
import type { ServeContext } from '../serve-context.ts'
import {
  activated,
  commonFields,
  contentFrom,
  created,
  rewardAsked,
  side,
  usage,
  usageSchema,
} from './vllm-fields.ts'

const sides = z.union([side, z.array(side)])

const scoreRequest = z
  .looseObject({
    ...commonFields,
    queries: sides.optional(),
    documents: sides.optional(),
    items: sides.optional(),
    data_1: sides.optional(),
    data_2: sides.optional(),
    text_1: sides.optional(),
    text_2: sides.optional(),
  })
  .describe(
    'One pair of fields: queries and documents, queries and items, data_1 and data_2, or text_1 and text_2',
  )

const scoreResponse = z.object({
  id: z.string(),
  object: z.literal('list'),
  created: z.int(),
  model: z.string(),
  data: z.array(z.object({ index: z.int(), object: z.literal('score'), score: z.number() })),
  usage: usageSchema,
})

const rerankRequest = z.looseObject({
  ...commonFields,
  query: side,
  documents: z.array(side),
  top_n: z.int().min(0).nullish().describe('0 = all'),
})

const rerankResponse = z.object({
  id: z.string(),
  model: z.string(),
  usage: usageSchema,
  results: z.array(
    z.object({
      index: z.int().describe('Place among the documents of the request'),
      document: z.object({ text: z.string().nullable(), multi_modal: z.array(z.unknown()).nullable() }),
      relevance_score: z.number(),
    }),
  ),
})

export function scoreEndpoints(context: ServeContext, name: string | undefined): Endpoint[] {
  const score: Omit<Endpoint, 'path'> = {
    method: 'POST',
    summary: 'Scores of pairs, in the order of the request (vLLM)',
    request: scoreRequest,
    response: scoreResponse,
    answer: (asked) => answerScore(context, name, asked),
  }
  const rerank: Omit<Endpoint, 'path'> = {
    method: 'POST',
    summary: 'Documents by score, highest first (vLLM, Jina, Cohere)',
    request: rerankRequest,
    response: rerankResponse,
    answer: (asked) => answerRerank(context, name, asked),
  }
  return [
    ...['/score', '/v1/score'].map((path) => ({ ...score, path })),
    ...['/rerank', '/v1/rerank', '/v2/rerank'].map((path) => ({ ...rerank, path })),
  ]
}

async function answerScore(context: ServeContext, name: string | undefined, asked: EndpointRequest) {
  const body = decoded(scoreRequest, asked.body)
  const { name: reward, reward: head } = rewardAsked(context, name, body.model)
  const scores = await judge(context, reward, pairsOf(body), asked)
  const values = activated(numbersOf(context, { protocol: 'vllm', reward }, scores), head.range, body)
  return {
    body: {
      id: `score-${randomUUID()}`,
      object: 'list',
      created: created(),
      model: body.model ?? reward,
      data: values.map((value, index) => ({ index, object: 'score', score: value })),
      usage,
    },
  }
}

async function answerRerank(context: ServeContext, name: string | undefined, asked: EndpointRequest) {
  const body = decoded(rerankRequest, asked.body)
  const { name: reward, reward: head } = rewardAsked(context, name, body.model)
  const prompt = contentFrom(body.query, 'query')
  const samples = body.documents.map((document, index) =>
    unnamedSample({ prompt, output: contentFrom(document, `documents.${index}`), meta: {} }),
  )
  const scores = await judge(context, reward, samples, asked)
  const values = activated(numbersOf(context, { protocol: 'vllm', reward }, scores), head.range, body)
  const order = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b)
  return {
    body: {
      id: `rerank-${randomUUID()}`,
      model: body.model ?? reward,
      usage: { prompt_tokens: 0, total_tokens: 0 },
      results: (body.top_n ? order.slice(0, body.top_n) : order).map((index) => ({
        index,
        document: documentOf(body.documents[index]!),
        relevance_score: values[index]!,
      })),
    },
  }
}

function documentOf(document: z.output<typeof side>) {
  if (typeof document === 'string') return { text: document, multi_modal: null }
  return { text: textOf(contentFrom(document, 'documents')) || null, multi_modal: document.content }
}

/** Pairs of 1 and 1, 1 and N (the left one with each), or N and N. */
function pairsOf(body: z.output<typeof scoreRequest>): Sample[] {
  const pair = (
    [
      ['queries', 'documents'],
      ['queries', 'items'],
      ['data_1', 'data_2'],
      ['text_1', 'text_2'],
    ] as const
  ).find(([left, right]) => body[left] !== undefined && body[right] !== undefined)
  if (pair === undefined)
    throw new RequestProblem(400, 'bad-body', 'the body names no pair of sides.', {
      fix: 'Give queries and documents, data_1 and data_2, or text_1 and text_2.',
    })
  const [left, right] = pair.map((field) => {
    const value = body[field]!
    return (Array.isArray(value) ? value : [value]).map((each, index) =>
      contentFrom(each, `${field}.${index}`),
    )
  }) as [ReturnType<typeof contentFrom>[], ReturnType<typeof contentFrom>[]]
  if (left.length !== right.length && left.length !== 1)
    throw new RequestProblem(
      400,
      'bad-body',
      `${left.length} on the left and ${right.length} on the right make no pairs.`,
      {
        field: pair[0],
        fix: 'Give one for all, or as many as there are on the other side.',
      },
    )
  return right.map((output, index) =>
    unnamedSample({ prompt: left.length === 1 ? left[0]! : left[index]!, output, meta: {} }),
  )
}
