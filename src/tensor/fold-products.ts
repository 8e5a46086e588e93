import type { Equation } from './primitives/rule.ts'
import { type Atom, type Program, Uses } from './program.ts'

/**
 * The program with what follows a product of matrices folded into it: a factor becomes the product's `alpha`, and
 * `order` are its dims in the order in which the result is read, so that its operands may change sides.
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
    let order: readonly number[] | undefined = equation.outBinders[0]!.aval.shape.map((_, dim) => dim)
    let taker = onlyTaker(equation.outBinders[0]!)
    while (taker !== undefined) {
      const { primitive, inputs, params } = taker
      if (primitive === 'transpose') order = order && params.perm.map((dim: number) => order![dim]!)
      else if (primitive === 'reshape') order = order && withOtherOnes(taker, order)
      else if (primitive === 'mul' && inputs.some((input) => 'value' in input)) {
        const number = inputs.find((input) => 'value' in input) as { readonly value: number } & Atom
        alpha *= Number(number.value)
        changed.set(taker, {
          ...taker,
          inputs: inputs.map((input) => (input === number ? { ...number, value: 1 } : input)),
        } as never as Equation)
      } else break
      taker = onlyTaker(taker.outBinders[0]!)
    }
    changed.set(equation, { ...equation, params: { ...equation.params, alpha, order } } as never as Equation)
  }
  return { ...program, eqns: program.eqns.map((equation) => changed.get(equation) ?? equation) }
}

/** The order of dims behind a reshape that only adds or drops dims of size 1 (these count as none, -1). */
function withOtherOnes({ inputs, outBinders }: Equation, order: readonly number[]): number[] | undefined {
  const [before, after] = [inputs[0]!.aval.shape, outBinders[0]!.aval.shape]
  const kept = order.filter((_, dim) => before[dim]! > 1)
  const sizes = (shape: readonly number[]) => String(shape.filter((size) => size > 1))
  return sizes(before) === sizes(after) ? after.map((size) => (size > 1 ? kept.shift()! : -1)) : undefined
}
