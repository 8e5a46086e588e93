/** An exact number of the card games: numerators and denominators stay far below 2^53 there. */
export interface Fraction {
  readonly over: number
  readonly under: number
}

export type Operator = '+' | '-' | '*' | '/'

export function whole(value: number): Fraction {
  return { over: value, under: 1 }
}

/** null for a division by zero. */
export function apply(operator: Operator, a: Fraction, b: Fraction): Fraction | null {
  switch (operator) {
    case '+':
      return reduced(a.over * b.under + b.over * a.under, a.under * b.under)
    case '-':
      return reduced(a.over * b.under - b.over * a.under, a.under * b.under)
    case '*':
      return reduced(a.over * b.over, a.under * b.under)
    case '/':
      return b.over === 0 ? null : reduced(a.over * b.under, a.under * b.over)
  }
}

function reduced(over: number, under: number): Fraction {
  const sign = under < 0 ? -1 : 1
  const common = divisor(Math.abs(over), Math.abs(under))
  return { over: (sign * over) / common, under: (sign * under) / common }
}

function divisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a || 1
}
