import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { faultyTools, judgeTools, readCalls, toolFaults } from './tool-check.ts'
import {
  callList,
  drawToolRequest,
  goldTools,
  toolDescriptions,
  toolNames,
  toolPrompt,
  tools,
} from './tools.ts'
import { textVocabulary } from './vocabulary.ts'

const requests = Array.from({ length: 500 }, (_, index) => drawToolRequest(new Rng(`tools/${index}`)))

describe('tool calls', () => {
  test('six tools with 0 to 3 parameters, one to three calls', () => {
    expect(toolNames).toHaveLength(6)
    const counts = new Set(
      requests.flatMap(({ calls }) => calls.map((call) => Object.keys(call.parameters).length)),
    )
    expect([...counts].sort()).toEqual([0, 1, 2, 3])
    expect(new Set(requests.map(({ calls }) => calls.length))).toEqual(new Set([1, 2, 3]))
  })

  test('descriptions allow every gold call', () => {
    const described = toolDescriptions() as {
      name: string
      parameters: { properties: object; required: string[] }
    }[]
    for (const { calls } of requests)
      for (const { name, parameters } of calls) {
        const { properties, required } = described.find((tool) => tool.name === name)!.parameters
        expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(parameters)))
        expect(Object.keys(parameters)).toEqual(expect.arrayContaining(required))
      }
  })

  test('gold is faultless, is JSON that says the calls, and round-trips through the vocabulary', () => {
    for (const request of requests) {
      const tokens = goldTools(request)
      const ids = textVocabulary.encodeTokens(tokens)
      const text = textVocabulary.decode(ids)
      expect(textVocabulary.encode(text)).toEqual(ids)
      textVocabulary.encodeTokens(toolPrompt(request))
      expect(readCalls(text)).toEqual(request.calls)
      expect(judgeTools(request, tokens)).toMatchObject({ total: expect.closeTo(1, 12), parts: { exact: 1 } })
      expect(callList(request)).toHaveLength(request.calls.length)
    }
  })

  test('two wordings of a request differ, and every value of the gold is said in the prompt', () => {
    for (const { calls, ...rest } of requests.slice(0, 200)) {
      const prompts = [0, 7].map((phrasing) => toolPrompt({ ...rest, calls, phrasing }).join(' '))
      expect(prompts[0]).not.toBe(prompts[1])
      for (const { parameters } of calls)
        for (const value of Object.values(parameters))
          for (const prompt of prompts)
            expect(prompt).toContain([...String(value)].join(typeof value === 'number' ? ' ' : ''))
    }
    expect(tools.order.ask({ item: 'cup', count: 12 }, false)).toEqual(['order', '1', '2', 'cup'])
  })

  const fullParts = { format: 1, names: 1, parameters: 1, values: 1, exact: 1 }
  const lowered: Readonly<Record<(typeof toolFaults)[number], readonly (keyof typeof fullParts)[]>> = {
    'missing-call': ['names', 'parameters', 'exact'],
    'surplus-call': ['names', 'parameters', 'exact'],
    'wrong-tool': ['names', 'parameters', 'exact'],
    'missing-parameter': ['parameters', 'values', 'exact'],
    'surplus-parameter': ['parameters', 'values', 'exact'],
    'wrong-value': ['values', 'exact'],
    'broken-json': ['format', 'names', 'parameters', 'values', 'exact'],
    'no-thought': ['format'],
  }
  test.each(toolFaults)('%s lowers what it should and no more', (fault) => {
    let made = 0
    for (const [index, request] of requests.entries()) {
      const tokens = faultyTools(request, fault, new Rng(index))
      if (tokens === undefined) continue
      made++
      textVocabulary.encodeTokens(tokens)
      const { parts, total } = judgeTools(request, tokens)
      expect(total).toBeLessThan(1)
      for (const part of lowered[fault]) expect([part, parts[part] < 1]).toEqual([part, true])
      // Values of a whole call come and go with the call.
      for (const part of Object.keys(fullParts) as (keyof typeof fullParts)[])
        if (!lowered[fault].includes(part) && !(part === 'values' && lowered[fault].includes('names')))
          expect([part, parts[part]]).toEqual([part, 1])
    }
    expect(made).toBeGreaterThan(140)
  })
})
