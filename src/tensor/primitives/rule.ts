import type { Jaxpr } from '@jax-js/jax'
import type { DType, OnnxGraph } from '../onnx.ts'
import { constantView, materialised, settled, type View, viewOfTensor } from '../view.ts'

export type Equation = Jaxpr['eqns'][number]

/** Emits one equation of a traced program; gives a view for each of its outputs. */
export type Rule = (graph: OnnxGraph, operands: readonly View[], equation: Equation) => View[]

export const isFloat = (dtype: DType) => dtype.startsWith('float')

/** Shape and type of an equation's (first) output. */
export function outputOf(equation: Equation): { shape: readonly number[]; dtype: DType } {
  const { shape, dtype } = equation.outBinders[0]!.aval
  return { shape, dtype: dtype as DType }
}

const onnxType = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, uint32: 12 }

export function cast(graph: OnnxGraph, given: View, dtype: DType): View {
  if (given.dtype === dtype) return given
  if (given.constant !== undefined && isFloat(dtype))
    return constantView(graph, dtype, given.constant, given.shape)
  const { constant: _, ...view } = settled(graph, given)
  return { ...view, dtype, name: graph.emit('Cast', [view.name], { to: onnxType[dtype] }) }
}

/** An operator on tensors of the full logical shape, for what has no form on views. */
export function fullShape(
  emit: (graph: OnnxGraph, names: readonly string[], equation: Equation) => string,
): Rule {
  return (graph, operands, equation) => {
    const { shape, dtype } = outputOf(equation)
    const name = emit(
      graph,
      operands.map((view) => materialised(graph, cast(graph, view, dtype))),
      equation,
    )
    return [viewOfTensor(graph, name, dtype, shape)]
  }
}

export function unscaled({ scale: _, ...view }: View): View {
  return view
}
