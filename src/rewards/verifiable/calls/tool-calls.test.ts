import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testOnData } from '../../../../tests/shared-data.ts'
import type { Json, JsonObject, Message, Sample, Turns } from '../../../core/index.ts'
import { isAccepted, readAcceptedCalls, whyNotAccepted } from './accepted-calls.ts'
import { type CallConvention, type ParsedCall, parseToolCalls } from './tool-call-parsing.ts'
import { toolCalls } from './tool-calls.ts'
import { sameValue } from './value-equality.ts'

const sample = (output: Turns, reference: Json, meta: Sample['meta'] = {}): Sample => ({
  id: 's',
  prompt: 'p',
  output,
  reference,
  meta,
})
const judge = async (
  output: Turns,
  reference: Json,
  settings: Parameters<typeof toolCalls>[0] = {},
  meta: Sample['meta'] = {},
) => (await toolCalls(settings).score([sample(output, reference, meta)]))[0]!
const jsonLines = (path: string): Record<string, Json>[] => {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe('reading calls', () => {
  const f = { name: 'f', arguments: { a: 1 } }
  const message = (extra: Partial<Message>): Turns => [{ role: 'assistant', content: '', ...extra }]
  test.each<[string, Turns, CallConvention]>([
    ['tool calls of a message', message({ toolCalls: [f] }), 'messages'],
    [
      'arguments as text, as the OpenAI API has them',
      message({ toolCalls: [{ name: 'f', arguments: '{"a": 1}' }] }),
      'messages',
    ],
    ['a JSON part', [{ type: 'json', json: [f] }], 'json'],
    [
      'an OpenAI message as a JSON part',
      [
        {
          type: 'json',
          json: { tool_calls: [{ type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] },
        },
      ],
      'json',
    ],
    ['JSON as text', '[{"name": "f", "parameters": {"a": 1}}]', 'json'],
    ['one call as JSON text', ' {"name": "f", "input": {"a": 1}} ', 'json'],
    ['a tag', 'Let me see.\n<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>', 'tags'],
    [
      'a tag over several lines',
      '<tool_call>\n{\n"name": "f",\n\n"arguments": {"a": 1}}\n</tool_call>',
      'tags',
    ],
    ['a tag cut off', '<tool_call>\n{"name": "f", "arguments": {"a": 1}}', 'tags'],
    ['a fence', 'Here:\n```json\n{"name": "f", "arguments": {"a": 1}}\n```\nDone.', 'fence'],
    ['code', '[f(a=1)]', 'code'],
    ['fenced code', '```python\nf(a=1)\n```', 'code'],
  ])('%s', (_, output, convention) => {
    for (const read of [parseToolCalls(output), parseToolCalls(output, convention)]) {
      expect(read.broken).toEqual([])
      expect(read.calls.map(({ name, arguments: values }) => ({ name, arguments: values }))).toEqual([f])
    }
  })
  test('prose holds no call, and braces in prose are no call', () => {
    for (const text of ['', 'I would call f(a=1) here.', 'A set {a, b} and a list [1].', '```\nplain\n```'])
      expect(parseToolCalls(text)).toEqual({ calls: [], broken: [] })
  })
  test('a flood of tags is cut off', () => {
    const { broken } = parseToolCalls('<tool_call>'.repeat(100_000))
    expect(broken).toHaveLength(1001)
  })
  test('several tags, several lines, and one bad call among good ones', () => {
    const text =
      '<tool_call>\n{"name": "f", "arguments": {}}\n{"name": "g", "arguments": {}}\n</tool_call>\n<tool_call>{"name":</tool_call>'
    const { calls, broken } = parseToolCalls(text)
    expect(calls.map(({ name, span }) => [name, text.slice(span!.start, span!.end)])).toEqual([
      ['f', '{"name": "f", "arguments": {}}'],
      ['g', '{"name": "g", "arguments": {}}'],
    ])
    expect(broken).toHaveLength(1)
  })
})

test('values: typed, deep, order of keys free', () => {
  expect(sameValue({ a: [1, { b: null }], c: 'x' }, { c: 'x', a: [1, { b: null }] })).toBe(true)
  for (const [a, b] of [
    [1, '1'],
    [1, true],
    [null, 0],
    [[1], { 0: 1 }],
    [{ a: 1 }, {}],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: null }, { b: null }],
  ])
    expect(sameValue(a, b)).toBe(false)
  expect(sameValue([{ a: true }], [{ a: 1 }], 'python')).toBe(true)
  expect(sameValue(['3', 'New York, NY'], [3, 'new york ny'], 'loose')).toBe(true)
  expect(sameValue('', 0, 'loose')).toBe(false)
  expect(sameValue({ toString: 1 }, { valueOf: 1 })).toBe(false)
  const deep = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
  expect(sameValue(deep(100), deep(100))).toBe(true)
  expect(sameValue(deep(5000), deep(5000))).toBe(false)
})

describe('tool-calls', () => {
  const wanted: Json = [
    { name: 'f', arguments: { a: 1, b: 'x' } },
    { name: 'g', arguments: {} },
  ]
  test('parts, rationale and the wrong call marked', async () => {
    const text = '[f(a=2, b="x"), h(z=0)]'
    const { value, parts, evidence, rationale } = await judge(text, wanted)
    // names 1/3, f: parameters 1 + one value; of 1 + 3 + 1 and 2 more for the surplus call
    expect(value).toBeCloseTo((1 / 3 + 2) / 7)
    expect(parts).toEqual({ names: 1 / 3, parameters: 0.5, values: 0.5, exact: 0, calls: 2, broken: 0 })
    expect(rationale).toContain('missing: g')
    expect(
      evidence!.map((item) => item.kind === 'span' && [text.slice(item.start, item.end), item.label]),
    ).toEqual([
      ['f(a=2, b="x")', 'wrong: a'],
      ['h(z=0)', 'h is not wanted'],
    ])
  })
  test('nothing is paid for nothing', async () => {
    expect((await judge('', wanted)).value).toBe(0)
    expect((await judge('f()', [])).value).toBe(0)
    expect((await judge('<tool_call>{</tool_call>', [])).value).toBe(0)
    expect((await judge('no call', [])).value).toBe(1)
  })
  test('a call that cannot be read costs more than one left out', async () => {
    const good = '<tool_call>{"name": "f", "arguments": {"a": 1, "b": "x"}}</tool_call>'
    const left = (await judge(good, wanted)).value!
    const broken = (await judge(`${good}<tool_call>{"name": "g"</tool_call>`, wanted)).value!
    expect(broken).toBeLessThan(left)
    expect(broken).toBeGreaterThan(0)
  })
  test('arguments without a name are named by the function descriptions of the row, else they are surplus', async () => {
    const tools: Json = [
      { type: 'function', function: { name: 'f', parameters: { properties: { a: {}, b: {} } } } },
    ]
    expect((await judge('f(1, "x")\ng()', wanted, {}, { tools })).value).toBe(1)
    expect((await judge('f(1, "x")\ng()', wanted)).value).toBeLessThan(0.6)
    expect((await judge('f(1, a=1, b="x")\ng()', wanted)).value).toBeLessThan(1)
  })
  test('in [0, 1], 1 exactly for the wanted calls in any order, all granularities and surplus rules', async () => {
    const calls = fc.array(
      fc.record({
        name: fc.constantFrom('f', 'g'),
        arguments: fc.dictionary(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 2 })),
      }),
      { maxLength: 4 },
    )
    const settings = fc.record({
      granularity: fc.constantFrom(
        'coarse' as const,
        'intermediate' as const,
        'refined' as const,
        'fine' as const,
      ),
      surplus: fc.constantFrom('names' as const, 'calls' as const),
    })
    await fc.assert(
      fc.asyncProperty(calls, calls, settings, async (given, reference, options) => {
        const output = (list: typeof given): Turns => [{ role: 'assistant', content: '', toolCalls: list }]
        const value = (await judge(output(given), reference, options)).value!
        expect(value >= 0 && value <= 1).toBe(true)
        expect((await judge(output(reference), reference, options)).value).toBe(1)
        if (options.granularity === 'fine') {
          expect((await judge(output([...reference].reverse()), reference, options)).value).toBeCloseTo(1)
          const sorted = (list: typeof given) =>
            list.map(({ name, arguments: a }) => JSON.stringify([name, Object.entries(a).sort()])).sort()
          if (value > 1 - 1e-9) expect(sorted(given)).toEqual(sorted(reference))
        }
      }),
    )
  })
})

describe('accepted values', () => {
  test('texts loosely, fields of objects by their own lists', () => {
    expect(isAccepted('new york, ny', ['New York NY'])).toBe(true)
    expect(isAccepted('5', [5])).toBe(false)
    expect(isAccepted({ a: 'x' }, [{ a: ['y', 'X'], b: ['z', ''] }])).toBe(true)
    expect(isAccepted({ a: 'x', c: 1 }, [{ a: ['x'] }])).toBe(false)
    expect(isAccepted({}, [{ a: ['x'] }])).toBe(false)
    expect(isAccepted([{ a: 1 }, { a: 2 }], [[{ a: [1] }, { a: [3, 2] }]])).toBe(true)
    expect(isAccepted([2, 1], [[1, 2]])).toBe(false)
  })
  test('parallel calls are met in any order, each by its own', () => {
    const truths = readAcceptedCalls([{ f: { a: [1] } }, { f: { a: [2] } }])!
    const f = (a: number): ParsedCall => ({ name: 'f', arguments: { a } })
    expect(whyNotAccepted([f(2), f(1)], truths)).toBeUndefined()
    expect(whyNotAccepted([f(1), f(1)], truths)).toContain('not an accepted value')
    expect(whyNotAccepted([f(1)], truths)).toContain('1 calls')
  })
})

const bfclFiles = [
  ['simple_python', 400],
  ['multiple', 200],
  ['simple_javascript', 50],
  ['live_simple', 258],
  ['live_multiple.jsonl.gz', 653],
] as const

/** A right answer: the first accepted value of everything that may not be left out (or that the function requires). */
function firstAccepted(truth: JsonObject, required: readonly string[] = []): JsonObject {
  const pick = (choice: Json): Json => {
    if (Array.isArray(choice)) return choice.map(pick)
    return typeof choice === 'object' && choice !== null ? firstAccepted(choice as JsonObject) : choice
  }
  return Object.fromEntries(
    Object.entries(truth as Record<string, Json[]>)
      .filter(([key, choices]) => required.includes(key) || !choices.includes(''))
      .map(([key, choices]) => [key, choices.length === 0 ? [] : pick(choices[0]!)]),
  )
}

testOnData('bfcl', 'right answers pass in every convention, corrupted ones fail', async (folder) => {
  for (const [file, count] of bfclFiles) {
    const rows = jsonLines(join(folder, file.includes('.') ? file : `${file}.jsonl`))
    expect(rows).toHaveLength(count)
    const right: Sample[] = []
    const wrong: Sample[] = []
    for (const row of rows) {
      const truth = row.ground_truth as Record<string, JsonObject>[]
      const described = row.function as unknown as { name: string; parameters: { required?: string[] } }[]
      const calls = truth.map((call) => {
        const [name, values] = Object.entries(call)[0]!
        return {
          name,
          arguments: firstAccepted(values, described.find((item) => item.name === name)?.parameters.required),
        }
      })
      const json = JSON.stringify(calls)
      const code = `[${calls
        .map(
          ({ name, arguments: a }) =>
            `${name}(${Object.entries(a)
              .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
              .join(', ')})`,
        )
        .join(', ')}]`
      const accepted = readAcceptedCalls(truth)!
      expect(whyNotAccepted(calls, accepted, row.function as never), row.id as string).toBeUndefined()
      for (const output of [
        json,
        `\`\`\`json\n${json}\n\`\`\``,
        `<tool_call>${json}</tool_call>`,
        ...(/^[\p{L}\d_.]+$/u.test(calls[0]!.name) ? [code] : []),
      ])
        right.push(sample(output, truth, { function: row.function! }))
      const first = calls[0]!
      const key = Object.keys(first.arguments).find((name) => !accepted[0]!.accepted[name]!.includes(''))
      const corrupted = [
        [],
        [...calls, first],
        [{ ...first, name: `${first.name}_` }, ...calls.slice(1)],
        [{ ...first, arguments: { ...first.arguments, surprise: 1 } }, ...calls.slice(1)],
        ...(key === undefined
          ? []
          : [
              [
                { ...first, arguments: { ...first.arguments, [key]: 'certainly not this' } },
                ...calls.slice(1),
              ],
              [
                {
                  ...first,
                  arguments: Object.fromEntries(
                    Object.entries(first.arguments).filter(([name]) => name !== key),
                  ),
                },
                ...calls.slice(1),
              ],
            ]),
      ]
      for (const bad of corrupted) {
        expect(whyNotAccepted(bad, accepted), `${row.id}: ${JSON.stringify(bad)}`).toBeTruthy()
        wrong.push(sample(JSON.stringify(bad), truth))
      }
    }
    const reward = toolCalls()
    for (const [index, { value }] of (await reward.score(right)).entries())
      expect(value, right[index]!.output as string).toBe(1)
    for (const [index, { value }] of (await reward.score(wrong)).entries())
      expect(value, wrong[index]!.output as string).toBeLessThan(1)
  }
})

testOnData(
  'bfcl',
  'where no function fits, calling one is worth 0; multi-turn truths are read',
  async (folder) => {
    const rows = jsonLines(join(folder, 'irrelevance.jsonl'))
    expect(rows).toHaveLength(120)
    for (const row of rows) {
      const [described] = row.function as { name: string }[]
      expect((await judge('None of the functions can do that.', [])).value).toBe(1)
      expect((await judge(JSON.stringify([{ name: described!.name, arguments: {} }]), [])).value).toBe(0)
    }
    for (const row of jsonLines(join(folder, 'multi_turn_base.jsonl')))
      for (const turn of row.ground_truth as string[][])
        for (const code of turn) expect(parseToolCalls(code, 'code').calls, code).toHaveLength(1)
  },
)

testOnData('toolrl', "API-Bank's 399 calls equal themselves and differ when corrupted", async (folder) => {
  const rows = jsonLines(join(folder, 'api-bank-level1.jsonl.gz'))
  expect(rows).toHaveLength(399)
  for (const row of rows) {
    const answer = row.answer as { name: string; parameters: JsonObject }[]
    const output = (calls: Json) =>
      `<tool_call>\n${(calls as Json[]).map((call) => JSON.stringify(call)).join('\n')}\n</tool_call>`
    expect((await judge(output(answer), answer)).value).toBe(1)
    const [first, ...rest] = answer
    expect((await judge(output([{ ...first!, name: 'Other' }, ...rest]), answer)).value).toBeLessThan(0.5)
    const keys = Object.keys(first!.parameters)
    if (keys.length > 0)
      expect(
        (
          await judge(
            output([{ ...first!, parameters: { ...first!.parameters, [keys[0]!]: 'x!' } }, ...rest]),
            answer,
          )
        ).value,
      ).toBeLessThan(1)
  }
})
