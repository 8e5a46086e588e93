import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { isDialogue, type Sample, type Turns } from '../../core/index.ts'
import { decoded } from '../json-body.ts'
import type { Endpoint, EndpointRequest } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'
import { judge, judgeSteps, numbersOf, unnamedSample } from '../scoring/judging.ts'
import type { ServeContext } from '../serve-context.ts'
import { splitTemplated } from './chat-template.ts'
import { turnsOf } from './content.ts'
import { activated, commonFields, created, rewardAsked, usage, usageSchema } from './vllm-fields.ts'

const request = z
  .looseObject({
    ...commonFields,
    input: z
      .union([z.string(), z.array(z.unknown())])
      .optional()
      .describe('Templated text, or a list of them'),
    messages: z.array(z.unknown()).optional().describe('A dialogue that ends in the answer'),
    task: z.string().nullish().describe('/pooling: token_classify asks a process reward'),
    encoding_format: z.string().nullish(),
  })
  .describe('input or messages')

const answerFields = {
  id: z.string(),
  object: z.literal('list'),
  created: z.int(),
  model: z.string(),
  usage: usageSchema,
}

const classifyResponse = z.object({
  ...answerFields,
  data: z.array(
    z.object({
      index: z.int(),
      label: z.string().nullable(),
      probs: z.array(z.number()).describe('The reward as it is; not a probability'),
      num_classes: z.int(),
    }),
  ),
})

const embeddingResponse = z.object({
  ...answerFields,
  data: z.array(z.object({ index: z.int(), object: z.literal('embedding'), embedding: z.array(z.number()) })),
})

const poolingResponse = z.object({
  ...answerFields,
  data: z.array(
    z.object({
      index: z.int(),
      object: z.literal('pooling'),
      data: z
        .union([z.array(z.number()), z.array(z.array(z.number()))])
        .describe('One value, or a row for each step'),
    }),
  ),
})

export function classifyEndpoints(context: ServeContext, name: string | undefined): Endpoint[] {
  const endpoint = (
    path: string,
    summary: string,
    response: z.ZodType,
    prefix: string,
    item: (value: number, index: number) => object,
  ): Endpoint => ({
    method: 'POST',
    path,
    summary,
    request,
    response,
    answer: async (asked) => {
      const body = decoded(request, asked.body)
      onlyFloats(body)
      const { name: reward, reward: head } = rewardAsked(context, name, body.model)
      const scores = await judge(context, reward, samplesFrom(body), asked)
      const values = activated(numbersOf(context, { protocol: 'vllm', reward }, scores), head.range, body)
      return { body: list(prefix, body.model ?? reward, values.map(item)) }
    },
  })
  return [
    endpoint(
      '/classify',
      'A class of one value: the reward (vLLM, verl)',
      classifyResponse,
      'classify',
      (value, index) => ({
        index,
        label: 'LABEL_0',
        probs: [value],
        num_classes: 1,
      }),
    ),
    endpoint(
      '/v1/embeddings',
      'A vector of one value: the reward (sglang, verl)',
      embeddingResponse,
      'embd',
      (value, index) => ({
        index,
        object: 'embedding',
        embedding: [value],
      }),
    ),
    {
      method: 'POST',
      path: '/pooling',
      summary: 'The reward, or one row for each step of a process reward (vLLM)',
      request,
      response: poolingResponse,
      answer: (asked) => answerPooling(context, name, asked),
    },
  ]
}

async function answerPooling(context: ServeContext, name: string | undefined, asked: EndpointRequest) {
  const body = decoded(request, asked.body)
  onlyFloats(body)
  const { scoring } = context
  const steps =
    name ??
    scoring.stepRewards().find((each) => each === body.model) ??
    (body.task === 'token_classify' ? scoring.stepRewards()[0] : undefined)
  if (steps !== undefined && scoring.stepRewards().includes(steps)) {
    const rows = await judgeSteps(context, steps, samplesFrom(body), asked)
    return {
      body: list(
        'pool',
        body.model ?? steps,
        rows.map((values, index) => ({
          index,
          object: 'pooling',
          data: numbersOf(context, { protocol: 'vllm', reward: steps }, values).map((value) => [value]),
        })),
      ),
    }
  }
  const { name: reward, reward: head } = rewardAsked(context, name, body.model)
  if (body.task === 'token_classify')
    throw new RequestProblem(
      400,
      'not-a-process-reward',
      `"${reward}" gives one value for an output, not one for each step.`,
      {
        field: 'task',
      },
    )
  const scores = await judge(context, reward, samplesFrom(body), asked)
  const values = activated(numbersOf(context, { protocol: 'vllm', reward }, scores), head.range, body)
  return {
    body: list(
      'pool',
      body.model ?? reward,
      values.map((value, index) => ({ index, object: 'pooling', data: [value] })),
    ),
  }
}

function list(prefix: string, model: string, data: readonly object[]) {
  return { id: `${prefix}-${randomUUID()}`, object: 'list', created: created(), model, data, usage }
}

function onlyFloats({ encoding_format }: z.output<typeof request>): void {
  if (encoding_format && encoding_format !== 'float')
    throw new RequestProblem(
      400,
      'unsupported',
      `the encoding "${encoding_format.slice(0, 20)}" is not served.`,
      {
        field: 'encoding_format',
        fix: 'Ask for "float".',
      },
    )
}

function samplesFrom({ input, messages }: z.output<typeof request>): Sample[] {
  if (messages !== undefined) {
    const turns = turnsOf(messages, 'messages')
    return [unnamedSample({ ...splitDialogue(turns), meta: {} })]
  }
  if (input === undefined)
    throw new RequestProblem(400, 'bad-body', 'neither "input" nor "messages" is there.', { field: 'input' })
  return (typeof input === 'string' ? [input] : input).map((text, index) => {
    if (typeof text !== 'string')
      throw new RequestProblem(
        400,
        'token-ids',
        `"input.${index}" is not text: token ids need the model's tokenizer.`,
        {
          field: `input.${index}`,
          fix: 'Send text.',
        },
      )
    return unnamedSample({ ...splitTemplated(text), meta: { raw: text } })
  })
}

/** The answer is what the assistant says last, with the tool calls and results that belong to it. */
function splitDialogue(turns: Turns): { prompt: Turns; output: Turns } {
  if (!isDialogue(turns)) return { prompt: '', output: turns }
  const asked = turns.findLastIndex(({ role }) => role === 'user' || role === 'system')
  const answer = turns.slice(asked + 1)
  const only = answer.length === 1 && answer[0]!.toolCalls === undefined ? answer[0]!.content : answer
  return { prompt: turns.slice(0, asked + 1), output: answer.length === 0 ? '' : only }
}
