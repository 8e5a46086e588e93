import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineReward, GuerdonError, type Json, nearest, type Reward, unscored } from '../core/index.ts'
import { parseRewardExpression } from './expression.ts'

const values: Record<string, number | null> = {
  math: 0.5,
  format: 1,
  'tool-calls': 0.25,
  zero: 0,
  silent: null,
}

function find(name: string, options: Readonly<Record<string, Json>>): Reward {
  if (!Object.hasOwn(values, name)) {
    const guess = nearest(name, Object.keys(values))
    throw new GuerdonError('unknown-reward', `there is no reward "${name}".`, {
      ...(guess ? { fix: `Did you mean "${guess}"?` } : {}),
    })
  }
  return defineReward({
    name,
    params: options,
    judge: () => values[name] ?? unscored('outage', 'silent'),
  })
}

const parse = (text: string) => parseRewardExpression(text, find)
const scoreOf = async (text: string) =>
  (await parse(text).score([{ id: 's', prompt: '', output: '', meta: {} }]))[0]!

test.each<[string, number]>([
  ['math', 0.5],
  ['0.7*math + 0.3*format', 0.65],
  ['math - 0.1 * tool-calls', 0.475],
  ['1 - math', 0.5],
  ['-math', -0.5],
  ['2 * -math', -1],
  ['(math + format) / 2', 0.75],
  ['math * format * tool-calls', 0.125],
  ['2*math*(format + tool-calls)', 1.25],
  ['math*3*format*2', 3],
  ['min(math, format, 0.1*format)', 0.1],
  ['harmonic(math, format)', 2 / 3],
  ['harmonic(math, format, weights=[0.3, 0.7])', 1 / (0.3 / 0.5 + 0.7)],
  ['gate(format, math + 1)', 1.5],
  ['gate(zero, silent, closed=-1)', -1],
  ['gate(math, format, opensAbove=0.4)', 1],
  ['product(math, zero, floor=0.1)', 0.05],
  ['mean(math, silent, format, onUnscored=skip)', 0.75],
  ['logSigmoidSum(math, format, references=[0.5, 1])', 2 * Math.log(0.5)],
  ['min(math, math)', 0.5],
  ['math + math', 1],
  ['.5e0 * math', 0.25],
])('%s', async (text, expected) => {
  expect((await scoreOf(text)).value).toBeCloseTo(expected, 6)
})

test('a bare name is the reward itself; terms are named as written', async () => {
  expect(parse('math').name).toBe('math')
  expect(parse(' ( math ) ').name).toBe('math')
  const score = await scoreOf('0.7*math(variant=released) +  min(format, tool-calls)')
  expect(score.parts).toEqual({
    'math(variant=released)': 0.5,
    'min(format, tool-calls)': 0.25,
    'min(format, tool-calls).format': 1,
    'min(format, tool-calls).tool-calls': 0.25,
  })
  expect(parse('0.7*math + 0.3*format').name).toBe('0.7*math + 0.3*format')
})

test('options: JSON, bare words, quotes', () => {
  expect(
    parse(
      `math(variant=released, scale="equal x", at=0.5, n=-1e3, on=true, none=null, list=[1, a, "b,c"], map={low: 0, "high": [1]}, single='q')`,
    ).params,
  ).toEqual({
    variant: 'released',
    scale: 'equal x',
    at: 0.5,
    n: -1000,
    on: true,
    none: null,
    list: [1, 'a', 'b,c'],
    map: { low: 0, high: [1] },
    single: 'q',
  })
  expect(parse('math()').name).toBe('math')
})

describe('refusals say where and how', () => {
  test.each<[string, RegExp]>([
    ['', /empty/],
    ['  ', /empty/],
    ['0.7*mth + format', /character 5: there is no reward "mth"\. Did you mean "math"\?/],
    ['math-format', /character 1: there is no reward "math-format".*with spaces/],
    ['math +', /character 7: a reward or a number is missing/],
    ['math format', /character 6: "f" is not expected/],
    ['(math', /character 6: a "\)" is missing/],
    ['min(math; format)', /character 9: a "," or "\)" is missing/],
    ['0.5', /0.5 is a constant, not a reward/],
    ['math - math', /0 is a constant, not a reward: all weights come to 0/],
    ['0*math + 2', /2 is a constant, not a reward/],
    ['math + min(format, 2)', /character 20: 2 is a constant/],
    ['math / format', /character 8: a reward can only be divided by a number/],
    ['math / 0', /divided by a number other than 0/],
    ['mni(math, format)', /"mni" combines no rewards\. Did you mean "min"/],
    ['min(math, format, weights=[1])', /weights is \[1\], for 2 rewards/],
    ['min(math, format, weights=[1, 2])', /which min has no use for/],
    ['gate(math, format, closed=low)', /closed is "low"/],
    ['harmonic(math, format, weights=[1, a])', /weight of "format" is a/],
    ['harmonic(math, epsilom=1)', /no option "epsilom"\. Did you mean "epsilon"/],
    ['harmonic(math - format, math)', /character 1: .*negative values have no harmonic mean/],
    ['min()', /no rewards to combine/],
    ['math(a=1, a=2)', /given twice/],
    ['math(a=)', /a value is missing/],
    ['math $', /"\$" is not expected/],
    [`${'('.repeat(5000)}math`, /nested too deeply/],
    [`math(a=${'['.repeat(5000)}`, /nested too deeply/],
  ])('%s', (text, message) => {
    expect(() => parse(text)).toThrow(GuerdonError)
    expect(() => parse(text)).toThrow(message)
  })
  test('the code of the cause stays, and only the innermost position is told', () => {
    expect(() => parse('math + min(format, mth)')).toThrow(
      expect.objectContaining({
        code: 'unknown-reward',
        message: expect.stringMatching(
          /^"math \+ min\(format, mth\)", character 20: there is no reward "mth"/,
        ),
      }),
    )
  })
  test('options that a schema refuses are named', () => {
    const refuse = () => {
      throw Object.assign(new Error('[]'), { issues: [{ path: ['scale'], message: 'too big' }] })
    }
    expect(() => parseRewardExpression('math(scale=9)', refuse)).toThrow(
      /character 1: option "scale": too big/,
    )
  })
})

test('any text gives a reward or a GuerdonError', () => {
  const piece = fc.constantFrom(
    'math',
    'format',
    '0.5',
    '+',
    '-',
    '*',
    '/',
    '(',
    ')',
    'min(',
    ',',
    '=',
    ' ',
    '[',
    '"',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        expect(parse(pieces.join('')).name).toBeTruthy()
      } catch (error) {
        expect(error).toBeInstanceOf(GuerdonError)
      }
    }),
  )
})

test('sums and products of numbers obey arithmetic', async () => {
  const leaf = fc.constantFrom('math', 'format', 'zero', '2', '0.5')
  const tree = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc
        .tuple(tie('node'), fc.constantFrom('+', '-', '*'), tie('node'))
        .map(([a, sign, b]) => `(${a} ${sign} ${b})`),
    ),
  })).node
  await fc.assert(
    fc.asyncProperty(tree, async (text) => {
      const expected = Number(new Function('math', 'format', 'zero', `return ${text}`)(0.5, 1, 0))
      let score: Awaited<ReturnType<typeof scoreOf>>
      try {
        score = await scoreOf(text)
      } catch (error) {
        expect(String(error)).toMatch(/is a constant/)
        return
      }
      expect(score.value).toBeCloseTo(expected, 9)
    }),
  )
})
