import type { DType, OnnxGraph } from './onnx.ts'
import { arithmetic } from './primitives/arithmetic.ts'
import { bitcastKnown, bits } from './primitives/bits.ts'
import { convolutions } from './primitives/convolution.ts'
import { indexing } from './primitives/indexing.ts'
import { movement } from './primitives/movement.ts'
import { normalisations } from './primitives/normalisations.ts'
import { reductions } from './primitives/reductions.ts'
import { cast, type Equation, type Rule } from './primitives/rule.ts'
import type { Atom, Program } from './program.ts'
import { constantView, settled, type View } from './view.ts'

/** Every primitive that has a lowering, by jax-js's name; `normalisations` and `div` are names that `recognised` brings in. */
const rules: Readonly<Record<string, Rule>> = {
  ...arithmetic,
  ...movement,
  ...reductions,
  ...convolutions,
  ...indexing,
  ...bits,
  ...normalisations,
}

/** Rules that know what to do with scales; all others get their operands multiplied out. */
const scaleAware = new Set(['add', 'mul', 'neg', 'div', 'dot', 'reduce', 'reciprocal', 'cast'])

/** Primitives of a flattened program that cannot be lowered, each once. Empty: the program can be compiled. */
export function unsupportedPrimitives(equations: readonly Equation[]): string[] {
  const missing = new Set<string>()
  for (const { primitive, inputs, params } of equations) {
    if (!(primitive in rules)) missing.add(primitive)
    else if (primitive === 'bitcast' && !bitcastKnown(inputs[0]!.aval.dtype, params.dtype))
      missing.add(`bitcast (${inputs[0]!.aval.dtype} to ${params.dtype})`)
  }
  return [...missing].sort()
}

/** Emits a flattened program into `graph`; `inputs` are the views of its arguments, the result those of its outputs. */
export function lower(graph: OnnxGraph, { inBinders, eqns, outs }: Program, inputs: readonly View[]): View[] {
  const views = new Map<unknown, View>()
  inBinders.forEach((binder, index) => {
    views.set(binder, inputs[index]!)
  })
  const viewOf = (atom: Atom): View =>
    'value' in atom ? constantView(graph, atom.aval.dtype as DType, Number(atom.value)) : views.get(atom)!
  for (const equation of eqns) {
    const results = lowered(graph, equation.inputs.map(viewOf), equation)
    equation.outBinders.forEach((binder, index) => {
      // jax-js promotes numbers late: a primitive may say float64 of what it was given as float32.
      views.set(binder, cast(graph, results[index]!, binder.aval.dtype as DType))
    })
  }
  return outs.map(viewOf)
}

function lowered(graph: OnnxGraph, operands: readonly View[], equation: Equation): View[] {
  const { primitive, outBinders } = equation
  const rule = rules[primitive]!
  if (scaleAware.has(primitive)) return rule(graph, operands, equation)
  // Moving elements is linear in its one operand: the scale passes through, and a number stays a number.
  if ((primitive in movement && primitive !== 'concatenate') || primitive === 'stop_gradient') {
    const { scale, ...view } = operands[0]!
    if (view.constant !== undefined && primitive !== 'pad')
      return outBinders.map(({ aval }) => constantView(graph, view.dtype, view.constant!, aval.shape))
    const { constant: _, ...moved } = view
    return rule(graph, [moved], equation).map((result) =>
      scale === undefined ? result : { ...result, scale },
    )
  }
  const plain = operands.map((view) => settled(graph, view))
  return rule(graph, plain, equation)
}
