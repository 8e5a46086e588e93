import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environmentServer } from '../../../tests/environment-server.ts'
import { defineReward, textOf, unscored } from '../../core/index.ts'
import { environmentNamed } from '../../worlds/environments.ts'
import { goldReply, requestsOf } from '../../worlds/text/tool-environment.ts'
import type { RunningServer } from '../server.ts'
import { echoed, sampleOfRow } from './nemo-gym.ts'
import { aggregateMetrics } from './nemo-gym-metrics.ts'

const exact = defineReward({
  name: 'exact',
  judge: ({ output, reference }) => {
    const text = textOf(output)
    if (text.includes('outage')) return unscored('outage', 'the judge is down')
    if (text.includes('hopeless')) return unscored('too-large', 'no')
    const value = Number(text.includes(`\\boxed{${reference}}`))
    return { value, parts: text.includes('partless') ? { exact: value } : { exact: value, format: 1 } }
  },
})

let rewards: RunningServer
let environments: RunningServer
beforeAll(async () => {
  rewards = await environmentServer({ served: { exact }, server: { roots: ['nemo-gym'] } })
  environments = await environmentServer({
    environments: [environmentNamed('tool-calls'), environmentNamed('number-line')],
    server: { roots: ['nemo-gym'] },
  })
})
afterAll(async () => {
  await rewards.close()
  await environments.close()
})

const message = (text: string) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
})
const response = (output: readonly object[]) => ({
  id: 'resp_1',
  created_at: 1790000000,
  model: 'policy',
  object: 'response',
  parallel_tool_calls: true,
  tool_choice: 'auto',
  tools: [],
  output,
})
/** The row of the protocol's card. */
const row = (text: string) => ({
  responses_create_params: { input: [{ role: 'user', content: 'What is 6*7?' }] },
  expected_answer: '42',
  response: response([message(text)]),
})

/** As the agent does it: cookies are forwarded by hand, those of the last answer. */
class Client {
  readonly base: string
  cookie = ''
  constructor(base: string) {
    this.base = base
  }
  async post(path: string, body: unknown): Promise<{ status: number; text: string; json: any }> {
    const answer = await fetch(`${this.base}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(this.cookie && { cookie: this.cookie }) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    this.cookie = answer.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ')
    const text = await answer.text()
    let json: any
    try {
      json = JSON.parse(text)
    } catch {}
    return { status: answer.status, text, json }
  }
}

describe('a reward', () => {
  test("the card's example", async () => {
    const { status, json } = await new Client(rewards.url).post('/verify', row('\\boxed{42}'))
    expect(status).toBe(200)
    expect(json).toEqual({
      ...row('\\boxed{42}'),
      reward: 1,
      reward_components: { exact: 1, format: 1 },
      exact: 1,
      format: 1,
    })
  })

  test('what came is echoed to the letter', async () => {
    const text =
      '{"responses_create_params": {"input": "6*7?"}, "expected_answer": "42", "big": 12345678901234567890, "one": 1.0,\n' +
      ` "response": {"output": [${JSON.stringify({ ...message('no'), generation_log_probs: [-0.1] })}]}, "exact": "mine"}  `
    const { text: answer, json } = await new Client(rewards.url).post('/verify', text)
    expect(answer.startsWith(text.trimEnd().slice(0, -1))).toBe(true)
    expect(json.exact).toBe('mine') // a row's own column stays
    expect(json.reward_components).toEqual({ exact: 0, format: 1 })
    expect(echoed('{}', { reward: 1 })).toBe('{"reward":1}')
    expect(echoed(' { "a" : "}" } ', { reward: 1 })).toBe(' { "a" : "}",{"reward":1}'.replace(',{', ','))
  })

  test('what could not be judged is a failure, for good or to be tried again', async () => {
    const client = new Client(rewards.url)
    const failed = await client.post('/verify', row('outage'))
    expect(failed.status).toBe(200)
    expect(failed.json).toMatchObject({
      reward: 0,
      _ng_failure_class: 'judge_failed',
      _ng_failure_judge_error: 'outage: the judge is down',
      expected_answer: '42',
    })
    expect(failed.json._ng_failure_terminal).toBeUndefined()
    expect((await client.post('/verify', row('hopeless'))).json._ng_failure_terminal).toBe(true)
  })

  test('a part that others have is missing: a failure, and no 0', async () => {
    const client = new Client(rewards.url)
    expect((await client.post('/verify', row('whole'))).json.reward_components).toEqual({
      exact: 0,
      format: 1,
    })
    const { json } = await client.post('/verify', row('partless \\boxed{42}'))
    expect(json).toMatchObject({
      reward: 0,
      _ng_failure_class: 'judge_failed',
      _ng_failure_judge_error: expect.stringContaining('no part "format"'),
      _ng_failure_terminal: true,
    })
    expect(json.reward_components).toBeUndefined()
  })

  test('everything else of a resources server', async () => {
    const client = new Client(rewards.url)
    expect((await client.post('/seed_session', row(''))).json).toEqual({})
    expect(await (await fetch(`${rewards.url}/reverify_mode`)).json()).toBe('stateless')
    expect((await fetch(`${rewards.url}/`)).status).toBe(200)
    expect((await client.post('/ng-rollout/7/verify', row('\\boxed{42}'))).json.reward).toBe(1)
    expect((await client.post('/verify', { response: 3 })).status).toBe(422)
    expect((await client.post('/verify', '{"a": NaN}')).status).toBe(400)
    const answers = [row('\\boxed{42}'), row('no')].map((each, index) => ({
      ...each,
      _ng_task_index: 0,
      reward: 1 - index,
    }))
    expect((await client.post('/aggregate_metrics', { verify_responses: answers })).json).toMatchObject({
      group_level_metrics: [{ _ng_task_index: 0, count: 2, 'mean/reward': 0.5 }],
      key_metrics: { 'mean/reward': 0.5 },
    })
  })

  test('a row becomes a sample: instructions, input with images, the whole trajectory', () => {
    const sample = sampleOfRow({
      responses_create_params: {
        instructions: 'Be brief.',
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'What is it?' },
              { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' },
            ],
          },
        ],
      },
      verifier_metadata: { want: 'a cat' },
      response: response([
        { type: 'function_call', name: 'zoom', arguments: '{"x":1}', call_id: 'c' },
        { type: 'function_call_output', call_id: 'c', output: 'ok' },
        message('a cat'),
      ]),
    })
    expect(sample.prompt).toMatchObject([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image' }] },
    ])
    expect(sample.output).toMatchObject([
      { role: 'assistant', toolCalls: [{ name: 'zoom', arguments: { x: 1 }, id: 'c' }] },
      { role: 'tool', content: 'ok', toolCallId: 'c' },
      { role: 'assistant' },
    ])
    expect(textOf(sample.output)).toBe('a cat')
    expect(sample.reference).toEqual({ want: 'a cat' })
  })

  test('failed rollouts are in no mean', () => {
    expect(
      aggregateMetrics([
        { reward: 1, _ng_task_index: 1, format: 0 },
        { reward: 0, _ng_failure_class: 'judge_failed', _ng_task_index: 1 },
      ]).agent_metrics,
    ).toEqual({
      'mean/reward': 1,
      'std/reward': 0,
      'max/reward': 1,
      'mean/format': 0,
      'std/format': 0,
      'max/format': 0,
    })
    expect(aggregateMetrics(undefined)).toEqual({
      group_level_metrics: [],
      agent_metrics: {},
      key_metrics: {},
    })
  })
})

describe('an environment', () => {
  const index = Array.from({ length: 50 }, (_, each) => each).find(
    (each) => requestsOf('train', each).length === 1,
  )!
  const [request] = requestsOf('train', index)
  const task = { split: 'train', index }
  const seedRow = { responses_create_params: { input: [] }, verifier_metadata: task }
  const answer = goldReply(request!, `tool-calls/train/${index}`)
  const items = [
    ...request!.calls.flatMap(({ name, parameters }, number) => [
      { type: 'function_call', name, arguments: JSON.stringify(parameters), call_id: `c${number}` },
      { type: 'function_call_output', call_id: `c${number}`, output: 'done' },
    ]),
    message(answer),
  ]

  test('seed, tools, verify: the cookie travels with every answer', async () => {
    const client = new Client(environments.url)
    const seeded = await client.post('/seed_session', seedRow)
    expect(seeded.json.observation).toContain('user:')
    for (const { name, parameters } of request!.calls) {
      expect(client.cookie).toMatch(/^guerdon_session=/)
      expect((await client.post(`/${name}`, parameters)).text).toBeTypeOf('string')
    }
    const wrong = await client.post('/weather', { town: 'oslo' })
    expect([wrong.status, wrong.text]).toEqual([200, expect.stringContaining('Tool input validation error')])
    const verified = await client.post('/verify', { ...seedRow, response: response(items) })
    expect(verified.json.reward).toBeCloseTo(1, 12)
    expect(verified.json.reward_components).toEqual({
      names: 1,
      parameters: 1,
      values: 1,
      exact: 1,
      reported: 1,
    })
    expect(client.cookie).toMatch(/^guerdon_session=/)
  })

  test('without a session the trajectory is played again, to the same reward', async () => {
    const { json } = await new Client(environments.url).post('/verify', {
      ...seedRow,
      response: response(items),
    })
    expect(json.reward).toBeCloseTo(1, 12)
    const lazy = await new Client(environments.url).post('/verify', {
      ...seedRow,
      response: response([message(answer)]),
    })
    expect(lazy.json.reward).toBeLessThan(1)
    expect((await new Client(environments.url).post('/verify', { response: response([]) })).status).toBe(400)
  })

  test('a tool without a session says so to the model', async () => {
    const { status, text } = await new Client(environments.url).post('/clock', {})
    expect([status, text]).toEqual([200, expect.stringContaining('no session')])
  })

  test('the variant of Gymnasium servers', async () => {
    const client = new Client(`${environments.url}/p/nemo-gym/number-line`)
    const reset = await client.post('/reset', { split: 'train', index: 3 })
    const [, target, current] = /target: (\d+) current: (\d+)/.exec(reset.json.observation)!
    const towards = Number(target) > Number(current) ? '+' : '-'
    let last: any
    for (let step = 0; step < Math.abs(Number(target) - Number(current)); step++)
      last = (
        await client.post('/step', {
          response: response([message(`{"thoughts": "..", "action": "${towards}"}`)]),
        })
      ).json
    expect(last).toMatchObject({ reward: 1, terminated: true, truncated: false, info: { episode_reward: 1 } })
    expect((await new Client(environments.url).post('/step', { response: response([]) })).status).toBe(400)
  })
})
