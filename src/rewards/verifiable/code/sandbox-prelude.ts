/**
 * What runs in a sandbox before anything else, as source text: it replaces the clock and Math.random, adds a bounded
 * console, timers on a virtual clock and Node's `assert`, and returns the closures by which the host drives and reads
 * the run. Untrusted code never sees those closures.
 *
 * It is text and not a function turned into text, because compilers may rewrite a function.
 */
export const sandboxPrelude = `(function (settingsJson) {
'use strict'
const { parse, stringify } = JSON
const settings = parse(settingsJson)
const define = Object.defineProperty
const constant = (target, name, value) => define(target, name, { value, writable: false, configurable: false, enumerable: false })
const { getOwnPropertyNames, getOwnPropertyDescriptor } = Object
const call = Function.prototype.call
const then = Promise.prototype.then
const TextOf = String
const RealDate = Date

// Seeded xorshift128.
let [a, b, c, d] = settings.random
constant(Math, 'random', function random() {
  const t = a ^ (a << 11)
  a = b; b = c; c = d
  d = (d ^ (d >>> 19) ^ t ^ (t >>> 8)) | 0
  return (d >>> 0) / 4294967296
})

// A clock that only timers move.
let elapsed = 0
const clock = () => settings.now + elapsed
function FixedDate(...parts) {
  if (new.target === undefined) return new RealDate(clock()).toString()
  return Reflect.construct(RealDate, parts.length === 0 ? [clock()] : parts, new.target)
}
FixedDate.prototype = RealDate.prototype
define(FixedDate, 'name', { value: 'Date' })
define(FixedDate, 'length', { value: 7 })
FixedDate.now = clock
FixedDate.parse = RealDate.parse
FixedDate.UTC = RealDate.UTC
define(RealDate.prototype, 'constructor', { value: FixedDate, writable: true, configurable: true })
define(globalThis, 'Date', { value: FixedDate, writable: true, configurable: true })

// Timers, in order of due time and then of creation.
let timers = []
let timerCount = 0
const addTimer = (callback, delay, args, every) => {
  const id = ++timerCount
  const wait = delay > 0 ? +delay : 0
  timers = [...timers, { id, due: elapsed + wait, callback, args, every: every ? (wait < 1 ? 1 : wait) : 0 }]
  return id
}
const clear = (id) => { const left = []; for (const timer of timers) if (timer.id !== id) left[left.length] = timer; timers = left }
const functions = {
  setTimeout: (callback, delay, ...args) => addTimer(callback, delay, args, false),
  setInterval: (callback, delay, ...args) => addTimer(callback, delay, args, true),
  setImmediate: (callback, ...args) => addTimer(callback, 0, args, false),
  clearTimeout: clear, clearInterval: clear, clearImmediate: clear,
  queueMicrotask: (callback) => { call.call(then, Promise.resolve(), () => callback()) },
}
for (const name in functions) define(globalThis, name, { value: functions[name], writable: true, configurable: true })
const runTimer = () => {
  let next
  for (const timer of timers) if (next === undefined || timer.due < next.due) next = timer
  if (next === undefined) return false
  if (next.every > 0) { const due = next.due; next.due = due + next.every; if (elapsed < due) elapsed = due }
  else { clear(next.id); if (elapsed < next.due) elapsed = next.due }
  next.callback(...next.args)
  return true
}

// A console that keeps its first lines, and assertions that are counted.
const lines = []
let room = settings.consoleCharacters
let dropped = 0
let passed = 0
let failed = 0
const failures = []
const fail = (message) => { failed++; if (failures.length < 20) failures[failures.length] = message }
const show = (value) => {
  try {
    if (typeof value === 'string') return value
    if (value instanceof Error) return value.name + ': ' + value.message
    if (typeof value === 'object' && value !== null) return stringify(value) ?? TextOf(value)
    return TextOf(value)
  } catch { return '[unprintable]' }
}
const print = (level) => (...values) => {
  if (room <= 0) { dropped++; return }
  let text = ''
  for (let i = 0; i < values.length && text.length <= room; i++) text += (i === 0 ? '' : ' ') + show(values[i])
  if (text.length > room) { dropped++; text = text.slice(0, room) }
  room -= text.length + 1
  lines[lines.length] = { level, text }
}
const console = { __proto__: null }
for (const level of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table', 'group']) constant(console, level, print(level))
for (const name of ['groupEnd', 'time', 'timeEnd', 'timeLog', 'count', 'clear']) constant(console, name, () => {})
constant(console, 'assert', (condition, ...message) => {
  if (condition) passed++
  else fail(message.length === 0 ? 'console.assert failed' : show(message[0]))
})
constant(globalThis, 'console', console)

// Node's assert, as far as tests of functions use it.
class AssertionError extends Error {
  constructor(message) { super(message); define(this, 'name', { value: 'AssertionError' }) }
}
const check = (condition, message, fallback) => {
  if (condition) { passed++; return }
  if (message instanceof Error) { fail(show(message)); throw message }
  const text = message === undefined ? fallback : show(message)
  fail(text)
  throw new AssertionError(text)
}
const keysOf = (value) => Object.keys(value)
const deepEqual = (x, y, strict, above) => {
  if (Object.is(x, y)) return true
  if (typeof x !== 'object' || typeof y !== 'object' || x === null || y === null) return !strict && x == y
  if (strict && Object.getPrototypeOf(x) !== Object.getPrototypeOf(y)) return false
  if (Array.isArray(x) !== Array.isArray(y)) return false
  for (const pair of above) if (pair[0] === x && pair[1] === y) return true
  const inside = [...above, [x, y]]
  if (x instanceof RealDate && y instanceof RealDate) return +x === +y
  if (x instanceof RegExp && y instanceof RegExp) return TextOf(x) === TextOf(y)
  if (x instanceof Error && y instanceof Error) return x.name === y.name && x.message === y.message
  if (x instanceof Map && y instanceof Map) {
    if (x.size !== y.size) return false
    for (const [key, value] of x) if (!y.has(key) || !deepEqual(value, y.get(key), strict, inside)) return false
    return true
  }
  if (x instanceof Set && y instanceof Set) {
    if (x.size !== y.size) return false
    for (const item of x) if (!y.has(item)) { let found = false; for (const other of y) if (deepEqual(item, other, strict, inside)) found = true; if (!found) return false }
    return true
  }
  const keys = keysOf(x)
  if (keys.length !== keysOf(y).length) return false
  for (const key of keys) if (!Object.hasOwn(y, key) || !deepEqual(x[key], y[key], strict, inside)) return false
  return true
}
const matches = (error, expected) =>
  expected === undefined || typeof expected === 'string' ? true
  : expected instanceof RegExp ? expected.test(TextOf(error))
  : typeof expected === 'function' ? (expected.prototype !== undefined && error instanceof expected) || (!(expected === Error || expected.prototype instanceof Error) && expected(error) === true)
  : keysOf(expected).every((key) => expected[key] instanceof RegExp ? expected[key].test(error[key]) : deepEqual(error[key], expected[key], true, []))
const assert = (condition, message) => check(condition, message, 'assertion failed')
const assertions = {
  ok: assert,
  equal: (x, y, message) => check(x == y || (x !== x && y !== y), message, show(x) + ' == ' + show(y)),
  notEqual: (x, y, message) => check(x != y, message, show(x) + ' != ' + show(y)),
  strictEqual: (x, y, message) => check(Object.is(x, y), message, show(x) + ' === ' + show(y)),
  notStrictEqual: (x, y, message) => check(!Object.is(x, y), message, show(x) + ' !== ' + show(y)),
  deepEqual: (x, y, message) => check(deepEqual(x, y, false, []), message, show(x) + ' deep equals ' + show(y)),
  deepStrictEqual: (x, y, message) => check(deepEqual(x, y, true, []), message, show(x) + ' deep equals ' + show(y)),
  notDeepEqual: (x, y, message) => check(!deepEqual(x, y, false, []), message, 'expected a difference from ' + show(y)),
  notDeepStrictEqual: (x, y, message) => check(!deepEqual(x, y, true, []), message, 'expected a difference from ' + show(y)),
  match: (text, pattern, message) => check(pattern.test(text), message, show(text) + ' matches ' + TextOf(pattern)),
  doesNotMatch: (text, pattern, message) => check(!pattern.test(text), message, show(text) + ' does not match ' + TextOf(pattern)),
  fail: (message) => check(false, message, 'failed'),
  throws: (run, expected, message) => {
    let caught, threw = false
    try { run() } catch (error) { caught = error; threw = true }
    check(threw && matches(caught, expected), message, threw ? 'threw another error: ' + show(caught) : 'did not throw')
  },
  doesNotThrow: (run) => { let error; let threw = false; try { run() } catch (e) { threw = true; error = e } check(!threw, undefined, 'threw ' + show(error)) },
  rejects: async (promise, expected, message) => {
    let caught, threw = false
    try { await (typeof promise === 'function' ? promise() : promise) } catch (error) { caught = error; threw = true }
    check(threw && matches(caught, expected), message, threw ? 'rejected with another error: ' + show(caught) : 'did not reject')
  },
}
for (const name in assertions) constant(assert, name, assertions[name])
constant(assert, 'strict', assert)
constant(assert, 'AssertionError', AssertionError)
define(globalThis, 'assert', { value: assert, writable: true, configurable: true })
constant(globalThis, 'require', (name) => {
  if (name === 'console') return console
  if (name === 'assert' || name === 'node:assert' || name === 'assert/strict' || name === 'node:assert/strict') return assert
  throw new Error("there is no module '" + show(name) + "' in the sandbox")
})

// Built-ins that tests rely on: their functions cannot be replaced, and what could is compared at the end.
const watched = [[Object.prototype], [Function.prototype], [Error.prototype], [Date.prototype]]
if (settings.lockBuiltins) {
  const namespaces = [JSON, Math, Object, Array, Number, String, Boolean, Symbol, Promise, Reflect, Map, Set, BigInt,
    Array.prototype, String.prototype, Number.prototype, Boolean.prototype, RegExp.prototype, Map.prototype, Set.prototype, Promise.prototype,
    Object.getPrototypeOf([][Symbol.iterator]()), FixedDate]
  for (const namespace of namespaces)
    for (const name of Reflect.ownKeys(namespace)) {
      if (name === 'constructor' || name === 'toString' || name === 'prototype') continue
      const property = getOwnPropertyDescriptor(namespace, name)
      if (property.configurable && 'value' in property && typeof property.value === 'function')
        define(namespace, name, { writable: false, configurable: false })
    }
  const globals = ['Object', 'Array', 'Number', 'String', 'Boolean', 'Math', 'JSON', 'Map', 'Set', 'Promise', 'Symbol', 'isNaN', 'isFinite', 'parseInt', 'parseFloat']
  for (const name of globals) define(globalThis, name, { writable: false, configurable: false })
  // The engine lets defineProperty replace even constants of the global object, so they are compared, too.
  watched[4] = [globalThis, ['console', 'require', ...globals]]
}
for (const entry of watched) {
  entry[1] ??= getOwnPropertyNames(entry[0])
  entry[2] = []
  for (const name of entry[1]) entry[2][entry[2].length] = getOwnPropertyDescriptor(entry[0], name)
}
let tampered
/** Looks for replaced built-ins: between scripts too, because what was replaced may be put back. */
const watch = () => { if (settings.lockBuiltins) tampered ??= tamperedWith() }
const tamperedWith = () => {
  for (const [object, names, properties] of watched)
    for (let i = 0; i < names.length; i++) {
      const property = getOwnPropertyDescriptor(object, names[i])
      if (property === undefined || property.value !== properties[i].value || property.get !== properties[i].get) return names[i]
    }
  return undefined
}

for (const name in settings.globals) define(globalThis, name, { value: settings.globals[name], writable: true, configurable: true, enumerable: true })

let state = 'fulfilled'
let result
let problem
const settle = (value) => {
  if (!(value instanceof Promise)) { result = value; return }
  state = 'pending'
  call.call(then, value, (resolved) => { state = 'fulfilled'; result = resolved }, (error) => { state = 'rejected'; problem = error })
}
const errorRecord = (error) => {
  try {
    if (error instanceof Error) return { name: TextOf(error.name), message: TextOf(error.message) }
    return { name: 'Error', message: show(error) }
  } catch { return { name: 'Error', message: '[unprintable]' } }
}
const report = () => {
  let value, unreadable
  if (state === 'fulfilled') {
    try { value = stringify(result) } catch (error) { unreadable = errorRecord(error).message }
    if (value !== undefined && value.length > settings.resultCharacters) { value = undefined; unreadable = 'the result is longer than ' + settings.resultCharacters + ' characters' }
  }
  watch()
  return stringify({
    state, unreadable, value: value === undefined ? undefined : parse(value),
    error: state === 'rejected' ? errorRecord(problem) : undefined,
    console: lines, dropped, passed, failed, failures, tampered,
  })
}
return { settle, runTimer, watch, report, errorRecord: (error) => stringify(errorRecord(error)) }
})`
