import { isObject, type Rng } from '../../core/index.ts'
import {
  type TextToolCall,
  type ToolName,
  type ToolRequest,
  toolNames,
  toolResponse,
  tools,
} from './tools.ts'
import { textVocabulary } from './vocabulary.ts'

/** A call as it was given, known tool or not. */
export interface ReadCall {
  readonly name: string
  readonly parameters: Readonly<Record<string, unknown>>
}

export interface ToolVerdict {
  readonly parts: {
    /** 1 when the response is thoughts and a block of readable calls, and nothing else. */
    readonly format: number
    /** Multiset Jaccard of the tool names. */
    readonly names: number
    /** Mean over calls (the longer list) of the Jaccard of the parameter names. */
    readonly parameters: number
    /** Parameters with the right value, over those wanted or given, whichever are more. */
    readonly values: number
    /** 1 when the calls are right, in any order. */
    readonly exact: number
  }
  /** 0.1 format + 0.3 each for names, parameters and values; only the format's share when the calls cannot be read. */
  readonly total: number
  /** Null when a line between the tags is not a call. */
  readonly calls: readonly ReadCall[] | null
}

export function judgeTools(request: ToolRequest, tokens: readonly string[]): ToolVerdict {
  const text = textVocabulary.join(tokens)
  const calls = readCalls(text)
  const format = Number(
    calls !== null && /^<think>[^<]*<\/think>\n<tool_call>\n[^<]*\n<\/tool_call>$/.test(text),
  )
  const agreed =
    calls === null ? { names: 0, parameters: 0, values: 0, exact: 0 } : callAgreement(request.calls, calls)
  const parts = { format, ...agreed }
  return { parts, total: (format + 3 * (parts.names + parts.parameters + parts.values)) / 10, calls }
}

/** The calls of the first block, or null when there is none or one of its lines is not a call. */
export function readCalls(text: string): ReadCall[] | null {
  const start = text.indexOf('<tool_call>')
  const end = start < 0 ? -1 : text.indexOf('</tool_call>', start)
  if (end < 0) return null
  const lines = text
    .slice(start + '<tool_call>'.length, end)
    .trim()
    .split('\n')
  const calls: ReadCall[] = []
  for (const line of lines) {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return null
    }
    if (!isObject(value) || typeof value.name !== 'string' || !isObject(value.parameters)) return null
    calls.push({ name: value.name, parameters: value.parameters })
  }
  return calls
}

/** How far given calls agree with those wanted, in any order: shares in [0, 1] (see `ToolVerdict.parts`). */
export function callAgreement(wanted: readonly TextToolCall[], given: readonly ReadCall[]) {
  const used = new Set<number>()
  let [names, keys, right, exact] = [0, 0, 0, 0]
  for (const call of wanted) {
    let best: { index: number; keys: number; right: number } | undefined
    given.forEach((candidate, index) => {
      if (used.has(index) || candidate.name !== call.name) return
      const shared = Object.keys(call.parameters).filter((key) => Object.hasOwn(candidate.parameters, key))
      const all = new Set([...Object.keys(call.parameters), ...Object.keys(candidate.parameters)]).size
      const match = {
        index,
        keys: all === 0 ? 1 : shared.length / all,
        right: shared.filter((key) => candidate.parameters[key] === call.parameters[key]).length,
      }
      if (best === undefined || match.keys + match.right > best.keys + best.right) best = match
    })
    if (best === undefined) continue
    used.add(best.index)
    names++
    keys += best.keys
    right += best.right
    if (best.keys === 1 && best.right === Object.keys(call.parameters).length) exact++
  }
  const parameterCount = (calls: readonly { readonly parameters: object }[]) =>
    calls.reduce((sum, { parameters }) => sum + Object.keys(parameters).length, 0)
  const longer = Math.max(wanted.length, given.length)
  const most = Math.max(parameterCount(wanted), parameterCount(given))
  return {
    names: names / (wanted.length + given.length - names),
    parameters: keys / longer,
    values: most === 0 ? Number(names > 0) : right / most,
    exact: Number(exact === longer),
  }
}

export const toolFaults = [
  'missing-call',
  'surplus-call',
  'wrong-tool',
  'missing-parameter',
  'surplus-parameter',
  'wrong-value',
  'broken-json',
  'no-thought',
] as const
export type ToolFault = (typeof toolFaults)[number]

/** A response with one fault of a kind; undefined where the request does not allow it. */
export function faultyTools(request: ToolRequest, fault: ToolFault, rng: Rng): string[] | undefined {
  const { calls } = request
  const at = rng.int(0, calls.length)
  const call = calls[at]!
  const given = Object.entries(call.parameters)
  const changed = (other: TextToolCall) =>
    toolResponse(calls.map((right, index) => (index === at ? other : right)))
  switch (fault) {
    case 'missing-call':
      return calls.length < 2 ? undefined : toolResponse(calls.filter((_, index) => index !== at))
    case 'surplus-call': {
      const name = rng.pick(unusedTools(calls))
      return toolResponse([...calls, { name, parameters: everyArgument(name, rng) }])
    }
    case 'wrong-tool': {
      const name = rng.pick(unusedTools(calls))
      return changed({ name, parameters: everyArgument(name, rng) })
    }
    case 'missing-parameter': {
      if (given.length === 0) return undefined
      const dropped = rng.int(0, given.length)
      return changed({
        ...call,
        parameters: Object.fromEntries(given.filter((_, index) => index !== dropped)),
      })
    }
    case 'surplus-parameter': {
      const all = Object.entries(tools[call.name].parameters)
      const absent = all.filter(([parameter]) => !(parameter in call.parameters))
      if (absent.length === 0) return undefined
      const [added] = rng.pick(absent)
      const parameters = all.flatMap(([parameter, { values }]) =>
        parameter === added
          ? [[parameter, rng.pick(values)] as const]
          : parameter in call.parameters
            ? [[parameter, call.parameters[parameter]!] as const]
            : [],
      )
      return changed({ ...call, parameters: Object.fromEntries(parameters) })
    }
    case 'wrong-value': {
      if (given.length === 0) return undefined
      const [parameter, value] = rng.pick(given)
      const others = tools[call.name].parameters[parameter]!.values.filter((other) => other !== value)
      return changed({ ...call, parameters: { ...call.parameters, [parameter]: rng.pick(others) } })
    }
    case 'broken-json': {
      const tokens = toolResponse(calls)
      const closing = tokens.findIndex((token) => token.endsWith('}}'))
      return tokens.filter((_, index) => index !== closing)
    }
    case 'no-thought':
      return toolResponse(calls).slice(toolResponse(calls).indexOf('<tool_call>'))
  }
}

function unusedTools(calls: readonly TextToolCall[]): ToolName[] {
  return toolNames.filter((name) => calls.every((call) => call.name !== name))
}

function everyArgument(name: ToolName, rng: Rng): TextToolCall['parameters'] {
  return Object.fromEntries(
    Object.entries(tools[name].parameters).map(([parameter, { values }]) => [parameter, rng.pick(values)]),
  )
}
