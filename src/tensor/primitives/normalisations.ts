import type { OnnxGraph } from '../onnx.ts'
import { inLogicalOrder, type View, withOneDim } from '../view.ts'
import type { Rule } from './rule.ts'

/** Functions over the last dim that ONNX Runtime computes in one sweep; `recognised` finds them. */
export const normalisations: Readonly<Record<string, Rule>> = {
  softmax(graph, [view]) {
    const rows = rowsLast(graph, view!)
    return [{ ...rows, name: graph.emit('Softmax', [rows.name], { axis: rows.physical.length - 1 }) }]
  },
  /** The standardised value and the reciprocal of the deviation. */
  layer_norm(graph, [view], equation) {
    const rows = rowsLast(graph, view!)
    const last = rows.physical.length - 1
    const size = rows.physical[last]!
    const ones = new Float32Array(size).fill(1)
    const scale = graph.constant('float32', [size], ones)
    const [value, , inverse] = graph.emitAll('LayerNormalization', [rows.name, scale], 3, {
      axis: last,
      epsilon: { float: equation.params.epsilon },
    })
    const outer: View = {
      ...rows,
      name: graph.reshape(inverse!, rows.physical.slice(0, last)),
      physical: rows.physical.slice(0, last),
      shape: rows.shape.with(-1, 1),
      map: rows.map.with(-1, []),
    }
    return [{ ...rows, name: value! }, outer]
  },
}

/** A view whose last dim is the tensor's last dim. */
function rowsLast(graph: OnnxGraph, given: View): View {
  const { constant: _, ...view } = given
  const dim = view.shape.length - 1
  const whole = withOneDim(graph, view, dim, { expand: true })
  return whole.map[dim]![0] === whole.physical.length - 1 ? whole : inLogicalOrder(graph, whole)
}
