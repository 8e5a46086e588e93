import type { Jaxpr } from '@jax-js/jax'
import type { Equation } from './primitives/rule.ts'

/** A value of a traced program: a variable, or a number. */
export type Atom = Jaxpr['outs'][number]

/** A traced program without nested ones. */
export type Program = Pick<Jaxpr, 'inBinders' | 'eqns' | 'outs'>

/** Who makes and who takes each value. */
export class Uses {
  readonly #makers = new Map<unknown, Equation>()
  readonly #takers = new Map<unknown, number>()

  constructor({ eqns, outs }: Program) {
    for (const equation of eqns) {
      for (const binder of equation.outBinders) this.#makers.set(binder, equation)
      for (const input of equation.inputs) this.#count(input)
    }
    for (const out of outs) this.#count(out)
  }

  #count(atom: Atom): void {
    this.#takers.set(atom, (this.#takers.get(atom) ?? 0) + 1)
  }

  takers(atom: Atom): number {
    return this.#takers.get(atom) ?? 0
  }

  /** What the value is apart from a stop of its gradient. */
  source(atom: Atom): Atom {
    const maker = this.#makers.get(atom)
    return maker?.primitive === 'stop_gradient' ? this.source(maker.inputs[0]!) : atom
  }

  /** The equation behind a value, if it is of this primitive. */
  of(atom: Atom, primitive: string): Equation | undefined {
    const maker = this.#makers.get(this.source(atom))
    return maker?.primitive === primitive ? maker : undefined
  }

  same(a: Atom, b: Atom): boolean {
    return this.source(a) === this.source(b)
  }

  /** The operand of a one-operand primitive. */
  operand(atom: Atom, primitive: string): Atom | undefined {
    return this.of(atom, primitive)?.inputs[0]
  }

  /** For `x + c` or `x * c` with a number c: both. */
  withNumber(atom: Atom, primitive: 'add' | 'mul'): { value: Atom; number: number } | undefined {
    const [a, b] = this.of(atom, primitive)?.inputs ?? []
    if (a === undefined || b === undefined) return undefined
    if ('value' in b) return { value: a, number: Number(b.value) }
    return 'value' in a ? { value: b, number: Number(a.value) } : undefined
  }

  /** The other operand of a product or sum, given one. */
  other(atom: Atom | undefined, primitive: 'add' | 'mul', known: (part: Atom) => boolean): Atom | undefined {
    const [a, b] = (atom === undefined ? undefined : this.of(atom, primitive)?.inputs) ?? []
    if (a === undefined || b === undefined) return undefined
    return known(b) ? a : known(a) ? b : undefined
  }

  /** The operand of a reduction over the last dim that keeps it as 1. */
  overLast(atom: Atom, operation: 'Add' | 'Max'): Atom | undefined {
    const kept = this.of(atom, 'reshape')
    const reduction = kept === undefined ? undefined : this.of(kept.inputs[0]!, 'reduce')
    if (reduction === undefined || reduction.params.op !== operation) return undefined
    const [operand] = reduction.inputs
    const { shape } = operand!.aval
    const last = shape.length - 1
    const axes: number[] = reduction.params.axis
    const keeps = String(kept!.outBinders[0]!.aval.shape) === String(shape.with(last, 1))
    return axes.length === 1 && axes[0] === last && shape[last]! > 1 && keeps ? operand : undefined
  }

  /** The operand of a mean over the last dim that keeps it as 1. */
  mean(atom: Atom): Atom | undefined {
    const parts = this.withNumber(atom, 'mul')
    const operand = parts === undefined ? undefined : this.overLast(parts.value, 'Add')
    if (operand === undefined) return undefined
    const size = operand.aval.shape.at(-1)!
    return Math.abs(parts!.number * size - 1) < 1e-6 ? operand : undefined
  }
}

/** The equations that an output needs. */
export function withoutUnused(equations: readonly Equation[], outs: readonly Atom[]): Equation[] {
  const needed = new Set<unknown>(outs)
  const kept: Equation[] = []
  for (const equation of equations.toReversed()) {
    if (!equation.outBinders.some((binder) => needed.has(binder))) continue
    kept.push(equation)
    for (const input of equation.inputs) needed.add(input)
  }
  return kept.reverse()
}
