import { isObject, type Json, type JsonObject } from '../../../core/index.ts'
import type { ParsedCall } from './tool-call-parsing.ts'
import { looseText, sameValue } from './value-equality.ts'

/**
 * A call with every accepted value of every argument, as the Berkeley function-calling leaderboard writes its
 * truths: `{city: ["Oslo", "Oslo, NO"], unit: ["C", ""]}`. The value "" means that the argument may be left out.
 */
export interface AcceptedCall {
  readonly name: string
  readonly accepted: Readonly<Record<string, readonly Json[]>>
}

/** What a function takes, in JSON Schema's words or in Python's (`dict`, `float`, ...), as the prompt shows it. */
export interface FunctionDescription {
  readonly name: string
  readonly parameters?: {
    readonly properties?: Readonly<Record<string, unknown>>
    readonly required?: readonly string[]
  }
}

/** Truths of the form `[{name: {argument: [accepted, ...]}}]`; undefined when `json` is not of that form. */
export function readAcceptedCalls(json: unknown): AcceptedCall[] | undefined {
  if (!Array.isArray(json) || json.length === 0) return undefined
  const calls: AcceptedCall[] = []
  for (const item of json) {
    if (!isObject(item)) return undefined
    const entries = Object.entries(item)
    const [name, values] = entries[0] ?? []
    if (entries.length !== 1 || name === undefined || !isObject(values)) return undefined
    if (!Object.values(values).every(Array.isArray)) return undefined
    calls.push({ name, accepted: values as AcceptedCall['accepted'] })
  }
  return calls
}

/**
 * Whether `value` is one of the accepted ones. Texts are compared by `looseText`, also inside lists and objects;
 * an object's fields hold lists of accepted values in turn, "" marking one that may be left out. Numbers are equal
 * by value: JSON does not tell 5 from 5.0, so neither does this. Where nothing is accepted an empty list is (such
 * truths exist, and the official check fails every answer to them).
 */
export function isAccepted(value: Json, accepted: readonly Json[]): boolean {
  if (accepted.length === 0) return Array.isArray(value) && value.length === 0
  return accepted.some((choice) => acceptedAs(value, choice))
}

function acceptedAs(value: Json, choice: Json): boolean {
  if (typeof choice === 'string') return typeof value === 'string' && looseText(value) === looseText(choice)
  if (Array.isArray(choice)) {
    if (!Array.isArray(value) || value.length !== choice.length) return false
    return choice.every((item, index) => acceptedAs(value[index]!, item))
  }
  if (!isObject(choice)) return sameValue(value, choice)
  if (!isObject(value)) return false
  const fields = choice as JsonObject
  return (
    Object.keys(value).every((key) => Object.hasOwn(fields, key)) &&
    Object.entries(fields).every(([key, options]) => {
      const list = Array.isArray(options) ? options : [options as Json]
      return Object.hasOwn(value, key) ? isAccepted(value[key] as Json, list) : list.includes('')
    })
  )
}

/**
 * The accepted call as one concrete call, taking from `given` every value that is accepted and leaving out what may
 * be left out, so that a graded comparison can follow. Equal to `given`'s arguments exactly when `given` is right.
 */
export function nearestAccepted({ name, accepted }: AcceptedCall, given: JsonObject): ParsedCall {
  const values: Record<string, Json> = {}
  for (const [key, choices] of Object.entries(accepted)) {
    const first = choices.length === 0 ? [] : choices[0]!
    if (!Object.hasOwn(given, key)) {
      if (!choices.includes('')) values[key] = first
    } else values[key] = isAccepted(given[key]!, choices) ? given[key]! : first
  }
  return { name, arguments: values }
}

/** Positional arguments under the names that the function gives them; undefined when there are too many. */
export function nameArguments(call: ParsedCall, description: FunctionDescription): ParsedCall | undefined {
  if (!call.positional) return call
  const names = Object.keys(description.parameters?.properties ?? {})
  if (call.positional.length > names.length) return undefined
  const named = Object.fromEntries(call.positional.map((value, index) => [names[index]!, value]))
  const { positional: _, ...rest } = call
  return { ...rest, arguments: { ...named, ...call.arguments } }
}

/**
 * Official pass or fail: as many calls as truths, each truth met by a call of its own (in any order), every argument
 * accepted and none beyond those named. With `functions`, arguments that a description requires (and the truth
 * names) must be there too, and arguments without a name are named in its order. (The official check of types is
 * implied: an accepted value has the type it has.) Returns what is wrong, or undefined when nothing is.
 */
export function whyNotAccepted(
  calls: readonly ParsedCall[],
  accepted: readonly AcceptedCall[],
  functions: readonly FunctionDescription[] = [],
): string | undefined {
  if (calls.length !== accepted.length) return `${calls.length} calls instead of ${accepted.length}`
  const unused = new Set(calls)
  for (const truth of accepted) {
    let problem = `no call of ${truth.name}`
    const met = [...unused].find((call) => {
      if (call.name !== truth.name) return false
      const wrong = wrongArgument(
        call,
        truth,
        functions.find(({ name }) => name === truth.name),
      )
      problem = wrong ?? problem
      return wrong === undefined
    })
    if (!met) return problem
    unused.delete(met)
  }
  return undefined
}

function wrongArgument(
  call: ParsedCall,
  { name, accepted }: AcceptedCall,
  description: FunctionDescription | undefined,
): string | undefined {
  const named = description ? nameArguments(call, description) : call
  if (!named || named.positional) return `${name} has arguments without a name`
  const given = named.arguments
  const missing = Object.keys(accepted).find(
    (key) => !Object.hasOwn(given, key) && !accepted[key]!.includes(''),
  )
  const required = description?.parameters?.required?.find(
    (key) => Object.hasOwn(accepted, key) && !Object.hasOwn(given, key),
  )
  if ((missing ?? required) !== undefined) return `${name} lacks ${missing ?? required}`
  for (const [key, value] of Object.entries(given) as [string, Json][]) {
    if (!Object.hasOwn(accepted, key)) return `${name} does not take ${key}`
    const choices = accepted[key]!
    if (!isAccepted(value, choices)) return `${name}: ${key} is not an accepted value`
  }
  return undefined
}
