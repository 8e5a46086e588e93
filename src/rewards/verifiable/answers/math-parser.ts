import { type Expression, type FunctionName, functionNames, TooLarge, Unreadable } from './math-expression.ts'
import { mathTokens, type Token, type TokenOptions } from './math-tokens.ts'
import { addRational, type Rational, rational, rationalFromDecimal } from './rational.ts'

const written: Readonly<Record<string, FunctionName>> = {
  ...Object.fromEntries(
    functionNames.filter((name) => !['root', 'degrees', 'mod'].includes(name)).map((name) => [name, name]),
  ),
  arcsin: 'asin',
  arccos: 'acos',
  arctan: 'atan',
  tg: 'tan',
  ctg: 'cot',
  lg: 'log',
}
const greek = new Set([
  'alpha',
  'beta',
  'gamma',
  'delta',
  'epsilon',
  'zeta',
  'eta',
  'theta',
  'kappa',
  'lambda',
  'mu',
  'nu',
  'xi',
  'rho',
  'sigma',
  'tau',
  'phi',
  'chi',
  'psi',
  'omega',
  'Gamma',
  'Delta',
  'Theta',
  'Lambda',
  'Xi',
  'Sigma',
  'Phi',
  'Psi',
  'Omega',
  'ell',
])

/** Deepest nesting and most nodes that are read; beyond them parsing throws a `TooLarge`. */
const maxDepth = 60
const maxNodes = 1500

/** A text that is one expression and nothing else; undefined for any other. Throws `TooLarge`. */
export function parseExpression(text: string, options: TokenOptions = {}): Expression | undefined {
  const tokens = mathTokens(text, options)
  try {
    return tokens && onlyExpression(tokens)
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

/** Tokens that are one expression and nothing else. Throws `Unreadable` or `TooLarge`. */
export function onlyExpression(tokens: readonly Token[]): Expression {
  const parser = new ExpressionParser(tokens)
  const expression = parser.expression()
  if (parser.position < parser.tokens.length || parser.sawPlusMinus)
    throw new Unreadable('more than an expression')
  return expression
}

/**
 * Recursive descent over tokens. Reads one expression from `position`; what may follow it (commas, relations,
 * closing brackets, text) is left to the caller.
 */
export class ExpressionParser {
  readonly tokens: Token[]
  position: number
  /** What a plus-or-minus sign stands for. */
  readonly plusMinus: 1 | -1
  sawPlusMinus = false
  #depth = 0
  #nodes = 0
  /** Open `|` bars: inside one, the next bar closes. */
  #bars = 0

  constructor(tokens: readonly Token[], position = 0, plusMinus: 1 | -1 = 1) {
    this.tokens = [...tokens] // \frac12 splits a token
    this.position = position
    this.plusMinus = plusMinus
  }

  /** sum of products */
  expression(): Expression {
    if (++this.#depth > maxDepth) throw new TooLarge('nested too deep')
    let sum = this.#signed()
    for (;;) {
      const sign = this.#sign()
      if (sign === undefined) break
      const term = this.#product()
      sum = this.#node({ kind: 'add', left: sum, right: sign < 0 ? { kind: 'negate', of: term } : term })
    }
    this.#depth--
    return sum
  }

  is(kind: Token['kind'], text?: string): boolean {
    const token = this.tokens[this.position]
    return token !== undefined && token.kind === kind && (text === undefined || token.text === text)
  }

  take(kind: Token['kind'], text?: string): boolean {
    if (!this.is(kind, text)) return false
    this.position++
    return true
  }

  expect(kind: Token['kind'], text: string): void {
    if (!this.take(kind, text)) throw new Unreadable(`${text} is missing`)
  }

  #node<T extends Expression>(node: T): T {
    if (++this.#nodes > maxNodes) throw new TooLarge('too many terms')
    return node
  }

  #sign(): 1 | -1 | undefined {
    if (this.take('mark', '+')) return 1
    if (this.take('mark', '-')) return -1
    if (this.is('command', 'pm') || this.is('command', 'mp')) {
      const flipped = this.tokens[this.position++]!.text === 'mp'
      this.sawPlusMinus = true
      return (flipped ? -this.plusMinus : this.plusMinus) as 1 | -1
    }
    return undefined
  }

  #signed(): Expression {
    const sign = this.#sign()
    if (sign === undefined) return this.#product()
    if (++this.#depth > maxDepth) throw new TooLarge('nested too deep')
    const of = this.#signed()
    this.#depth--
    return sign < 0 ? this.#node({ kind: 'negate', of }) : of
  }

  #product(): Expression {
    let product = this.#factor()
    for (;;) {
      const isTimes = this.take('mark', '*') || this.take('command', 'times')
      if (isTimes) {
        const right = this.is('mark', '-') || this.is('mark', '+') ? this.#signedFactor() : this.#factor()
        product = this.#node({ kind: 'multiply', left: product, right })
      } else if (this.take('mark', '/') || this.take('command', 'div') || this.#takeColon()) {
        const right = this.is('mark', '-') ? this.#signedFactor() : this.#factor()
        product = this.#node({ kind: 'divide', left: product, right })
      } else if (this.take('command', 'bmod') || this.take('command', 'pmod')) {
        product = this.#node({ kind: 'call', name: 'mod', arguments: [product, this.#factor()] })
      } else if (this.#startsFactor())
        product = this.#node({ kind: 'multiply', left: product, right: this.#factor() })
      else return product
    }
  }

  /** A ratio such as `3:4`. */
  #takeColon(): boolean {
    const next = this.tokens[this.position + 1]
    return next !== undefined && next.kind === 'number' && this.take('mark', ':')
  }

  #signedFactor(): Expression {
    const sign = this.#sign()
    const of = this.#factor()
    return sign === -1 ? this.#node({ kind: 'negate', of }) : of
  }

  /** Whether a factor may begin here without a sign between: implicit multiplication. */
  #startsFactor(): boolean {
    const token = this.tokens[this.position]
    if (!token) return false
    switch (token.kind) {
      case 'letter':
      case 'word':
        return token.kind === 'letter' || isProduct(token.text)
      case 'number': {
        // "2 3" and "x 2" are not products; "\sqrt{2} 3" hardly is
        const before = this.tokens[this.position - 1]
        return before !== undefined && before.kind === 'mark' && (before.text === ')' || before.text === '}')
      }
      case 'mark':
        return token.text === '(' || token.text === '{' || (token.text === '|' && this.#bars === 0)
      case 'command':
        return (
          token.text === 'frac' ||
          token.text === 'sqrt' ||
          token.text === 'pi' ||
          token.text === 'binom' ||
          token.text === 'lfloor' ||
          token.text === 'lceil' ||
          token.text === 'infty' ||
          greek.has(token.text) ||
          Object.hasOwn(written, token.text)
        )
      default:
        return false
    }
  }

  #factor(): Expression {
    if (++this.#depth > maxDepth) throw new TooLarge('nested too deep')
    let factor = this.#atom()
    for (;;) {
      if (this.take('mark', '!'))
        factor = this.#node({ kind: 'call', name: 'factorial', arguments: [factor] })
      else if (this.take('mark', '^')) {
        if (this.#takeDegreeSign())
          factor = this.#node({ kind: 'call', name: 'degrees', arguments: [factor] })
        else if (!this.#takePrime())
          factor = this.#node({ kind: 'power', left: factor, right: this.#exponent() })
      } else if (this.take('command', 'circ'))
        factor = this.#node({ kind: 'call', name: 'degrees', arguments: [factor] })
      else break
    }
    this.#depth--
    return factor
  }

  #takeDegreeSign(): boolean {
    if (this.take('command', 'circ')) return true
    const [brace, circ, end] = this.tokens.slice(this.position, this.position + 3)
    if (brace?.text !== '{' || circ?.text !== 'circ' || end?.text !== '}') return false
    this.position += 3
    return true
  }

  #takePrime(): boolean {
    return this.take('command', 'prime')
  }

  #exponent(): Expression {
    if (this.take('mark', '{')) return this.#until('}')
    const sign = this.#sign()
    // right-associative: 2^3^2 is 2^(3^2)
    const of = this.#factor()
    return sign === -1 ? this.#node({ kind: 'negate', of }) : of
  }

  #until(close: string): Expression {
    const inside = this.expression()
    this.expect('mark', close)
    return inside
  }

  /** The argument of a command: a group, or one token. */
  #argument(): Expression {
    if (this.take('mark', '{')) return this.#until('}')
    const token = this.tokens[this.position]
    if (token?.kind === 'number' && /^\d{2,}$/.test(token.text)) {
      // \frac12: one digit is the argument and the rest stays
      this.tokens[this.position] = { ...token, text: token.text.slice(1) }
      return this.#node(number(token.text[0]!))
    }
    return this.#atom()
  }

  #atom(): Expression {
    const token = this.tokens[this.position]
    if (!token) throw new Unreadable('the expression ends too early')
    this.position++
    switch (token.kind) {
      case 'number':
        return this.#number(token.text)
      case 'letter':
        return this.#letter(token.text)
      case 'word':
        return this.#word(token.text)
      case 'mark':
        return this.#bracketed(token.text)
      case 'command':
        return this.#command(token.text)
      default:
        throw new Unreadable(`${token.text} is not part of an expression`)
    }
  }

  #number(text: string): Expression {
    const whole = this.#node(number(text.replace(/\.$/, '')))
    if (this.is('command', 'overline') && text.includes('.')) return this.#repeating(text)
    return this.#mixed(whole)
  }

  /** `3\frac{1}{2}` and `3 1/2`: an integer and a proper fraction are added. */
  #mixed(whole: Expression & { kind: 'number' }): Expression {
    if (whole.value.denominator !== 1n) return whole
    const start = this.position
    if (this.take('command', 'frac')) {
      const [top, bottom] = [this.#argument(), this.#argument()]
      if (isNatural(top) && isNatural(bottom) && bottom.value.numerator !== 0n)
        return this.#sumOf(whole.value, rational(top.value.numerator, bottom.value.numerator))
    } else if (this.is('number')) {
      const [top, slash, bottom] = this.tokens.slice(this.position, this.position + 3)
      if (
        top?.kind === 'number' &&
        top.spaced &&
        slash?.text === '/' &&
        bottom?.kind === 'number' &&
        /^\d+$/.test(top.text) &&
        /^[1-9]\d*$/.test(bottom.text)
      ) {
        this.position += 3
        return this.#sumOf(whole.value, rational(BigInt(top.text), BigInt(bottom.text)))
      }
    }
    this.position = start
    return whole
  }

  #sumOf(a: Rational, b: Rational): Expression {
    const value = addRational(a, b)
    if (!value) throw new TooLarge('a number with too many digits')
    return { kind: 'number', value }
  }

  /** `0.1\overline{6}`: the digits under the bar go on for ever. */
  #repeating(text: string): Expression {
    this.position++
    this.expect('mark', '{')
    const digits = this.tokens[this.position++]?.text ?? ''
    this.expect('mark', '}')
    if (!/^\d{1,300}$/.test(digits)) throw new Unreadable('a bar over something that is not digits')
    const [whole, fraction = ''] = text.split('.')
    const shown = BigInt(`${whole}${fraction}`)
    const all = BigInt(`${whole}${fraction}${digits}`)
    const denominator = (10n ** BigInt(digits.length) - 1n) * 10n ** BigInt(fraction.length)
    return this.#node({ kind: 'number', value: rational(all - shown, denominator) })
  }

  #letter(letter: string): Expression {
    if (this.is('mark', '_')) return this.#subscripted(letter)
    while (this.is('mark', "'")) this.position++
    if (letter === 'e') return { kind: 'constant', name: 'e' }
    if (letter === 'i') return { kind: 'constant', name: 'i' }
    return this.#node({ kind: 'symbol', name: letter })
  }

  #subscripted(letter: string): Expression {
    this.position++
    let name = `${letter}_`
    if (this.take('mark', '{')) {
      for (let length = 0; !this.take('mark', '}'); length++) {
        const token = this.tokens[this.position++]
        if (!token || length > 10) throw new Unreadable('a subscript that does not end')
        name += token.text
      }
    } else name += this.tokens[this.position++]?.text ?? ''
    return this.#node({ kind: 'symbol', name })
  }

  #word(word: string): Expression {
    if (Object.hasOwn(written, word)) return this.#function(written[word]!)
    if (word === 'pi') return { kind: 'constant', name: 'pi' }
    if (word === 'inf' || word === 'infinity') return { kind: 'constant', name: 'infinity' }
    if (word === 'frac') return this.#fraction()
    if (greek.has(word)) return this.#node({ kind: 'symbol', name: word })
    if (!isProduct(word)) throw new Unreadable(`${word} is a word`)
    // letters side by side, of which only the last takes an exponent: xy^2
    this.position--
    const [{ spaced }] = this.tokens.slice(this.position) as [Token]
    const letters = [...word].map((text, index) => ({
      kind: 'letter' as const,
      text,
      spaced: spaced && index === 0,
    }))
    this.tokens.splice(this.position, 1, ...letters)
    return this.#atom()
  }

  #bracketed(mark: string): Expression {
    if (mark === '(') return this.#until(')')
    if (mark === '[') return this.#until(']')
    if (mark === '{') return this.#until('}')
    if (mark !== '|') throw new Unreadable(`${mark} is not part of an expression`)
    this.#bars++
    const of = this.expression()
    this.expect('mark', '|')
    this.#bars--
    return this.#node({ kind: 'call', name: 'abs', arguments: [of] })
  }

  #command(name: string): Expression {
    switch (name) {
      case 'frac':
        return this.#fraction()
      case 'sqrt':
        return this.#root()
      case 'pi':
        return { kind: 'constant', name: 'pi' }
      case 'infty':
        return { kind: 'constant', name: 'infinity' }
      case 'vert':
        return this.#enclosed('vert', 'abs')
      case 'lfloor':
        return this.#enclosed('rfloor', 'floor')
      case 'lceil':
        return this.#enclosed('rceil', 'ceil')
      case 'binom':
        return this.#node({ kind: 'call', name: 'binom', arguments: [this.#argument(), this.#argument()] })
      case 'overline':
        return this.#named('overline')
    }
    if (greek.has(name))
      return this.is('mark', '_') ? this.#subscripted(name) : this.#node({ kind: 'symbol', name })
    if (Object.hasOwn(written, name)) return this.#function(written[name]!)
    throw new Unreadable(`\\${name} is not part of an expression`)
  }

  #fraction(): Expression {
    const left = this.#argument()
    return this.#node({ kind: 'divide', left, right: this.#argument() })
  }

  #root(): Expression {
    if (!this.take('mark', '['))
      return this.#node({ kind: 'call', name: 'sqrt', arguments: [this.#argument()] })
    const degree = this.#until(']')
    return this.#node({ kind: 'call', name: 'root', arguments: [this.#argument(), degree] })
  }

  #enclosed(close: string, name: FunctionName): Expression {
    const of = this.expression()
    this.expect('command', close)
    return this.#node({ kind: 'call', name, arguments: [of] })
  }

  /** `\overline{AB}`: a name. */
  #named(prefix: string): Expression {
    this.expect('mark', '{')
    let name = `${prefix} `
    while (!this.take('mark', '}')) {
      const token = this.tokens[this.position++]
      if (!token || (token.kind !== 'letter' && token.kind !== 'word') || name.length > 40)
        throw new Unreadable('not a name')
      name += token.text
    }
    return this.#node({ kind: 'symbol', name })
  }

  /** `\sin^2 x`, `\log_2 8`, `sqrt(2)`, `max(a, b)` */
  #function(name: FunctionName): Expression {
    let base: Expression | undefined
    let power: Expression | undefined
    for (;;) {
      if (this.take('mark', '_')) base = this.#argument()
      else if (this.take('mark', '^')) power = this.#exponent()
      else break
    }
    const operands: Expression[] = []
    if (this.take('mark', '(')) {
      do operands.push(this.expression())
      while (this.take('mark', ','))
      this.expect('mark', ')')
    } else operands.push(this.is('mark', '{') ? this.#argument() : this.#operand())
    let call: Expression
    if (name === 'log' && base)
      call = this.#node({
        kind: 'divide',
        left: { kind: 'call', name: 'ln', arguments: operands },
        right: { kind: 'call', name: 'ln', arguments: [base] },
      })
    else call = this.#node({ kind: 'call', name, arguments: operands })
    return power ? this.#node({ kind: 'power', left: call, right: power }) : call
  }

  /** What a function without brackets is applied to: `2x` in `\sin 2x`, up to the next function or sign. */
  #operand(): Expression {
    let operand = this.#signedFactor()
    for (;;) {
      const token = this.tokens[this.position]
      const goesOn =
        token !== undefined &&
        (token.kind === 'letter' ||
          (token.kind === 'command' && (token.text === 'pi' || greek.has(token.text))))
      if (!goesOn) return operand
      operand = this.#node({ kind: 'multiply', left: operand, right: this.#factor() })
    }
  }
}

function number(text: string): Expression & { kind: 'number' } {
  const value = rationalFromDecimal(text)
  if (!value) throw new TooLarge('a number with too many digits')
  return { kind: 'number', value }
}

function isNatural(expression: Expression): expression is Expression & { kind: 'number' } {
  return (
    expression.kind === 'number' && expression.value.denominator === 1n && expression.value.numerator >= 0n
  )
}

/** Whether letters side by side may be a product of one-letter names, or name a function or constant. */
function isProduct(word: string): boolean {
  return (
    word.length <= 3 ||
    Object.hasOwn(written, word) ||
    word === 'infinity' ||
    word === 'frac' ||
    greek.has(word)
  )
}
