/** Exact fraction in lowest terms, denominator positive. */
export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** Numbers of more bits than this are not computed exactly: operations return undefined. */
const maxBits = 4096

/** Throws a `RangeError` when the denominator is 0. */
export function rational(numerator: bigint, denominator = 1n): Rational {
  if (denominator === 0n) throw new RangeError('a fraction over 0')
  if (denominator === 1n) return { numerator, denominator }
  const divisor = greatestCommonDivisor(
    numerator < 0n ? -numerator : numerator,
    denominator < 0n ? -denominator : denominator,
  )
  const sign = denominator < 0n ? -1n : 1n
  return { numerator: (sign * numerator) / divisor, denominator: (sign * denominator) / divisor }
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}

/** The exact value of decimal digits such as `12`, `0.50`, `.5`, `-3.`, `1.5e-3`; undefined for anything else. */
export function rationalFromDecimal(text: string): Rational | undefined {
  if (text.length <= 15 && /^\d+$/.test(text)) return { numerator: BigInt(text), denominator: 1n }
  const match = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d{1,4}))?$/.exec(text)
  if (!match || text.length > 1500) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const power = Number(exponent) - fraction.length
  if (Math.abs(power) > 1200) return undefined
  const digits = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n)
  return power >= 0 ? rational(digits * 10n ** BigInt(power)) : rational(digits, 10n ** BigInt(-power))
}

export function addRational(a: Rational, b: Rational): Rational | undefined {
  return bounded(
    a.denominator === b.denominator
      ? rational(a.numerator + b.numerator, a.denominator)
      : rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator),
  )
}

export function negateRational({ numerator, denominator }: Rational): Rational {
  return { numerator: -numerator, denominator }
}

export function multiplyRational(a: Rational, b: Rational): Rational | undefined {
  return bounded(rational(a.numerator * b.numerator, a.denominator * b.denominator))
}

/** Undefined when `b` is 0. */
export function divideRational(a: Rational, b: Rational): Rational | undefined {
  if (b.numerator === 0n) return undefined
  return bounded(rational(a.numerator * b.denominator, a.denominator * b.numerator))
}

/** `base` to an exact power: integers, and fractions whose root is exact; undefined otherwise or beyond the limit. */
export function powerRational(base: Rational, exponent: Rational): Rational | undefined {
  const root = exponent.denominator === 1n ? base : rootRational(base, exponent.denominator)
  if (!root) return undefined
  const power = exponent.numerator < 0n ? -exponent.numerator : exponent.numerator
  if (root.numerator === 0n)
    return exponent.numerator > 0n ? root : exponent.numerator === 0n ? rational(1n) : undefined
  const width = BigInt(Math.max(bits(root.numerator), bits(root.denominator)) - 1)
  if (width * power > BigInt(maxBits) || power > 1_000_000n) {
    const isUnit = root.denominator === 1n && (root.numerator === 1n || root.numerator === -1n)
    if (!isUnit) return undefined
    return root.numerator === 1n || power % 2n === 0n ? rational(1n) : root
  }
  const numerator = root.numerator ** power
  const denominator = root.denominator ** power
  return exponent.numerator < 0n ? rational(denominator, numerator) : rational(numerator, denominator)
}

/** The real root of a number that has an exact one; negative numbers only for odd degrees. */
export function rootRational({ numerator, denominator }: Rational, degree: bigint): Rational | undefined {
  if (degree < 1n || degree > 64n) return undefined
  if (numerator < 0n && degree % 2n === 0n) return undefined
  const top = integerRoot(numerator < 0n ? -numerator : numerator, degree)
  const bottom = integerRoot(denominator, degree)
  if (top === undefined || bottom === undefined) return undefined
  return { numerator: numerator < 0n ? -top : top, denominator: bottom }
}

function integerRoot(value: bigint, degree: bigint): bigint | undefined {
  if (value < 2n || degree === 1n) return value
  // Newton from above: descends to the floor of the root.
  let root = 1n << (BigInt(bits(value)) / degree + 1n)
  for (;;) {
    const next = ((degree - 1n) * root + value / root ** (degree - 1n)) / degree
    if (next >= root) return root ** degree === value ? root : undefined
    root = next
  }
}

export function sameRational(a: Rational, b: Rational): boolean {
  return a.numerator === b.numerator && a.denominator === b.denominator
}

export function floorRational({ numerator, denominator }: Rational): bigint {
  const quotient = numerator / denominator
  return numerator < 0n && quotient * denominator !== numerator ? quotient - 1n : quotient
}

/** The nearest double, also where numerator and denominator alone overflow. */
export function numberFromRational({ numerator, denominator }: Rational): number {
  const direct = Number(numerator) / Number(denominator)
  if (Number.isFinite(direct) && direct !== 0) return direct
  if (numerator === 0n) return 0
  const shift = BigInt(bits(denominator) - bits(numerator) + 64)
  const scaled = shift >= 0n ? (numerator << shift) / denominator : numerator / (denominator << -shift)
  return Number(scaled) * 2 ** Number(-shift)
}

/** How many bits a whole number has, to the next four. */
export function bits(value: bigint): number {
  return (value < 0n ? -value : value).toString(16).length * 4
}

function bounded(value: Rational): Rational | undefined {
  return bits(value.numerator) > maxBits || bits(value.denominator) > maxBits ? undefined : value
}
