import { GuerdonError, type Json, type Rng } from '../../core/index.ts'
import { listed } from './instruction.ts'
import { attributeValues, categories } from './lexicon.ts'
import { callPieces, numberParameters, parameterPiece, toolWords } from './vocabulary.ts'

export type ToolName = 'clock' | 'weather' | 'search' | 'mail' | 'alarm' | 'order'
export type ToolArguments = { readonly [parameter: string]: string | number }
export type TextToolCall = { readonly name: ToolName; readonly parameters: ToolArguments }

/** A request and the calls it takes, in the order asked. Plain JSON, so that it can be a reference. */
export type ToolRequest = {
  readonly task: 'tools'
  readonly calls: readonly TextToolCall[]
  readonly phrasing: number
}

interface Tool {
  readonly description: string
  /** Type and whether every call has it, by parameter, in the order in which calls write them (a number comes last). */
  readonly parameters: Readonly<
    Record<string, { readonly values: readonly (string | number)[]; readonly optional?: boolean }>
  >
  /** The request in words, in two wordings. */
  readonly ask: (given: ToolArguments, second: boolean) => string[]
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
const digitsOf = (value: string | number | undefined) => [...String(value)]
const word = (value: string | number | undefined) => String(value)

export const tools: Readonly<Record<ToolName, Tool>> = {
  clock: {
    description: 'Tells the time.',
    parameters: {},
    ask: (_, second) => (second ? ['what', 'is', 'the', 'time'] : ['tell', 'me', 'the', 'time']),
  },
  weather: {
    description: 'Tells the weather of a city.',
    parameters: { city: { values: toolWords.cities }, unit: { values: toolWords.units, optional: true } },
    ask: ({ city, unit }, second) => [
      ...(second ? ['how', 'is', 'the', 'weather', 'in'] : ['weather', 'in']),
      word(city),
      ...(unit === undefined ? [] : ['in', word(unit)]),
    ],
  },
  search: {
    description: 'Searches for a thing.',
    parameters: { query: { values: [...categories.animals, ...categories.foods] } },
    ask: ({ query }, second) =>
      second ? ['tell', 'me', 'about', word(query)] : ['search', 'for', word(query)],
  },
  mail: {
    description: 'Writes to a friend, about a topic if there is one.',
    parameters: {
      to: { values: attributeValues.owner },
      topic: { values: categories.objects, optional: true },
    },
    ask: ({ to, topic }, second) => [
      ...(second ? ['let', word(to), 'know'] : ['mail', word(to)]),
      ...(topic === undefined ? [] : ['about', word(topic)]),
    ],
  },
  alarm: {
    description: 'Sets an alarm at an hour, on a day if there is one.',
    parameters: { day: { values: toolWords.days, optional: true }, hour: { values: upTo(12) } },
    ask: ({ day, hour }, second) => [
      ...(second ? ['make', 'a', 'alarm'] : ['alarm']),
      ...(day === undefined ? [] : ['for', word(day)]),
      'at',
      ...digitsOf(hour),
    ],
  },
  order: {
    description: 'Orders things, of a colour if there is one.',
    parameters: {
      item: { values: categories.objects },
      colour: { values: categories.colours, optional: true },
      count: { values: upTo(20) },
    },
    ask: ({ item, colour, count }, second) => [
      ...(second ? ['i', 'need'] : ['order']),
      ...digitsOf(count),
      ...(colour === undefined ? [] : [word(colour)]),
      word(item),
    ],
  },
}
export const toolNames = Object.keys(tools) as ToolName[]

export interface ToolRequestOptions {
  /** Fewest and most calls, of different tools. @default [1, 3] */
  readonly calls?: readonly [fewest: number, most: number]
}

export function drawToolRequest(
  rng: Rng,
  { calls: [fewest, most] = [1, 3] }: ToolRequestOptions = {},
): ToolRequest {
  if (!(fewest >= 1 && fewest <= most && most <= toolNames.length))
    throw new GuerdonError(
      'bad-config',
      `[${fewest}, ${most}] calls are not within 1 to ${toolNames.length}.`,
      {
        place: { field: 'calls' },
      },
    )
  const names = rng.sample(toolNames, rng.int(fewest, most + 1))
  return {
    task: 'tools',
    calls: names.map((name) => ({ name, parameters: drawArguments(rng, name) })),
    phrasing: rng.int(0, 8),
  }
}

function drawArguments(rng: Rng, name: ToolName): ToolArguments {
  const given: Record<string, string | number> = {}
  for (const [parameter, { values, optional }] of Object.entries(tools[name].parameters))
    if (!optional || rng.chance(0.6)) given[parameter] = rng.pick(values)
  return given
}

/** "tell me the time , mail anna about book and order 2 red cup ." */
export function toolPrompt({ calls, phrasing }: ToolRequest): string[] {
  const asks = calls.map(({ name, parameters }, index) =>
    tools[name].ask(parameters, Boolean((phrasing >> index) & 1)),
  )
  const tokens: string[] = []
  asks.forEach((ask, index) => {
    if (index > 0) tokens.push(index === asks.length - 1 ? 'and' : ',')
    tokens.push(...ask)
  })
  return [...tokens, '.']
}

/** The tools of a request, sorted: what a split by unseen combinations holds out. */
export function toolCombination({ calls }: ToolRequest): string {
  return calls
    .map(({ name }) => name)
    .sort()
    .join('+')
}

/** One call as the tokens of one line of JSON. */
export function callTokens({ name, parameters }: TextToolCall): string[] {
  const tokens: string[] = [callPieces.open, name, callPieces.parameters]
  const given = Object.entries(parameters)
  let isText = false
  given.forEach(([parameter, value]) => {
    if (isText) tokens.push(callPieces.next)
    tokens.push(parameterPiece(parameter), ...(typeof value === 'number' ? digitsOf(value) : [value]))
    isText = !(numberParameters as readonly string[]).includes(parameter)
  })
  tokens.push(isText ? callPieces.closeText : callPieces.close)
  return tokens
}

/**
 * A response of thoughts and calls, one call a line, as ToolRL's protocol writes it: decoded, it is
 * `<think> .. </think>\n<tool_call>\n{"name": .., "parameters": {..}}\n</tool_call>`.
 */
export function toolResponse(
  calls: readonly TextToolCall[],
  thought: readonly string[] = thoughtOf(calls),
): string[] {
  return [
    '<think>',
    ...thought,
    '</think>',
    '\n',
    '<tool_call>',
    '\n',
    ...calls.flatMap((call) => [...callTokens(call), '\n']),
    '</tool_call>',
  ]
}

function thoughtOf(calls: readonly TextToolCall[]): string[] {
  return ['i', 'need', ...listed(calls.map(({ name }) => name))]
}

export function goldTools({ calls }: ToolRequest): string[] {
  return toolResponse(calls)
}

/** The calls as `[{ name, arguments }]`, for checkers that take lists. */
export function callList({ calls }: ToolRequest): Json {
  return calls.map(({ name, parameters }) => ({ name, arguments: parameters }))
}

/** The tools as JSON Schema function descriptions. */
export function toolDescriptions(): Json {
  return toolNames.map((name) => {
    const { description, parameters } = tools[name]
    const entries = Object.entries(parameters)
    return {
      name,
      description,
      parameters: {
        type: 'object',
        properties: Object.fromEntries(
          entries.map(([parameter, { values }]) => [
            parameter,
            typeof values[0] === 'number' ? { type: 'integer' } : { type: 'string', enum: [...values] },
          ]),
        ),
        required: entries.filter(([, { optional }]) => !optional).map(([parameter]) => parameter),
      },
    }
  })
}
