import { z } from 'zod'
import {
  defineReward,
  type Evidence,
  isObject,
  type Json,
  type JsonObject,
  type Reward,
  type Sample,
  type Score,
  unscored,
} from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { multisetJaccard } from '../text/jaccard.ts'
import {
  type AcceptedCall,
  type FunctionDescription,
  nameArguments,
  nearestAccepted,
  readAcceptedCalls,
} from './accepted-calls.ts'
import { type ParsedCall, type ParsedCalls, parseToolCalls, readCalls } from './tool-call-parsing.ts'
import { sameValue, type ValueEquality } from './value-equality.ts'

/**
 * How much of a call has to be right before any of it counts.
 *
 * - `fine`: names, parameter names and values each count.
 * - `refined`: as `fine`, but names, and the parameter names of a call, count only if the lists are equal, order
 *   included.
 * - `intermediate`: names as in `fine`; a call counts 1 if it is entirely right.
 * - `coarse`: all calls right, in order, or nothing.
 */
export type Granularity = 'coarse' | 'intermediate' | 'refined' | 'fine'

export interface AgreementOptions {
  /** @default 'fine' */
  readonly granularity?: Granularity
  /** When two argument values are equal. @default 'json' */
  readonly equality?: ValueEquality
  /**
   * What a call beyond the wanted ones costs: `names` = only what the Jaccard of the names loses, so that repeats of
   * a right call are cheap (ToolRL); `calls` = its whole weight, as a missing call does. @default 'names'
   */
  readonly surplus?: 'names' | 'calls'
  /** Calls that were begun and cannot be read: each a wrong name and one more point that was possible. @default 0 */
  readonly broken?: number
}

/** A call that is wanted: with these arguments, or with any accepted ones. */
export type WantedCall = Pick<ParsedCall, 'name' | 'arguments'> | AcceptedCall

export interface CallMatch {
  /** Index of the given call, or undefined when none was close. */
  readonly given: number | undefined
  /** Multiset Jaccard of the parameter names (`refined`: 1 or 0). */
  readonly parameters: number
  /** Arguments with the wanted value, of `wanted` ones. */
  readonly values: number
  readonly wanted: number
}

export interface CallAgreement {
  /** Points reached over points possible, in [0, 1]. */
  readonly share: number
  /** Same calls with the same arguments in the same order. */
  readonly exact: boolean
  /** Multiset Jaccard of the function names (`refined`: 1 or 0). */
  readonly names: number
  /** One for each wanted call; empty for `coarse`. */
  readonly matches: readonly CallMatch[]
}

/**
 * How far given calls agree with the wanted ones. Points: the Jaccard of the names, and for each wanted call (in
 * order) the best, among unused given calls of that name, of Jaccard of parameter names + number of equal values; out
 * of 1 + sum over wanted calls of (1 + number of parameters). A call that reaches 0 is not used up; the first of
 * equals is taken. Order of calls and of parameters does not matter except where a granularity says so.
 *
 * @source ToolRL, arXiv 2504.13958, section 3.3
 */
export function callAgreement(
  wanted: readonly WantedCall[],
  given: readonly ParsedCall[],
  { granularity = 'fine', equality = 'json', surplus = 'names', broken = 0 }: AgreementOptions = {},
): CallAgreement {
  if (
    broken === 0 &&
    wanted.length === given.length &&
    wanted.every((call, index) => sameCall(call, given[index]!, equality))
  )
    return {
      share: 1,
      exact: true,
      names: 1,
      matches: wanted.map((call, index) => fullMatch(call, given[index]!, index)),
    }
  const strict = granularity === 'refined'
  const givenNames = given.map(nameOf)
  for (let i = 0; i < broken; i++) givenNames.push(`\u0000${i}`) // a name that nobody asked for
  const names = listAgreement(wanted.map(nameOf), givenNames, strict)
  if (granularity === 'coarse') return { share: 0, exact: false, names, matches: [] }
  const whole = granularity === 'intermediate'
  let points = names
  let possible = 1 + broken
  const used = new Set<number>()
  const matches = wanted.map((call) => {
    let best: CallMatch | undefined
    let bestPoints = 0
    for (let index = 0; index < given.length; index++) {
      const candidate = given[index]!
      if (candidate.name !== call.name || used.has(index)) continue
      const match = matchCall(call, candidate, index, equality, strict)
      const isWhole = match.parameters === 1 && match.values === match.wanted
      const reached = whole ? (isWhole ? 1 : 0) : match.parameters + match.values
      if (reached > bestPoints) [best, bestPoints] = [match, reached]
    }
    if (best) used.add(best.given!)
    points += bestPoints
    const match = best ?? { given: undefined, parameters: 0, values: 0, wanted: parameterCount(call) }
    possible += whole ? 1 : 1 + match.wanted
    return match
  })
  if (surplus === 'calls')
    given.forEach((call, index) => {
      if (!used.has(index)) possible += whole ? 1 : 1 + Object.keys(call.arguments).length
    })
  return { share: points / possible, exact: false, names, matches }
}

function nameOf({ name }: { readonly name: string }): string {
  return name
}

function listAgreement(wanted: readonly string[], given: readonly string[], strict: boolean): number {
  if (!strict) return multisetJaccard(wanted, given)
  return wanted.length === given.length && wanted.every((item, index) => item === given[index]) ? 1 : 0
}

function argumentsFor(call: WantedCall, given: JsonObject): JsonObject {
  return 'accepted' in call ? nearestAccepted(call, given).arguments : call.arguments
}

function parameterCount(call: WantedCall): number {
  return Object.keys(argumentsFor(call, {})).length
}

function sameCall(wanted: WantedCall, given: ParsedCall, equality: ValueEquality): boolean {
  if (wanted.name !== given.name || given.positional) return false
  return sameValue(argumentsFor(wanted, given.arguments), given.arguments, equality)
}

function fullMatch(call: WantedCall, given: ParsedCall, index: number): CallMatch {
  const wanted = Object.keys(argumentsFor(call, given.arguments)).length
  return { given: index, parameters: 1, values: wanted, wanted }
}

function matchCall(
  call: WantedCall,
  candidate: ParsedCall,
  index: number,
  equality: ValueEquality,
  strict: boolean,
): CallMatch {
  const given = candidate.arguments
  const wanted = argumentsFor(call, given)
  const keys = Object.keys(wanted)
  let values = 0
  for (const key of keys)
    if (Object.hasOwn(given, key) && sameValue(wanted[key], given[key], equality)) values++
  const named = Object.keys(given)
  // An argument without a name is one more that nobody asked for.
  for (let i = 0; i < (candidate.positional?.length ?? 0); i++) named.push(`\u0000${i}`)
  return { given: index, parameters: listAgreement(keys, named, strict), values, wanted: keys.length }
}

/** Shares of parameter names and of values over all wanted calls; null where none has a parameter. */
export function agreementParts({ names, exact, matches }: CallAgreement) {
  const wanted = matches.reduce((sum, match) => sum + match.wanted, 0)
  const values = matches.reduce((sum, match) => sum + match.values, 0)
  const parameters = matches.reduce((sum, match) => sum + match.parameters, 0)
  return {
    names,
    parameters: matches.length === 0 ? null : parameters / matches.length,
    values: wanted === 0 ? null : values / wanted,
    exact: exact ? 1 : 0,
  }
}

/** Spans of the calls that are not entirely right, with what is wrong. */
export function callEvidence(
  wanted: readonly WantedCall[],
  { calls, broken }: ParsedCalls,
  { exact, matches }: CallAgreement,
): Evidence[] {
  if (exact && broken.length === 0) return []
  const evidence: Evidence[] = []
  const mark = (span: ParsedCall['span'], label: string) => {
    if (span) evidence.push({ kind: 'span', in: 'output', ...span, label, good: false })
  }
  calls.forEach((call, index) => {
    const at = matches.findIndex(({ given }) => given === index)
    if (at < 0) {
      const known = wanted.some(({ name }) => name === call.name)
      mark(
        call.span,
        known ? `no wanted call of ${call.name} is left for this` : `${call.name} is not wanted`,
      )
      return
    }
    const values = argumentsFor(wanted[at]!, call.arguments)
    const wrong = Object.keys(values).filter((key) => !sameValue(values[key], call.arguments[key], 'python'))
    const extra = Object.keys(call.arguments).filter((key) => !Object.hasOwn(values, key))
    if (wrong.length + extra.length > 0) mark(call.span, `wrong: ${[...wrong, ...extra].join(', ')}`)
  })
  for (const { problem, span } of broken) mark(span, problem)
  return evidence
}

/** The wanted calls of a reference, or a sentence on why it holds none. An empty list asks for no call. */
export function readWantedCalls(reference: Json | undefined): WantedCall[] | string {
  if (typeof reference === 'string') {
    const { calls, broken } = parseToolCalls(reference)
    if (calls.length > 0 && broken.length === 0) return [...calls]
    return broken[0]?.problem ?? 'the reference is a text without a call (write [] when none is wanted)'
  }
  if (!Array.isArray(reference) && !isObject(reference))
    return 'the reference must be calls: a list of {name, arguments}, of {name: {argument: [accepted values]}}, or a text'
  const accepted = readAcceptedCalls(reference)
  if (accepted) return accepted
  const { calls, broken } = readCalls(reference)
  return broken[0]?.problem ?? [...calls]
}

const options = z.strictObject({
  granularity: z
    .enum(['coarse', 'intermediate', 'refined', 'fine'])
    .default('fine')
    .describe('How much of a call has to be right before any of it counts.'),
  equality: z
    .enum(['json', 'python', 'loose'])
    .default('json')
    .describe(
      'json: typed; python: also true = 1; loose: texts without case and punctuation, numbers as text.',
    ),
  surplus: z
    .enum(['names', 'calls'])
    .default('calls')
    .describe('What calls beyond the wanted ones cost: only their names, or as much as missing calls.'),
  convention: z
    .enum(['auto', 'messages', 'json', 'tags', 'fence', 'code'])
    .default('auto')
    .describe('Where the calls are read.'),
})

/**
 * Share of the wanted calls that an output makes, in [0, 1]: see `callAgreement`. A call that was begun and cannot be
 * read counts as a surplus call; an output without calls is worth 0 where calls are wanted, and 1 where the
 * reference is an empty list.
 */
function toolCallsReward(settings: z.input<typeof options> = {}): Reward {
  const { convention, ...agreement } = options.parse(settings)
  return defineReward({
    name: 'tool-calls',
    needs: ['reference'],
    params: { convention, ...agreement },
    judge: (sample) => judgeCalls(sample, parseToolCalls(sample.output, convention), agreement),
  })
}

function judgeCalls(sample: Sample, parsed: ParsedCalls, agreement: AgreementOptions): Score {
  const wanted = readWantedCalls(sample.reference)
  if (typeof wanted === 'string') return unscored('bad-input', wanted)
  const named = nameAll(parsed, sample.meta)
  const found = callAgreement(wanted, named.calls, { ...agreement, broken: named.broken.length })
  const evidence = callEvidence(wanted, named, found)
  const parts = { ...agreementParts(found), calls: named.calls.length, broken: named.broken.length }
  return {
    value: found.share,
    parts,
    ...(found.share < 1 ? { rationale: explain(wanted, named, found) } : {}),
    ...(evidence.length > 0 ? { evidence } : {}),
  }
}

function nameAll(parsed: ParsedCalls, meta: Sample['meta']): ParsedCalls {
  if (!parsed.calls.some(({ positional }) => positional)) return parsed
  const described = describedFunctions(meta)
  return {
    ...parsed,
    calls: parsed.calls.map((call) => {
      const description = described.find(({ name }) => name === call.name)
      return (description && nameArguments(call, description)) ?? call
    }),
  }
}

/** Function descriptions of a row: `function`, `functions` or `tools`, plain or as the OpenAI API has them. */
function describedFunctions(meta: Sample['meta']): FunctionDescription[] {
  const listed = meta.function ?? meta.functions ?? meta.tools
  if (!Array.isArray(listed)) return []
  return listed
    .map((item) => (isObject(item) && isObject(item.function) ? item.function : item))
    .filter(
      (item): item is FunctionDescription & Record<string, Json> =>
        isObject(item) && typeof item.name === 'string',
    )
}

function explain(
  wanted: readonly WantedCall[],
  { calls, broken }: ParsedCalls,
  { matches }: CallAgreement,
): string {
  const missing = wanted.filter((_, index) => matches[index]?.given === undefined).map(nameOf)
  const parts = [
    wanted.length === 0 ? 'no call was wanted' : `${wanted.length} wanted`,
    `${calls.length} given`,
    matches.length > 0 && missing.length > 0 ? `missing: ${missing.join(', ')}` : '',
    broken.length > 0 ? `unreadable: ${broken.map(({ problem }) => problem).join('; ')}` : '',
  ]
  return parts.filter(Boolean).join('; ')
}

const wantedCalls: Json = [
  { name: 'get_weather', arguments: { city: 'Oslo', unit: 'C' } },
  { name: 'search', arguments: { q: 'ski' } },
]
const sample = (output: Sample['output'], reference: Json = wantedCalls): Sample => ({
  id: 'calls',
  prompt: 'How cold is it in Oslo, and where can I ski?',
  output,
  reference,
  meta: {},
})

export const toolCalls = defineRewardType({
  name: 'tool-calls',
  summary: 'Share of the wanted tool calls that an output makes: function names, parameter names and values.',
  options,
  create: toolCallsReward,
  examples: [
    {
      sample: sample(
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo", "unit": "C"}}\n</tool_call>\n<tool_call>\n{"name": "search", "arguments": {"q": "ski"}}\n</tool_call>',
      ),
      value: 1,
    },
    { sample: sample('[get_weather(city="Oslo", unit="F"), search(q="ski")]'), value: 5 / 6 },
    { sample: sample('```json\n[{"name": "search", "arguments": {"q": "ski"}}]\n```'), value: 2.5 / 6 },
    { sample: sample('It is cold.'), value: 0 },
    { sample: sample('It is cold.', []), value: 1 },
    { sample: sample('[search(q="ski")]', []), value: 0 },
    { sample: sample('search(q="Ski")', [{ search: { q: ['ski', 'skiing'], page: [1, ''] } }]), value: 1 },
    { sample: sample('search(q="ski")', 'no call here'), value: null },
    {
      sample: sample('[get_weather(city="Oslo", unit="F"), search(q="ski")]'),
      options: { granularity: 'coarse' },
      value: 0,
    },
  ],
})
