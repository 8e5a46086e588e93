import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineReward, type StepReward, textOf, unscored } from '../src/core/index.ts'
import { resolveReward } from '../src/methods/resolve.ts'
import { References } from '../src/serve/index.ts'
import { slowLength, type TestServer, testServer } from './serve-server.ts'

const length = defineReward({
  name: 'length',
  range: [-Infinity, Infinity],
  judge: ({ output }) =>
    textOf(output) === '' ? unscored('not-applicable', 'it is empty') : textOf(output).length,
})
/** Gives the card's numbers for the card's answers. */
const table = (values: Record<string, number>) =>
  defineReward({
    name: 'table',
    judge: ({ output }) => values[textOf(output)] ?? unscored('unparsable', 'not in the table'),
  })
const accuracyAndFormat = defineReward({
  name: 'accuracy-and-format',
  needs: ['reference'],
  judge: ({ output, reference }) => {
    const right = textOf(output).includes(`\\boxed{${reference}}`) ? 1 : 0
    return { value: right, parts: { accuracy: right, format: 1 } }
  },
})
const steps: StepReward = {
  name: 'lines',
  version: '1',
  params: {},
  unit: 'step',
  range: [0, 100],
  scoreSteps: async (samples) =>
    samples.map(({ output }) =>
      textOf(output)
        .split('\n')
        .map((line) => ({ value: line.length })),
    ),
}

let server: TestServer
beforeAll(async () => {
  server = await testServer({
    rewards: {
      helpfulness: table({ 'Simmer it nine minutes.': 0.91, 'Eggs are oval.': 0.12, 'Hello!': 0.42 }),
      graded: accuracyAndFormat,
      math: resolveReward('math'),
      length,
    },
    steps: { lines: steps },
  })
})
afterAll(() => server.close())

const chat = (question: string) => `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`

describe('OpenRLHF', () => {
  test("the card's example", async () => {
    const { status, body } = await server.post('/p/openrlhf/graded/get_reward', {
      query: [`${chat('What is 6*7?')}It is \\boxed{42}.<|im_end|>`],
      prompts: [chat('What is 6*7?')],
      labels: ['42'],
    })
    expect(status).toBe(200)
    expect(body).toEqual({ rewards: [1], scores: [1], extra_logs: { accuracy: [1], format: [1] } })
  })

  test('an empty batch is 200 with empty lists', async () => {
    const { status, body } = await server.post('/p/openrlhf/graded/get_reward', {
      query: [],
      prompts: [],
      labels: [],
    })
    expect([status, body]).toEqual([200, { rewards: [], scores: [], extra_logs: {} }])
  })

  test('prompts and labels may be missing; an empty label is no answer', async () => {
    const alone = await server.post('/p/openrlhf/length/get_reward', {
      query: [`${chat('Hi')}Hello<|im_end|>`],
    })
    expect(alone.body).toEqual({ rewards: [5], extra_logs: {} }) // no bounds, so no scores from 0 to 1
    const unlabelled = await server.post('/p/openrlhf/math/get_reward', {
      query: ['\\boxed{1}'],
      labels: [''],
    })
    expect(unlabelled.status).toBe(422)
    expect(unlabelled.body.detail).toContain('needs a reference')
  })

  test('a label of another length or a query that is no list is refused and says so', async () => {
    const other = await server.post('/p/openrlhf/math/get_reward', { query: ['a'], labels: [] })
    expect([other.status, other.body.detail]).toEqual([
      400,
      expect.stringContaining('"labels" has 0 items for 1 queries'),
    ])
    const text = await server.post('/p/openrlhf/math/get_reward', { query: 'a' })
    expect([text.status, text.body.detail]).toEqual([400, expect.stringContaining('"query"')])
  })

  test('what passes is 503, what does not 422; with a substitute both are its number, counted and marked', async () => {
    const failing = defineReward({
      name: 'failing',
      judge: ({ output }) =>
        textOf(output) === 'later'
          ? unscored('outage', 'gone')
          : textOf(output) === 'never'
            ? unscored('bad-input', 'no')
            : 1,
    })
    const ask = (target: TestServer, ...query: string[]) =>
      target.post('/p/openrlhf/failing/get_reward', { query })
    const strict = await testServer({ rewards: { failing } })
    const lenient = await testServer({ rewards: { failing }, unscoredAs: -1 })
    expect((await ask(strict, 'later')).status).toBe(503)
    expect((await ask(strict, 'later')).headers.get('retry-after')).toBe('1')
    expect((await ask(strict, 'never')).status).toBe(422)
    expect((await ask(strict, 'never', 'later')).status).toBe(503)
    expect((await ask(lenient, 'fine', 'never', 'later')).body).toEqual({
      rewards: [1, -1, -1],
      scores: [1, 0, 0],
      extra_logs: { unscored: [0, 1, 1] },
    })
    expect(await lenient.metrics.text()).toContain(
      'guerdon_substituted_total{reward="failing",protocol="openrlhf",code="outage"} 1',
    )
    await strict.close()
    await lenient.close()
  })

  test('names of logs never change, and none is one that the trainer uses itself', async () => {
    let call = 0
    const moody = defineReward({
      name: 'moody',
      judge: () => ({ value: 1, parts: call++ === 0 ? { score: 1, a: 0.5 } : { a: null, b: 2 } }),
    })
    const strict = await testServer({ rewards: { moody } })
    const ask = (server: TestServer) => server.post('/p/openrlhf/moody/get_reward', { query: ['x'] })
    expect((await ask(strict)).body.extra_logs).toEqual({ part_score: [1], a: [0.5] })
    // A 0 would be taken for what the part said.
    const refused = await ask(strict)
    expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining('no part "score"')])
    await strict.close()
    call = 0
    const lenient = await testServer({ rewards: { moody }, unscoredAs: -1 })
    expect((await ask(lenient)).body.extra_logs).toEqual({ part_score: [1], a: [0.5], unscored: [0] })
    expect((await ask(lenient)).body.extra_logs).toEqual({ part_score: [-1], a: [-1], unscored: [0] })
    expect(await lenient.metrics.text()).toContain(
      'guerdon_missing_parts_total{reward="moody",protocol="openrlhf"} 2',
    )
    await lenient.close()
  })

  test('one sample a request, from many at a time: each gets its own answer', async () => {
    const slow = await testServer({ rewards: { slow: slowLength(20) } })
    const rewards = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        slow.post('/p/openrlhf/slow/get_reward', {
          query: ['x'.repeat(index + 1)],
          prompts: [''],
          labels: [''],
        }),
      ),
    )
    expect(rewards.map(({ body }) => body.rewards[0])).toEqual(rewards.map((_, index) => index + 1))
    await slow.close()
  })
})

describe('LLaMA-Factory', () => {
  test("the card's example", async () => {
    const { status, body } = await server.post('/p/llama-factory/helpfulness/v1/score/evaluation', {
      model: 'model',
      messages: [`${chat('Hi')}Hello!<|im_end|>`],
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      id: expect.stringMatching(/^scoreval-/),
      object: 'score.evaluation',
      model: 'model',
      scores: [0.42],
    })
  })

  test('references come from a data set, by prompt; one that stands with two answers is not used', async () => {
    const references = new References()
    const known = (id: string, prompt: string, reference: string) => ({
      id,
      prompt,
      output: '',
      reference,
      meta: {},
    })
    references.add([known('a', 'What is 6*7?', '42'), known('b', 'Odd?', '1'), known('c', 'Odd?', '2')])
    expect([references.size, references.ambiguous]).toEqual([1, 1])
    const own = await testServer({ references, unscoredAs: -9 })
    const ask = (question: string) => `${chat(question)}\\boxed{42}<|im_end|>`
    const { body } = await own.post('/p/llama-factory/math/v1/score/evaluation', {
      messages: [ask('What is 6*7?'), ask('Odd?'), ask('New?')],
    })
    expect(body.scores).toEqual([1, -9, -9])
    await own.close()
  })
})

describe('vLLM, Jina and Cohere', () => {
  const egg = { query: 'How do I boil an egg?', documents: ['Eggs are oval.', 'Simmer it nine minutes.'] }
  const base = '/p/vllm/helpfulness'

  test("the card's example of scores, under every name of the sides", async () => {
    for (const [left, right] of [
      ['queries', 'documents'],
      ['queries', 'items'],
      ['data_1', 'data_2'],
      ['text_1', 'text_2'],
    ] as const)
      for (const path of ['/score', '/v1/score']) {
        const { body } = await server.post(base + path, {
          model: 'guerdon/helpfulness',
          [left]: egg.query,
          [right]: [...egg.documents].reverse(),
        })
        expect(body).toEqual({
          id: expect.stringMatching(/^score-/),
          object: 'list',
          created: expect.any(Number),
          model: 'guerdon/helpfulness',
          data: [
            { index: 0, object: 'score', score: 0.91 },
            { index: 1, object: 'score', score: 0.12 },
          ],
          usage: { prompt_tokens: 0, total_tokens: 0, completion_tokens: 0, prompt_tokens_details: null },
        })
      }
  })

  test('N and N make pairs, other numbers do not; content parts are read', async () => {
    const pairs = await server.post('/p/vllm/length/score', {
      queries: ['a', 'b'],
      documents: ['xx', { content: [{ type: 'text', text: 'yyy' }] }],
    })
    expect(pairs.body.data.map(({ score }: { score: number }) => score)).toEqual([2, 3])
    const wrong = await server.post('/p/vllm/length/score', { queries: ['a', 'b'], documents: ['x'] })
    expect([wrong.status, wrong.body.error]).toMatchObject([
      400,
      { type: 'BadRequestError', code: 400, param: 'queries' },
    ])
  })

  test("the card's example of a ranking, at all three paths", async () => {
    for (const path of ['/rerank', '/v1/rerank', '/v2/rerank']) {
      const { body } = await server.post(base + path, { ...egg, top_n: 1, return_documents: true })
      expect(body).toEqual({
        id: expect.stringMatching(/^rerank-/),
        model: 'helpfulness',
        usage: { prompt_tokens: 0, total_tokens: 0 },
        results: [
          {
            index: 1,
            document: { text: 'Simmer it nine minutes.', multi_modal: null },
            relevance_score: 0.91,
          },
        ],
      })
      const all = await server.post(base + path, { ...egg, top_n: 0 })
      expect(all.body.results.map(({ index }: { index: number }) => index)).toEqual([1, 0])
    }
  })

  test("verl's calls: a raw value as the last probability and the last number of the last vector", async () => {
    const input = '<|user|>2+2?<|assistant|>4444'
    const classified = await server.post('/p/vllm/length/classify', {
      model: 'my-rm',
      input,
      use_activation: false,
    })
    expect(classified.body).toMatchObject({
      id: expect.stringMatching(/^classify-/),
      object: 'list',
      model: 'my-rm',
      data: [{ index: 0, label: 'LABEL_0', probs: [4], num_classes: 1 }],
    })
    const embedded = await server.post('/p/vllm/length/v1/embeddings', { model: 'my-rm', input })
    expect(embedded.body.data).toEqual([{ object: 'embedding', index: 0, embedding: [4] }])
    const activated = await server.post('/p/vllm/length/classify', { input, activation: true })
    expect(activated.body.data[0].probs[0]).toBeCloseTo(1 / (1 + Math.exp(-4)), 12)
  })

  test('a dialogue is judged by what the assistant says last; token ids are refused', async () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello there' },
    ]
    expect((await server.post('/p/vllm/length/classify', { messages })).body.data[0].probs).toEqual([11])
    const ids = await server.post('/p/vllm/length/classify', { input: [[1, 2, 3]] })
    expect([ids.status, ids.body.error.message]).toEqual([400, expect.stringContaining('token ids')])
  })

  test('a process reward has a row for each step; another reward one value', async () => {
    const rows = await server
      .post('/pooling', { model: 'lines', input: 'ab\nabc', task: 'token_classify' })
      .catch(() => null)
    expect(rows!.status).toBe(404) // not at the root unless asked for
    const own = await testServer({ rewards: { length }, steps: { lines: steps }, roots: ['vllm', 'guerdon'] })
    expect((await own.post('/pooling', { model: 'lines', input: 'ab\nabc' })).body.data).toEqual([
      { index: 0, object: 'pooling', data: [[2], [3]] },
    ])
    expect((await own.post('/pooling', { input: 'abc' })).body.data[0].data).toEqual([3])
    expect((await own.post('/v1/score', { queries: 'q', documents: 'abcd' })).body.data[0].score).toBe(4)
    await own.close()
  })

  test('at the root the model names the reward', async () => {
    const own = await testServer({ rewards: { length, graded: accuracyAndFormat }, roots: ['vllm'] })
    const ask = (model?: string) =>
      own.post('/score', { queries: 'q', documents: 'abc', ...(model ? { model } : {}) })
    expect((await ask('guerdon/length')).body.data[0].score).toBe(3)
    expect((await ask()).body.data[0].score).toBe(3)
    expect([(await ask('lenght')).status, (await ask('lenght')).body.error.message]).toEqual([
      404,
      expect.stringContaining('Did you mean "length"?'),
    ])
    await own.close()
  })
})

describe("guerdon's own protocol", () => {
  test('a value, or none and why', async () => {
    const { body } = await server.post('/v1/score', {
      reward: 'graded',
      samples: [
        { id: 'a', prompt: '6*7', output: '\\boxed{42}', reference: '42' },
        { prompt: '6*7', output: [{ role: 'assistant', content: '\\boxed{42}' }] },
      ],
    })
    expect(body.scores).toEqual([
      { id: 'a', value: 1, parts: { accuracy: 1, format: 1 } },
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        value: null,
        code: 'bad-input',
        reason: expect.any(String),
      },
    ])
  })

  test("columns, as trainers' reward functions have them", async () => {
    const { body } = await server.post('/v1/score', {
      reward: 'graded',
      prompts: ['6*7', [{ role: 'user', content: '1+1' }]],
      completions: ['\\boxed{42}', [{ role: 'assistant', content: '\\boxed{3}' }]],
      columns: { solution: ['42', '2'], level: [1, null] },
    })
    expect(body.scores.map(({ value }: { value: number }) => value)).toEqual([1, 0])
  })

  test('comparisons and rankings', async () => {
    const compared = await server.post('/v1/compare', {
      reward: 'length',
      pairs: [
        { prompt: 'p', a: 'xx', b: 'x' },
        { prompt: 'p', a: 'x', b: '' },
        { prompt: 'p', a: 'x', b: 'y' },
      ],
    })
    expect(compared.body.comparisons).toMatchObject([
      { value: 1, a: { value: 2 }, b: { value: 1 } },
      { value: null, code: 'not-applicable', reason: 'b: it is empty' },
      { value: 0.5 },
    ])
    const ranked = await server.post('/v1/rank', {
      reward: 'length',
      prompt: 'p',
      outputs: ['x', '', 'yy', 'zz'],
    })
    expect(
      ranked.body.ranking.map(({ index, rank }: { index: number; rank: number }) => [index, rank]),
    ).toEqual([
      [2, 1],
      [3, 1],
      [0, 3],
    ])
    expect(ranked.body.unscored).toMatchObject([{ index: 1, code: 'not-applicable' }])
  })

  test('a comparison that there is no room for is refused, not unscored', async () => {
    const small = await testServer({ capacity: 1 })
    const { status } = await small.post('/v1/compare', { pairs: [{ prompt: 'p', a: 'x', b: 'y' }] })
    expect(status).toBe(413)
    await small.close()
  })

  test('what is served, and a misspelt name', async () => {
    const { rewards } = JSON.parse((await server.get('/v1/rewards')).text)
    expect(rewards.map(({ name }: { name: string }) => name)).toEqual([
      'helpfulness',
      'graded',
      'math',
      'length',
    ])
    expect(rewards[3]).toMatchObject({ range: [null, null], needs: [] })
    const wrong = await server.post('/v1/score', { reward: 'maths', samples: [] })
    expect([wrong.status, wrong.body.error]).toMatchObject([
      404,
      { code: 'unknown-reward', fix: expect.stringContaining('"math"') },
    ])
  })

  test('an idempotency key: the same answer, judged once', async () => {
    const headers = { 'idempotency-key': 'abc' }
    const body = { reward: 'length', samples: [{ id: 'k', prompt: 'p', output: 'xyz' }] }
    const before = server.scoring.drift().find(({ reward }) => reward === 'length')!.count
    const first = await server.post('/v1/score', body, headers)
    expect((await server.post('/v1/score', body, headers)).body).toEqual(first.body)
    expect(server.scoring.drift().find(({ reward }) => reward === 'length')!.count).toBe(before + 1)
    const other = await server.post('/v1/score', { ...body, samples: [] }, headers)
    expect(other.status).toBe(422)
  })

  test('the OpenAPI document has every endpoint with its schemas', async () => {
    const document = JSON.parse((await server.get('/openapi.json')).text)
    expect(document.openapi).toBe('3.1.0')
    for (const path of [
      '/v1/score',
      '/v1/compare',
      '/v1/rank',
      '/p/openrlhf/{name}/get_reward',
      '/p/llama-factory/{name}/v1/score/evaluation',
      '/p/vllm/{name}/v2/rerank',
      '/p/vllm/{name}/pooling',
    ]) {
      const { post } = document.paths[path]
      expect(post.requestBody.content['application/json'].schema, path).toBeTruthy()
      expect(post.responses['200'].content['application/json'].schema, path).toBeTruthy()
    }
    expect(document.paths['/v1/rewards'].get.responses['200']).toBeTruthy()
  })
})

const python = ['/usr/bin/python3'].find(existsSync)
test.skipIf(python === undefined)(
  "Python's standard library, as trainers use it (skipped without /usr/bin/python3)",
  async () => {
    const program = `
import json, sys, urllib.request
base = sys.argv[1]
def post(path, body):
    request = urllib.request.Request(base + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=180) as response:
        return json.loads(response.read())
chat = "<|im_start|>user\\nWhat is 6*7?<|im_end|>\\n<|im_start|>assistant\\n"
reward = post("/p/openrlhf/graded/get_reward", {"query": [chat + "\\\\boxed{42}<|im_end|>"], "prompts": [chat], "labels": ["42"]})
scores = post("/p/llama-factory/helpfulness/v1/score/evaluation", {"model": "model", "messages": [chat + "Hello!<|im_end|>"]})
probs = post("/p/vllm/length/classify", {"model": "rm", "input": chat + "Größe \\U0001F600", "use_activation": False})
try:
    post("/p/openrlhf/graded/get_reward", {"query": ["x"], "labels": [float("nan")]})
    refused = None
except urllib.error.HTTPError as error:
    refused = json.loads(error.read())["detail"]
print(json.dumps([reward["rewards"][0], scores["scores"][0], probs["data"][-1]["probs"][-1], refused]))
`
    const { stdout } = await promisify(execFile)(python!, ['-c', program, server.url])
    expect(JSON.parse(stdout)).toEqual([1, 0.42, 8, expect.stringContaining('NaN (line 1, column 29)')])
  },
)
