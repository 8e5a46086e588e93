import { defaultDevice, type Array as JaxArray, numpy as np, valueAndGrad } from '@jax-js/jax'
import { GuerdonError } from '../core/index.ts'

/** One number, or a full (not ragged) nest of lists of numbers: an array of any rank. */
export type Numbers = number | readonly Numbers[]

/** The same structure with an array for each number or nest of lists. */
export type ArraysOf<Given> = Given extends number | readonly unknown[]
  ? JaxArray
  : Given extends object
    ? { readonly [Key in keyof Given]: ArraysOf<Given[Key]> }
    : Given

/** The same structure with plain numbers in place of arrays. */
export type Plain<Result> = Result extends JaxArray
  ? Numbers
  : Result extends object
    ? { readonly [Key in keyof Result]: Plain<Result[Key]> }
    : Result

/**
 * What a function over arrays, as it is written for `compile` (it consumes its inputs), gives for plain numbers, computed
 * at once in float64. `inputs` is a number, a full nest of lists, or an object of these (undefined fields stay absent); the
 * result has numbers and lists in place of arrays. For tests and for exporting numbers: large arrays are slow.
 *
 * Throws a `GuerdonError`: `shape-mismatch` for ragged lists, `bad-input` for what is no number, and those of the function.
 *
 * @example
 * evaluated((inputs) => dpoLosses(inputs, { beta: 0.5 }), { margins: [0.5, -1] })
 */
export function evaluated<Given, Result>(
  fn: (inputs: ArraysOf<Given>) => Result,
  inputs: Given,
): Plain<Result> {
  return onProcessor(() => plain(fn(arrays(inputs, '') as ArraysOf<Given>)) as Plain<Result>)
}

/**
 * Value and derivatives of a scalar function over arrays at plain numbers, in float64. Derivatives are with respect to
 * every input, in the inputs' structure; where the function stops the gradient they are 0. Throws as `evaluated`.
 */
export function evaluatedGradient<Given>(
  fn: (inputs: ArraysOf<Given>) => JaxArray,
  inputs: Given,
): { readonly value: number; readonly gradient: Given } {
  return onProcessor(() => {
    const differentiated = valueAndGrad(fn as never) as unknown as (given: unknown) => [JaxArray, unknown]
    const [value, gradient] = differentiated(arrays(inputs, ''))
    return { value: plain(value) as number, gradient: plain(gradient) as Given }
  })
}

/** Runs on the device whose float64 functions are exact, whatever the default is. */
function onProcessor<T>(work: () => T): T {
  const before = defaultDevice()
  defaultDevice('cpu')
  try {
    return work()
  } finally {
    defaultDevice(before)
  }
}

function arrays(value: unknown, path: string): unknown {
  if (typeof value === 'number' || Array.isArray(value)) {
    const shape = shapeOf(value, path)
    const data = Float64Array.from([value].flat(Infinity) as number[])
    return np.array(data, { shape, dtype: np.float64 })
  }
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, field]) => field !== undefined)
        .map(([key, field]) => [key, arrays(field, path === '' ? key : `${path}.${key}`)]),
    )
  throw new GuerdonError('bad-input', `${path || 'the input'} is ${String(value)}, not a number or a list.`)
}

function shapeOf(value: unknown, path: string): number[] {
  if (typeof value === 'number') return []
  if (!Array.isArray(value))
    throw new GuerdonError('bad-input', `${path || 'the input'} holds ${String(value)}, not a number.`)
  const shapes = value.map((item) => shapeOf(item, path))
  if (shapes.some((shape) => String(shape) !== String(shapes[0]) || shape.length !== shapes[0]!.length))
    throw new GuerdonError('shape-mismatch', `the lists in ${path || 'the input'} differ in length.`)
  return [value.length, ...(shapes[0] ?? [])]
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('js' in value && typeof value.js === 'function') return value.js()
  return Array.isArray(value)
    ? value.map(plain)
    : Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]))
}
