import type { z } from 'zod'
import type { Json, Sample, Score } from '../../core/index.ts'
import { comparatorFromReward } from '../../rewards/convert.ts'
import { decoded } from '../json-body.ts'
import { defineProtocol, type EndpointRequest } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'
import { judge, unnamedSample } from '../scoring/judging.ts'
import type { ServeContext } from '../serve-context.ts'
import { turnsOf } from './content.ts'
import * as schemas from './native-schemas.ts'

/**
 * guerdon's own protocol, which can say everything: a value, or none and why; parts; comparisons and rankings. What other
 * protocols must substitute is null here.
 */
export const native = defineProtocol({
  id: 'guerdon',
  title: "guerdon's own",
  endpoints: (context, name) => {
    const asked = (reward: string | null | undefined) =>
      context.scoring.rewardNamed(name ?? reward ?? undefined)
    return [
      {
        method: 'POST',
        path: '/v1/score',
        summary: 'Scores of samples, in their order',
        request: schemas.scoreRequest,
        response: schemas.scoreResponse,
        answer: async (request) => {
          const body = decoded(schemas.scoreRequest, request.body)
          const { name: reward, identity } = asked(body.reward)
          const samples = 'samples' in body ? body.samples.map(sampleFrom) : samplesFromColumns(body)
          const scores = await judge(context, reward, samples, request, { groupSize: body.groupSize })
          return {
            body: {
              reward,
              identity,
              scores: scores.map((score, index) => ({
                id: samples[index]!.id,
                ...scoreRecord(score, body.details),
              })),
            },
          }
        },
      },
      {
        method: 'POST',
        path: '/v1/compare',
        summary: 'Which of two outputs is better, for each pair',
        request: schemas.compareRequest,
        response: schemas.compareResponse,
        answer: (request) => answerCompare(context, asked, request),
      },
      {
        method: 'POST',
        path: '/v1/rank',
        summary: 'Outputs for one prompt, best first',
        request: schemas.rankRequest,
        response: schemas.rankResponse,
        answer: (request) => answerRank(context, asked, request),
      },
      {
        method: 'GET',
        path: '/v1/rewards',
        summary: 'The rewards that are served',
        response: schemas.rewardsResponse,
        answer: async () => ({
          body: { rewards: context.scoring.rewards().map((each) => rewardRecord(context, each)) },
        }),
      },
      {
        method: 'GET',
        path: '/v1/drift',
        summary: 'How the components of scores move over time',
        response: schemas.driftResponse,
        scope: 'admin',
        answer: async () => ({ body: { components: context.scoring.drift() } }),
      },
      {
        method: 'GET',
        path: '/v1/shadows',
        summary: 'How rewards that only listen differ from those that answer',
        response: schemas.shadowsResponse,
        scope: 'admin',
        answer: async () => ({ body: { shadows: context.scoring.shadows() } }),
      },
    ]
  },
  setup: ({ url, name }) => [
    `curl ${url}/v1/score -H 'content-type: application/json' -d '{"samples":[{"prompt":"...","output":"..."}]}'   (reward ${name})`,
  ],
})

type AskedReward = (reward: string | null | undefined) => ReturnType<ServeContext['scoring']['rewardNamed']>

async function answerCompare(context: ServeContext, asked: AskedReward, request: EndpointRequest) {
  const body = decoded(schemas.compareRequest, request.body)
  const { name: reward, reward: head, identity } = asked(body.reward)
  const pairs = body.pairs.map(({ id, a, b, ...rest }, index) => {
    const place = `pairs.${index}`
    const sample = (output: string | unknown[], which: string) =>
      contentSample({ ...rest, output }, place, { output: `${place}.${which}` })
    return { id: id ?? String(index), a: sample(a, 'a'), b: sample(b, 'b') }
  })
  // Judged here, since a comparator would make unscored pairs of limits and overload, which must reject.
  const samples = pairs.flatMap(({ a, b }) => [a, b])
  const judged = await judge(context, reward, samples, request)
  const scores = new Map(samples.map((sample, index) => [sample, judged[index]!]))
  const comparator = comparatorFromReward(
    { ...head, score: async (asked) => asked.map((sample) => scores.get(sample)!) },
    {
      ...(body.scale === undefined ? {} : { scale: body.scale }),
      ...(body.tie === undefined ? {} : { tie: body.tie }),
    },
  )
  const comparisons = await comparator.compare(pairs)
  return {
    body: {
      reward,
      identity,
      comparisons: pairs.map(({ id, a, b }, index) => {
        const comparison = comparisons[index]!
        return {
          id,
          value: comparison.value,
          ...('code' in comparison ? { code: comparison.code, reason: comparison.reason } : {}),
          a: scoreRecord(scores.get(a)!, false),
          b: scoreRecord(scores.get(b)!, false),
        }
      }),
    },
  }
}

async function answerRank(context: ServeContext, asked: AskedReward, request: EndpointRequest) {
  const body = decoded(schemas.rankRequest, request.body)
  const { name: reward, identity } = asked(body.reward)
  const { outputs, top, ...rest } = body
  const samples = outputs.map((output, index) =>
    contentSample({ ...rest, output }, '', { output: `outputs.${index}` }),
  )
  const scores = await judge(context, reward, samples, request)
  const scored = [...scores.keys()].filter((index) => scores[index]!.value !== null)
  const valueAt = (index: number) => scores[index]!.value as number
  scored.sort((a, b) => valueAt(b) - valueAt(a) || a - b)
  let rank = 0
  const ranking = scored.map((index, place) => {
    if (place === 0 || valueAt(scored[place - 1]!) !== valueAt(index)) rank = place + 1
    return { index, rank, ...scoreRecord(scores[index]!, false) }
  })
  return {
    body: {
      reward,
      identity,
      ranking: top === undefined ? ranking : ranking.slice(0, top),
      unscored: scores.flatMap((score, index) =>
        score.value === null ? [{ index, ...scoreRecord(score, false) }] : [],
      ),
    },
  }
}

/** A score as JSON says it: finite numbers or null, evidence and usage where they are asked for. */
function scoreRecord(score: Score, details: boolean | undefined): object {
  const { value, parts, uncertainty } = score
  const finite =
    parts &&
    Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [
        name,
        part !== null && Number.isFinite(part) ? part : null,
      ]),
    )
  return {
    value,
    ...(score.value === null ? { code: score.code, reason: score.reason } : {}),
    ...(score.value === null && score.abstained ? { abstained: true } : {}),
    ...(finite === undefined ? {} : { parts: finite }),
    ...(uncertainty === undefined || !Number.isFinite(uncertainty) ? {} : { uncertainty }),
    ...(details
      ? { rationale: score.rationale, evidence: score.evidence, usage: score.usage, meta: score.meta }
      : {}),
  }
}

function rewardRecord(
  { scoring }: ServeContext,
  { name, reward, identity }: ReturnType<ServeContext['scoring']['rewardNamed']>,
): object {
  const { version, range, needs, params, description } = reward
  const bound = (value: number) => (Number.isFinite(value) ? value : null)
  return {
    name,
    reward: reward.name,
    version,
    identity,
    range: range.map(bound),
    needs,
    params,
    ...(description === undefined ? {} : { description }),
    parts: scoring.partsOf(name),
  }
}

function sampleFrom(given: z.output<typeof schemas.sample>, index: number): Sample {
  return contentSample(given, `samples.${index}`)
}

/** `fields` says how a field is called in the request where that is not its own name. */
function contentSample(
  given: z.output<typeof schemas.sample>,
  place: string,
  fields: { readonly output?: string } = {},
): Sample {
  const { id, prompt, output, reference, group, meta } = given
  const at = (field: string) => (place === '' ? field : `${place}.${field}`)
  const content = {
    prompt: turnsOf(prompt, at('prompt')),
    output: turnsOf(output, fields.output ?? at('output')),
    ...(reference === undefined ? {} : { reference: reference as Json }),
    ...(group === undefined || group === null ? {} : { group }),
    meta: (meta ?? {}) as Sample['meta'],
  }
  return id === undefined || id === null ? unnamedSample(content) : { id, ...content }
}

const referenceColumns = ['reference', 'solution', 'ground_truth', 'answer', 'label', 'target']

/** Lists side by side, as trainers call their reward functions; a null in a column is what that row lacks. */
function samplesFromColumns(body: z.output<typeof schemas.columns>): Sample[] {
  const { prompts, completions, columns = {} } = body
  for (const [name, list] of Object.entries({ prompts, ...columns }))
    if (list !== undefined && list.length !== completions.length)
      throw new RequestProblem(
        400,
        'bad-body',
        `"${name}" has ${list.length} items for ${completions.length} completions.`,
        {
          field: name,
        },
      )
  const referenceColumn =
    body.referenceColumn ?? referenceColumns.find((name) => Object.hasOwn(columns, name))
  if (body.referenceColumn !== undefined && !Object.hasOwn(columns, body.referenceColumn))
    throw new RequestProblem(400, 'bad-body', `there is no column "${body.referenceColumn}".`, {
      field: 'referenceColumn',
    })
  return completions.map((completion, index) => {
    const row = Object.entries(columns).map(([name, list]) => [name, list[index] as Json] as const)
    const reference = referenceColumn === undefined ? undefined : (columns[referenceColumn]![index] as Json)
    return contentSample(
      {
        prompt: prompts?.[index] ?? '',
        output: completion,
        ...(reference === undefined || reference === null ? {} : { reference }),
        meta: Object.fromEntries(row.filter(([name, value]) => name !== referenceColumn && value !== null)),
      },
      '',
      { output: `completions.${index}` },
    )
  })
}
