import {
  isDialogue,
  isObject,
  type Json,
  type JsonObject,
  jsonOf,
  type Turns,
  textOf,
} from '../../../core/index.ts'
import { withoutThoughts } from '../extract/asides.ts'
import { extractJson, extractJsonLines } from '../extract/extract-json.ts'
import { extractTags } from '../extract/extract-tag.ts'
import { type Span, trimmedSpan } from '../extract/extraction.ts'
import { parseCallStrings } from './call-strings.ts'

/** One call that an output makes. */
export interface ParsedCall {
  readonly name: string
  readonly arguments: JsonObject
  /** Arguments without a name, from calls written as code. */
  readonly positional?: readonly Json[]
  /** Where it stands in the output's text, if it stands there. */
  readonly span?: Span
}

/**
 * Where an output's calls are read.
 *
 * - `messages`: `toolCalls` of the output's assistant turns.
 * - `json`: a JSON part, or a text that is JSON as a whole.
 * - `tags`: `<tool_call>` blocks (Hermes, Qwen, ToolRL), each one JSON value or one a line.
 * - `fence`: the first JSON code fence.
 * - `code`: a text that is nothing but calls written as code, `[f(a=1), g()]`; fenced code too.
 * - `auto`: the first of these, in this order, that the output shows signs of.
 */
export type CallConvention = 'auto' | 'messages' | 'json' | 'tags' | 'fence' | 'code'

export interface ParsedCalls {
  readonly calls: readonly ParsedCall[]
  /** Calls that were begun and cannot be read: what is wrong with each. */
  readonly broken: readonly { readonly problem: string; readonly span?: Span }[]
}

const listOfCalls = /^\s*\[\s*[\p{L}_$]/u
const none: ParsedCalls = { calls: [], broken: [] }

/**
 * The calls of an output. One JSON call may be written `{name, arguments}`, `{name, parameters}`, `{name, input}`,
 * `{type: 'function', function: {name, arguments}}` or inside `{tool_calls: [...]}`; arguments may be JSON in a
 * string, as the OpenAI API has them. Calls in thoughts are not made. A text without any call gives no calls, which is not an error.
 */
export function parseToolCalls(output: Turns, convention: CallConvention = 'auto'): ParsedCalls {
  const auto = convention === 'auto'
  if (auto || convention === 'messages') {
    const said = isDialogue(output) ? output.flatMap((message) => message.toolCalls ?? []) : []
    if (!auto || said.length > 0) return readCalls(said as unknown as Json)
  }
  if (auto || convention === 'json') {
    const part = jsonOf(output)
    if (part !== undefined) return readCalls(part)
  }
  const text = withoutThoughts(textOf(output))
  if (convention === 'json') return wholeJson(text) ?? broken('the text is not JSON', 0, text.length)
  if (convention === 'tags') return taggedCalls(text)
  if (convention === 'fence') return fencedJson(text) ?? none
  if (convention === 'code') return codeCalls(text) ?? none
  if (text.includes('<tool_call>')) return taggedCalls(text)
  const first = text.trimStart()[0]
  if (first === '{' || first === '[') {
    // A failed JSON.parse is slow, and a list of calls is easily told from a list of values.
    const calls = listOfCalls.test(text) ? codeCalls(text) : (wholeJson(text) ?? codeCalls(text))
    return calls ?? broken('the text opens like JSON or a list of calls and is neither', 0, text.length)
  }
  if (text.includes('```')) return fencedJson(text) ?? codeCalls(text) ?? none
  return codeCalls(text) ?? none
}

/** Calls as a reference or a message holds them: a list, or one. */
export function readCalls(json: Json, span?: Span): ParsedCalls {
  const items = isObject(json) && Array.isArray(json.tool_calls) ? json.tool_calls : json
  const calls: ParsedCall[] = []
  const problems: { problem: string; span?: Span }[] = []
  for (const item of Array.isArray(items) ? items : [items]) {
    const call = readCall(item, span)
    if (typeof call === 'string') problems.push(span ? { problem: call, span } : { problem: call })
    else calls.push(call)
  }
  return { calls, broken: problems }
}

/** One call, or what is wrong with it. */
function readCall(json: unknown, span?: Span): ParsedCall | string {
  if (!isObject(json)) return 'a call must be an object with a name and arguments'
  const call = isObject(json.function) ? json.function : json
  const { name } = call
  if (typeof name !== 'string' || name === '') return 'the call has no name'
  let values: unknown = call.arguments ?? call.parameters ?? call.input ?? {}
  if (typeof values === 'string') {
    const read = values.trim() === '' ? {} : extractJson(values, { from: 'whole' }).value
    if (read === undefined) return `the arguments of ${name} are not JSON`
    values = read
  }
  if (!isObject(values)) return `the arguments of ${name} are not an object`
  const read = { name, arguments: values as JsonObject }
  return span ? { ...read, span } : read
}

/** What follows is one broken call. */
const mostBlocks = 1000

function taggedCalls(text: string): ParsedCalls {
  const calls: ParsedCall[] = []
  const problems: { problem: string; span: Span }[] = []
  const blocks = extractTags(text, 'tool_call', { allowMissingClose: true, allowEmpty: true })
  for (const { value, span } of blocks.slice(0, mostBlocks)) {
    const read = blockCalls(value, span)
    calls.push(...read.calls)
    problems.push(...(read.broken as typeof problems))
  }
  const rest = blocks[mostBlocks]
  if (rest) problems.push({ problem: `more than ${mostBlocks} blocks of calls`, span: rest.span })
  return { calls, broken: problems }
}

/** A block is one JSON value over any number of lines, or one call a line. */
function blockCalls(block: string, span: Span): ParsedCalls {
  const whole = extractJson(block, { from: 'whole' })
  if (whole.value !== undefined) return readCalls(whole.value, span)
  if (block.includes('\n')) {
    const lines = extractJsonLines(block)
    if (lines.value) {
      const spans = lineSpans(block, span.start)
      const read = lines.value.map((line, index) => readCalls(line, spans[index]))
      return { calls: read.flatMap(({ calls }) => calls), broken: read.flatMap((each) => each.broken) }
    }
  }
  return parsedCode(block, span.start) ?? broken('the block is neither JSON nor a call', span.start, span.end)
}

/**
 * The first `<tool_call>` block at or after `from`, one JSON call a line and each with "name" and "parameters": the
 * strict convention of ToolRL, in which one bad or blank line spoils the block. No block gives no calls.
 * `offset` is added to spans.
 */
export function readTaggedLines(text: string, from = 0, offset = 0): ParsedCalls {
  const open = text.indexOf(openTag, from)
  if (open < 0) return none
  const close = text.indexOf('</tool_call>', open)
  const { start, end } = trimmedSpan(text, open + openTag.length, close < 0 ? text.length : close)
  if (close < 0) return broken('the tool_call block is not closed', offset + open, offset + end)
  const calls: ParsedCall[] = []
  for (let at = start; at <= end; ) {
    const newline = text.indexOf('\n', at)
    const lineEnd = newline < 0 || newline > end ? end : newline
    const line = parsedLine(text.slice(at, lineEnd))
    const span = { start: offset + at, end: offset + lineEnd }
    if (line === undefined) return broken('a line of the tool_call block is not JSON', span.start, span.end)
    if (!isObject(line) || typeof line.name !== 'string' || !isObject(line.parameters))
      return broken('a call lacks "name" or "parameters"', span.start, span.end)
    calls.push({ name: line.name, arguments: line.parameters as JsonObject, span })
    at = lineEnd + 1
  }
  return { calls, broken: [] }
}

const openTag = '<tool_call>'

/** Undefined when the line is not JSON. (Comparing values is bounded in depth, so that any nesting may be read.) */
function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

const chatMarkers = [
  ['<|im_start|>assistant', '<|im_end|>'],
  ['<|start_header_id|>assistant<|end_header_id|>', '<|eot_id|>'],
] as const

/** The last assistant turn of a text that may still hold chat markers (ChatML, Llama 3), trimmed, and where it starts. */
export function lastAssistantTurn(text: string): { readonly text: string; readonly offset: number } {
  let start = 0
  let end = text.length
  for (const [open, close] of text.includes('<|') ? chatMarkers : []) {
    const opened = text.lastIndexOf(open)
    if (opened >= 0) start = opened + open.length
    const closed = text.indexOf(close, start)
    if (closed >= 0) end = closed
  }
  const span = trimmedSpan(text, start, end)
  return { text: text.slice(span.start, span.end), offset: span.start }
}

/** Spans of the lines that are not blank, trimmed, `offset` added. */
function lineSpans(text: string, offset = 0): Span[] {
  const spans: Span[] = []
  for (const line of text.matchAll(/\S[^\n]*/g)) {
    const length = line[0].trimEnd().length
    spans.push({ start: offset + line.index, end: offset + line.index + length })
  }
  return spans
}

function wholeJson(text: string): ParsedCalls | undefined {
  const { value, span } = extractJson(text, { from: 'whole' })
  return value === undefined ? undefined : readCalls(value, span)
}

function fencedJson(text: string): ParsedCalls | undefined {
  const { value, span } = extractJson(text, { from: 'fence' })
  return value === undefined ? undefined : readCalls(value, span)
}

function codeCalls(text: string): ParsedCalls | undefined {
  const fence = /```[\w]*\n([\s\S]*?)```/.exec(text)
  const code = fence?.[1] ?? text
  return parsedCode(code, fence ? fence.index + fence[0].indexOf('\n') + 1 : 0)
}

function parsedCode(code: string, offset: number): ParsedCalls | undefined {
  const calls = parseCallStrings(code)
  if (!calls) return undefined
  return {
    calls: calls.map(({ name, arguments: values, positional, start, end }) => ({
      name,
      arguments: values,
      ...(positional.length > 0 ? { positional } : {}),
      span: { start: offset + start, end: offset + end },
    })),
    broken: [],
  }
}

function broken(problem: string, start: number, end: number): ParsedCalls {
  return { calls: [], broken: [{ problem, span: { start, end } }] }
}
