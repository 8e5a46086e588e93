import type { Equation } from './primitives/rule.ts'
import { type Atom, type Program, Uses } from './program.ts'

/**
 * The program with what follows a product of matrices folded into it: a factor becomes the product's `alpha`, and
 * where the result is only ever read transposed, its operands change sides (`swapped`).
 */
export function productsFolded(program: Program): Program {
  const uses = new Uses(program)
  const takers = new Map<Atom, Equation[]>()
  for (const equation of program.eqns)
    for (const input of equation.inputs) takers.set(input, [...(takers.get(input) ?? []), equation])
  const onlyTaker = (value: Atom) => (uses.takers(value) === 1 ? takers.get(value)?.[0] : undefined)
  const changed = new Map<Equation, Equation>()
  for (const equation of program.eqns) {
    if (equation.primitive !== 'dot' || equation.outBinders[0]!.aval.dtype !== 'float32') continue
    let alpha = 1
    let order = equation.outBinders[0]!.aval.shape.map((_, dim) => dim)
    let ordered = true
    let taker = onlyTaker(equation.outBinders[0]!)
    while (taker !== undefined) {
      const { primitive, inputs, params } = taker
      if (primitive === 'transpose' && ordered) order = params.perm.map((dim: number) => order[dim]!)
      else if (primitive === 'reshape') ordered = false
      else if (primitive === 'mul' && inputs.some((input) => 'value' in input)) {
        const number = inputs.find((input) => 'value' in input) as { readonly value: number } & Atom
        alpha *= Number(number.value)
        changed.set(taker, {
          ...taker,
          inputs: inputs.map((input) => (input === number ? { ...number, value: 1 } : input)),
        } as never as Equation)
      } else if (primitive !== 'transpose') break
      taker = onlyTaker(taker.outBinders[0]!)
    }
    const swapped = readsColumnsFirst(equation, order)
    if (alpha !== 1 || swapped)
      changed.set(equation, {
        ...equation,
        params: { ...equation.params, alpha, swapped },
      } as never as Equation)
  }
  return { ...program, eqns: program.eqns.map((equation) => changed.get(equation) ?? equation) }
}

/** Whether, in this order of the product's dims, those of the right operand alone precede those of the left alone. */
function readsColumnsFirst({ inputs, outBinders }: Equation, order: readonly number[]): boolean {
  const [left, right] = inputs.map(({ aval }) => aval.shape)
  const rank = outBinders[0]!.aval.shape.length
  const sizeIn = (shape: readonly number[], dim: number) => shape[shape.length - 1 - rank + dim] ?? 1
  const rows = order.filter((dim) => sizeIn(left!, dim) > 1 && sizeIn(right!, dim) === 1)
  const columns = order.filter((dim) => sizeIn(right!, dim) > 1 && sizeIn(left!, dim) === 1)
  return rows.length > 0 && columns.length > 0 && order.indexOf(columns.at(-1)!) < order.indexOf(rows[0]!)
}
