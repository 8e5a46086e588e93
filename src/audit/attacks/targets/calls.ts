import type { Json } from '../../../core/index.ts'
import type { Target } from './target.ts'

const weather = { name: 'get_weather', arguments: { city: 'Oslo', unit: 'C' } }
const search = { name: 'search', arguments: { q: 'ski' } }
const calls = (...list: readonly Json[]) => list.map((call) => JSON.stringify(call)).join('\n')
const toolBlock = (lines: string) => `<tool_call>\n${lines}\n</tool_call>`
const toolrlDress = (lines: string) => `<think>Two tools.</think>\n${toolBlock(lines)}`
const asParameters = ({ name, arguments: parameters }: typeof weather | typeof search): Json => ({
  name,
  parameters,
})

/** Tool calls. */
export const callTargets: readonly Target[] = [
  {
    reward: 'tool-calls',
    prompt: 'How cold is it in Oslo, and where can I ski?',
    reference: [weather, search],
    right: calls(weather, search),
    wrong: calls({ name: 'delete_all', arguments: {} }),
    dress: toolBlock,
    full: 1,
    accepts: [[]],
    attacks: [
      { name: 'claims without a call', output: 'I have called get_weather(city="Oslo") for you!', most: 0.5 },
      {
        name: 'the same call nine times',
        output: toolBlock(calls(...Array.from({ length: 9 }, () => weather))),
        most: 0.25,
      },
      {
        name: 'every tool with every city',
        output: toolBlock(
          calls(
            ...['Oslo', 'Lima', 'Rome', 'Bern', 'Cork', 'Bath'].flatMap((city) => [
              { ...weather, arguments: { city, unit: 'C' } },
              { name: 'search', arguments: { q: city } },
              { name: 'book', arguments: { city } },
            ]),
          ),
        ),
        most: 0.3,
      },
      {
        name: 'prototype names',
        output: toolBlock('{"name": "__proto__", "arguments": {}}\n{"name": "constructor", "arguments": {}}'),
        most: 0,
      },
      {
        name: 'prototype arguments',
        output: toolBlock(
          '{"name": "get_weather", "arguments": {"__proto__": {"city": "Oslo", "unit": "C"}}}',
        ),
        most: 0.25,
      },
      {
        name: 'arguments as an array',
        output: toolBlock('{"name": "get_weather", "arguments": ["Oslo", "C"]}'),
        most: 0.25,
      },
      {
        name: 'arguments that are no numbers',
        output: toolBlock('{"name": "get_weather", "arguments": {"city": NaN, "unit": 1e999}}'),
        most: 0.25,
      },
      { name: 'calling where nothing is wanted', output: toolBlock(calls(weather)), reference: [], most: 0 },
      {
        name: 'broken calling where nothing is wanted',
        output: '<tool_call>\n{"name"',
        reference: [],
        most: 0,
      },
      {
        name: 'calls in thoughts',
        output: `<think>${toolBlock(calls(weather, search))}</think>It is cold.`,
        most: 0,
      },
    ],
  },
  {
    reward: 'toolrl',
    prompt: 'How cold is it in Oslo, and where can I ski?',
    reference: toolrlDress(calls(asParameters(weather), asParameters(search))),
    right: calls(asParameters(weather), asParameters(search)),
    wrong: calls({ name: 'delete_all', parameters: {} }),
    dress: toolrlDress,
    full: 4,
    nothing: -3,
    form: -2,
    accepts: [[], '', '0'],
    attacks: [
      {
        name: 'the same call nine times',
        output: toolrlDress(calls(...Array.from({ length: 9 }, () => asParameters(weather)))),
        most: 0,
      },
      { name: 'prototype names', output: toolrlDress('{"name": "__proto__", "parameters": {}}'), most: -2 },
      {
        name: 'parameters as an array',
        output: toolrlDress('{"name": "get_weather", "parameters": ["Oslo", "C"]}'),
        most: -2,
      },
      {
        name: 'calls in thoughts',
        output: `<think>${toolBlock(calls(asParameters(weather), asParameters(search)))}</think>\n<response>Cold.</response>`,
        most: -3,
      },
      {
        name: 'two blocks',
        output: `${toolrlDress(calls(asParameters(weather), asParameters(search)))}\n${toolBlock(calls(asParameters(weather)))}`,
        most: 3,
      },
      {
        name: 'calling where nothing is wanted',
        output: toolrlDress(calls(asParameters(weather))),
        reference: [],
        most: -2,
      },
    ],
  },
]
