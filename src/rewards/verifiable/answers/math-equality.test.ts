import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mathEqual } from './math-equality.ts'

const same: [string, string][] = [
  ['\\frac{1}{2}', '0.5'],
  ['\\dfrac12', '1/2'],
  ['2/4', '\\frac{1}{2}'],
  ['1,000', '1000'],
  ['1{,}000', '1000'],
  ['10\\,000', '10000'],
  ['x=3', '3'],
  ['50\\%', '50'],
  ['50%', '0.5'],
  ['3 cm', '3'],
  ['3\\text{ cm}', '3'],
  ['3 and 4', '3,4'],
  ['4, 3', '3,4'],
  ['\\sqrt{8}', '2\\sqrt{2}'],
  ['\\frac{1}{\\sqrt2}', '\\frac{\\sqrt{2}}{2}'],
  ['(1,2)', '( 1, 2 )'],
  ['[1,2)', '[1, 2)'],
  ['x^2-1', '(x-1)(x+1)'],
  ['\\text{Monday}', 'monday'],
  ['3\\frac{1}{2}', '\\frac{7}{2}'],
  ['3 1/2', '3.5'],
  ['1.5e3', '1500'],
  ['1.5\\times 10^{3}', '1500'],
  ['\\{1,2,3\\}', '\\{3, 2, 1\\}'],
  ['\\{1,1,2\\}', '\\{1,2\\}'],
  ['(-\\infty, 3)', 'x<3'],
  ['2<x\\le5', '(2,5]'],
  ['x \\in [-2,7]', '[-2,7]'],
  ['(-\\infty,1)\\cup(2,\\infty)', '(2,\\infty) \\cup (-\\infty, 1)'],
  ['\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '\\begin{bmatrix} 1 & 2 \\\\ 3 & \\frac{8}{2}\\end{bmatrix}'],
  ['90^\\circ', '90'],
  ['\\pi/2', '\\frac{\\pi}{2}'],
  ['0.\\overline{3}', '1/3'],
  ['0.1\\overline{6}', '\\frac16'],
  ['1 \\pm \\sqrt{2}', '1+\\sqrt2, 1-\\sqrt2'],
  ['y=2x+1', '2x-y+1=0'],
  ['1011_2', '1011_{2}'],
  ['2516_8', '2516'],
  ['\\sin 30^\\circ', '1/2'],
  ['\\log_2 8', '3'],
  ['6!', '720'],
  ['\\binom{5}{2}', '10'],
  ['100 cm', '1 m'],
  ['60\\text{ minutes}', '1 hour'],
  ['12 \\text{ square inches}', '12\\text{ in}^2'],
  ['\\$5', '5'],
  ['5 dollars', '\\$5'],
  ['5 apples', '5'],
  ['-\\frac{1}{2}', '\\frac{-1}{2}'],
  ['-(x-1)', '1-x'],
  ['2^{10}', '1024'],
  ['i^2', '-1'],
  ['3+4i', '4i+3'],
  ['\\text{(B)}', 'B'],
  ['b', 'B'],
  ['\\boxed{5}', '5'],
  ['x=1 \\text{ or } x=2', '1,2'],
  ['f(x)=x^2', 'x^2'],
  ['|x-1|', '|1-x|'],
  ['x^2y', 'yx^2'],
  ['2\\cdot 3^{4}', '162'],
  ['\\left(\\frac{3}{5},\\frac{8}{3}\\right]', '(0.6, 8/3]'],
  ['\\lfloor 2.5 \\rfloor', '2'],
  ['10^{400}', '10^{400}'],
  ['\\sqrt[3]{27}', '3'],
  ['6x^2 + 5x', '5x+6x^2'],
  ['a_1 + b', 'b+a_1'],
  ['\\overrightarrow{AB}', '\\overrightarrow{AB}'],
  ['5.0', '5'],
  ['05', '5'],
  ['+3', '3'],
  ['−3', '-3'],
  ['½', '1/2'],
  ['2x', 'x*2'],
  ['x²', 'x^2'],
  ['√2', '\\sqrt{2}'],
  ['\\frac{x+1}{2}', '(x+1)/2'],
  ['e^{i\\pi}', '-1'],
  ['n!/(n-1)!', 'n'],
  ['3:4', '3/4'],
  ['\\cos^2 x + \\sin^2 x', '1'],
  ['\\tan 45°', '1'],
  ['\\text{6 cm}', '6'],
  ['(x,y)=(1,2)', '(1,2)'],
  ['\\varnothing', '\\{\\}'],
  ['\\infty', '\\infty'],
  ['4\\text{ and }5', '4, 5'],
  ['p^2-1', 'p^2 - 1'],
  ['x \\ge 3', '[3, \\infty)'],
  ['\\frac{9\\pi}{4}\\text{ square units}', '\\frac{9\\pi}{4}'],
  ['11\\sqrt2', '11\\sqrt{2}'],
  ['\\left\\{ 1, 2\\right\\}', '{1,2}'],
  ['2 \\text{ feet}', '2'],
  ['$18', '18'],
  ['18.00', '18'],
  ['0.5\\%', '0.005'],
  ['.5', '1/2'],
  ['3,-1', '-1,3'],
  ['(C)', '\\text{C}'],
]

const different: [string, string][] = [
  ['', ''],
  ['', '5'],
  ['5', ''],
  ['0.33', '1/3'],
  ['1/3', '0.333'],
  ['2', '3'],
  ['1,2', '1,3'],
  ['(1,2)', '(2,1)'],
  ['(1,2)', '[1,2]'],
  ['1,2,3', '1,2'],
  ['x', '5'],
  ['x+1', 'x'],
  ['5 or 6', '5'],
  ['\\sqrt{x^2}', 'x'],
  ['\\frac{1}{0}', '\\frac{2}{0}'],
  ['\\infty', '-\\infty'],
  ['5 cm', '5 kg'],
  ['3m', '5 cm'],
  ['1 m', '1 cm'],
  ['x<3', 'x>3'],
  ['x<3', 'x\\le3'],
  ['yes', 'no'],
  ['B', 'C'],
  ['Monday', 'Tuesday'],
  ['15', '5'],
  ['5', '55'],
  ['1011_2', '1011_3'],
  ['9^{9^9}+1', 'x'],
  ['x=3', 'y=3'],
  ['10^{400}', '10^{401}'],
  ['\\{1,2\\}', '\\{1,2,3\\}'],
  ['5 not 6', '5'],
  ['3 million', '3'],
  ['5 plus 3', '5'],
  ['3\\text{ thousand}', '3'],
  ['5 apples', '5 oranges'],
  ['0', '\\sin x'],
  ['x=3', 'x=4'],
  ['1.0000000001', '1'],
  ['3.14159', '\\pi'],
  ['12', '1,2'],
  ['1,234', '1,235'],
  ['50%', '5'],
  ['(1,000)', '(1,0)'],
  ['0', '0,0'],
  ['i', '1'],
  ['nan', 'nan?'],
  ['NaN', '0'],
  ['\\pi\\times 10^{-20}', '2\\pi\\times10^{-20}'],
]

test.each(same)('%j equals %j', (a, b) => {
  expect(mathEqual(a, b)).toEqual({ equal: true })
  expect(mathEqual(b, a)).toEqual({ equal: true })
})

test.each(different)('%j does not equal %j', (a, b) => {
  expect(mathEqual(a, b).equal).not.toBe(true)
  expect(mathEqual(b, a).equal).not.toBe(true)
})

describe('bounds', () => {
  const towers = [
    '9^{9^{9^{9}}}',
    '9^9^9^9',
    '2^{5000}',
    '2^{-9^9}',
    '1'.repeat(3000),
    `${'\\sqrt{'.repeat(300)}2${'}'.repeat(300)}`,
    '1000!',
    '1000000!!!',
    '\\binom{10^9}{5*10^8}',
    `${'x+'.repeat(1900)}x`,
    `${'1,'.repeat(1900)}1`,
    `${'-'.repeat(3000)}1`,
    '|'.repeat(3000),
    '\\sin('.repeat(300),
  ]
  test.each(towers.map((answer) => [answer.slice(0, 20), answer]))('%s cannot be told', (_, answer) => {
    expect(mathEqual(answer, '5').equal).toBe(null)
  })

  test('a tower of powers is given up within 50 ms', () => {
    mathEqual('9^{9}+x', 'x') // not counting the compiler
    const started = performance.now()
    expect(mathEqual('9^{9^{9^{9}}}', '5')).toEqual({ equal: null, reason: 'a number too large to compute' })
    expect(performance.now() - started).toBeLessThan(50)
  })

  test('nonsense of the allowed length is told apart in time', () => {
    const started = performance.now()
    for (const piece of [
      '\\frac',
      '{',
      '1 ',
      '^',
      '1^',
      'a_{',
      '\\begin{pmatrix}',
      '\\text{',
      ')',
      '\\left',
      '1,',
      ',',
      '=',
      '<',
      'or ',
      '%',
      '\\cup',
      '.',
    ])
      mathEqual(piece.repeat(4000 / piece.length), '5')
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

test('a page is not an answer, and a gold page cannot be told', () => {
  expect(mathEqual('5 '.repeat(2001), '5')).toEqual({ equal: false })
  expect(mathEqual('5', '5 '.repeat(2001)).equal).toBe(null)
})

describe('options', () => {
  test.each([
    ['3.14', '\\pi', { relativeTolerance: 0.01 }, true],
    ['3.2', '\\pi', { relativeTolerance: 0.01 }, false],
    ['0.333', '1/3', { absoluteTolerance: 0.001 }, true],
    ['101', '100', { relativeTolerance: 0.01 }, true],
    ['5', '5 cm', { unit: 'required' }, false],
    ['5 kg', '5 cm', { unit: 'ignored' }, true],
    ['2/4', '1/2', { fraction: 'written' }, false],
    ['1/2', '\\frac12', { fraction: 'written' }, true],
    ['2, 1', '1, 2', { anyOrder: false }, false],
  ] as const)('%j against %j with %j', (given, gold, options, equal) => {
    expect(mathEqual(given, gold, options)).toEqual({ equal })
  })
})

describe('laws', () => {
  const integer = fc.integer({ min: -999_999, max: 999_999 })
  const positive = fc.integer({ min: 1, max: 9999 })
  test('fractions are equal exactly when they cross-multiply', () => {
    fc.assert(
      fc.property(integer, positive, integer, positive, (a, b, c, d) => {
        const equal = BigInt(a) * BigInt(d) === BigInt(c) * BigInt(b)
        expect(mathEqual(`\\frac{${a}}{${b}}`, `${c}/${d}`)).toEqual({ equal })
        expect(mathEqual(`\\frac{${a * 7}}{${b * 7}}`, `${a}/${b}`)).toEqual({ equal: true })
      }),
    )
  })

  const expression = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('x', 'y', '2', '3', '\\pi', '0.5', '\\frac{1}{3}'),
      fc
        .tuple(tie('node'), fc.constantFrom('+', '-', '\\cdot '), tie('node'))
        .map(([a, sign, b]) => `(${a}${sign}${b})`),
      tie('node').map((a) => `\\sqrt{${a}}`),
      tie('node').map((a) => `(${a})^{2}`),
    ),
  })).node as fc.Arbitrary<string>
  test('equality is reflexive, symmetric, and blind to dress', () => {
    fc.assert(
      fc.property(expression, expression, (a, b) => {
        expect(mathEqual(`$${a}$`, ` \\left(${a}\\right) `)).toEqual({ equal: true })
        expect(mathEqual(a, b)).toEqual(mathEqual(b, a))
        expect(mathEqual(`${a}+1`, a).equal).not.toBe(true)
      }),
    )
  })

  test('any text is judged without a throw, and an empty one equals nothing', () => {
    const piece = fc.constantFrom(
      '\\frac',
      '{',
      '}',
      '1',
      'x',
      ',',
      '(',
      ']',
      '=',
      '<',
      '\\text',
      '^',
      '_',
      '\\pm',
      '%',
      ' cm',
      '.',
      '\\cup',
      '|',
      '\\sqrt',
      '-',
      '!',
      '\\begin{pmatrix}',
      '&',
      'or',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.string(), (pieces, text) => {
        for (const answer of [pieces.join(''), text]) {
          expect([true, false, null]).toContain(mathEqual(answer, '5').equal)
          expect([true, false, null]).toContain(mathEqual('5', answer).equal)
        }
        expect(mathEqual(' ', text)).toEqual({ equal: false })
      }),
      { numRuns: 500 },
    )
  })
})
