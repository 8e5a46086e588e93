import { apply, type Fraction, type Operator, whole } from './fraction.ts'

const precedence: Readonly<Record<Operator, number>> = { '+': 1, '-': 1, '*': 2, '/': 2 }

/**
 * The exact value of a formula, given as numbers, operators and parentheses; null for a division by zero. The formula is
 * complete and well formed.
 */
export function formulaValue(tokens: readonly string[]): Fraction | null {
  let at = 0
  const operand = (): Fraction | null => {
    const token = tokens[at++]!
    if (token !== '(') return whole(Number(token))
    const inside = sum(0)
    at++ // the closing parenthesis
    return inside
  }
  const sum = (least: number): Fraction | null => {
    let left = operand()
    for (;;) {
      const operator = tokens[at] as Operator | undefined
      if (operator === undefined || !(precedence[operator] > least)) return left
      at++
      const right = sum(precedence[operator])
      left = left && right && apply(operator, left, right)
    }
  }
  return sum(0)
}

/**
 * A formula (numbers in any order, each used once) that gives `target`, with as few parentheses as it needs, or
 * undefined where there is none.
 */
export function formulaFor(
  numbers: readonly number[],
  target: number,
  operators: readonly Operator[],
): string[] | undefined {
  const search = (terms: readonly Term[]): Term | undefined => {
    if (terms.length === 1)
      return terms[0]!.value.over === target * terms[0]!.value.under ? terms[0] : undefined
    for (let i = 0; i < terms.length; i++)
      for (let j = 0; j < terms.length; j++) {
        if (i === j) continue
        for (const operator of operators) {
          // Sums and products are tried in one order only.
          if ((operator === '+' || operator === '*') && i > j) continue
          const value = apply(operator, terms[i]!.value, terms[j]!.value)
          if (value === null) continue
          const rest = terms.filter((_, index) => index !== i && index !== j)
          const found = search([...rest, { value, left: terms[i]!, right: terms[j]!, operator }])
          if (found !== undefined) return found
        }
      }
    return undefined
  }
  const found = search(numbers.map((number) => ({ value: whole(number) })))
  return found && written(found, 0)
}

interface Term {
  readonly value: Fraction
  readonly left?: Term
  readonly right?: Term
  readonly operator?: Operator
}

function written({ value, left, right, operator }: Term, least: number): string[] {
  if (operator === undefined) return [String(value.over)]
  const own = precedence[operator]
  // a - (b + c) and a / (b * c): the right side needs parentheses at the same level too.
  const inside = [...written(left!, own), operator, ...written(right!, own + 0.5)]
  return own < least ? ['(', ...inside, ')'] : inside
}
