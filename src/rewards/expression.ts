import { GuerdonError, isObject, type Json, messageOf, nearest, type Reward } from '../core/index.ts'
import { type CombineOptions, combine, type Term } from './combine/combine.ts'
import { type Mode, type ModeName, modes } from './combine/modes.ts'
import { constantReference, quantileReference, type ReferenceProvider } from './combine/reference.ts'
import { type Expression, parseExpression } from './expression-syntax.ts'

/** Gives the reward of a name; throws for one that it does not know. */
export type FindReward = (name: string, options: Readonly<Record<string, Json>>) => Reward

/**
 * A reward from text such as `0.7*math + 0.3*format`. Names may have options, `toolrl(variant=released)`; values are
 * JSON or a bare word. Besides `+`, `-`, `*`, division by a number and parentheses there are the modes of `combine`
 * as functions: `sum`, `mean`, `product`, `min`, `harmonic`, `gate(format, math)`, `logSigmoidSum`,
 * `uncertaintyWeighted`, `lagrangian`. They take `weights=[0.3, 0.7]`, `onUnscored=skip`, `references=[0, "field"]`
 * (a number, or the meta field that holds the base policy's rewards) and their mode's own options. A number in front
 * of a reward always multiplies its value. A bare name gives that reward itself; anything else is a combination
 * whose terms are named as written.
 *
 * Throws a `GuerdonError` that says at which character: for an empty or malformed expression, a constant, an unknown
 * name (with the nearest known one) or option, and terms that the mode makes no sense of.
 */
export function parseRewardExpression(text: string, find: FindReward): Reward {
  const expression = parseExpression(text)
  return rewardOf(linearOf(expression, { text, find }), expression, { text, find })
}

interface Source {
  readonly text: string
  readonly find: FindReward
}

/** A weighted sum of rewards plus a constant: what every expression comes down to. */
interface Linear {
  readonly constant: number
  readonly terms: readonly { readonly weight: number; readonly name: string; readonly reward: Reward }[]
}

function linearOf(expression: Expression, source: Source): Linear {
  switch (expression.kind) {
    case 'number':
      return { constant: expression.value, terms: [] }
    case 'sum':
      return expression.parts
        .map(({ sign, expression }) => scaled(linearOf(expression, source), sign))
        .reduce(added, { constant: 0, terms: [] })
    case 'product':
      return productOf(expression, source)
    case 'quotient': {
      const divisor = linearOf(expression.divisor, source)
      if (divisor.terms.length > 0 || divisor.constant === 0)
        throw wrong(
          source.text,
          expression.divisor.start,
          'a reward can only be divided by a number other than 0.',
        )
      return scaled(linearOf(expression.dividend, source), 1 / divisor.constant)
    }
    case 'call':
      return single(
        written(expression, source),
        at(source, expression, () => called(expression, source)),
      )
  }
}

function called(call: Extract<Expression, { kind: 'call' }>, source: Source): Reward {
  const { name, options, operands } = call
  if (operands.length > 0 || (Object.hasOwn(modes, name) && call.bracketed)) return combined(call, source)
  try {
    return source.find(name, options)
  } catch (error) {
    const spaces = name.includes('-') ? ' (A difference is written with spaces: a - b.)' : ''
    const known = error instanceof GuerdonError
    throw new GuerdonError(known ? error.code : 'bad-options', `${readable(error)}${known ? spaces : ''}`, {
      cause: error,
    })
  }
}

/** The message of a reward's refusal; of a schema's, one line that names each option. */
function readable(error: unknown): string {
  const issues = isObject(error) && Array.isArray(error.issues) ? error.issues : undefined
  if (issues === undefined) return messageOf(error)
  return issues
    .map(({ path, message }: { path: unknown[]; message: string }) =>
      path.length > 0 ? `option "${path.join('.')}": ${message}` : message,
    )
    .join('; ')
}

/** Numbers multiply the weight; two rewards or more become a product with that many factors. */
function productOf(expression: Extract<Expression, { kind: 'product' }>, source: Source): Linear {
  let weight = 1
  const factors: { linear: Linear; expression: Expression }[] = []
  for (const factor of expression.factors) {
    const linear = linearOf(factor, source)
    if (linear.terms.length === 0) weight *= linear.constant
    else if (linear.terms.length === 1 && linear.constant === 0) {
      weight *= linear.terms[0]!.weight
      factors.push({
        linear: { constant: 0, terms: [{ ...linear.terms[0]!, weight: 1 }] },
        expression: factor,
      })
    } else factors.push({ linear, expression: factor })
  }
  if (factors.length === 0) return { constant: weight, terms: [] }
  if (factors.length === 1) return scaled(factors[0]!.linear, weight)
  const name = written(expression, source)
  const terms = uniquelyNamed(
    factors.map(({ linear, expression }) => ({
      name:
        linear.terms.length === 1 && linear.constant === 0
          ? linear.terms[0]!.name
          : written(expression, source),
      reward: rewardOf(linear, expression, source),
    })),
  )
  return scaled(
    single(
      name,
      at(source, expression, () => combine(terms, { mode: 'product', name })),
    ),
    weight,
  )
}

const shared = ['weights', 'onUnscored', 'references', 'quantile'] as const
const ofMode: Readonly<Record<ModeName, readonly string[]>> = {
  sum: ['offset'],
  mean: [],
  product: ['floor'],
  gate: ['gates', 'opensAbove', 'closed', 'lazy'],
  min: [],
  harmonic: ['epsilon'],
  logSigmoidSum: [],
  uncertaintyWeighted: ['regulariser'],
  lagrangian: ['form'],
}

function combined(call: Extract<Expression, { kind: 'call' }>, source: Source): Reward {
  const { name, options, operands } = call
  if (!Object.hasOwn(modes, name)) {
    const guess = nearest(name, Object.keys(modes))
    throw new GuerdonError('unknown-function', `"${name}" combines no rewards.`, {
      fix: guess ? `Did you mean "${guess}"?` : `Functions are ${Object.keys(modes).join(', ')}.`,
    })
  }
  const known = [...shared, ...ofMode[name as ModeName]]
  for (const option of Object.keys(options))
    if (!known.includes(option)) {
      const guess = nearest(option, known)
      throw new GuerdonError('bad-options', `"${name}" has no option "${option}".`, {
        fix: guess ? `Did you mean "${guess}"?` : `It has ${known.join(', ')}.`,
      })
    }
  const { weights, onUnscored, references, quantile, lazy, ...own } = options
  for (const [option, value] of Object.entries(own)) {
    const sound = option === 'form' ? value === 'bounded' || value === 'textbook' : Number.isFinite(value)
    if (!sound)
      throw new GuerdonError('bad-options', `${option} is ${JSON.stringify(value)}.`, {
        fix: option === 'form' ? 'Write bounded or textbook.' : 'Give a number.',
      })
  }
  const weightOf = listOption('weights', weights, operands.length)
  const referenceOf = listOption('references', references, operands.length)
  if (onUnscored !== undefined && onUnscored !== 'skip' && onUnscored !== 'unscored')
    throw new GuerdonError('bad-options', `onUnscored is ${JSON.stringify(onUnscored)}.`, {
      fix: 'Write skip or unscored.',
    })
  const terms = uniquelyNamed(
    operands.map((operand, index): Term & { name: string } => {
      const linear = linearOf(operand, source)
      const reference = referenceOf?.[index]
      return {
        name: written(operand, source),
        reward: rewardOf(linear, operand, source),
        ...(weightOf ? { weight: weightOf[index] as number } : {}),
        ...(reference == null ? {} : { reference: referenceFrom(reference, quantile) }),
      }
    }),
  )
  const make = modes[name as ModeName] as (options?: object) => Mode
  const combining: CombineOptions = {
    name: written(call, source),
    mode: make(own),
    ...(onUnscored ? { onUnscored } : {}),
    ...(lazy === undefined ? {} : { lazy: lazy === true }),
  }
  return combine(terms, combining)
}

function listOption(name: string, value: Json | undefined, length: number): readonly Json[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.length === length) return value
  throw new GuerdonError('bad-options', `${name} is ${JSON.stringify(value)}, for ${length} rewards.`, {
    fix: `Give a list of ${length}.`,
  })
}

function referenceFrom(reference: Json, quantile: Json | undefined): ReferenceProvider {
  if (typeof reference === 'number') return constantReference(reference)
  if (typeof reference === 'string')
    return quantileReference({ meta: reference }, typeof quantile === 'number' ? quantile : undefined)
  throw new GuerdonError('bad-options', `the reference ${JSON.stringify(reference)} cannot be read.`, {
    fix: 'Give a number, or the name of the meta field with the base policy’s rewards.',
  })
}

function rewardOf({ constant, terms }: Linear, expression: Expression, source: Source): Reward {
  if (terms.length === 0)
    throw wrong(source.text, expression.start, `${constant} is a constant, not a reward.`)
  if (terms.every(({ weight }) => weight === 0))
    throw wrong(
      source.text,
      expression.start,
      `${constant} is a constant, not a reward: all weights come to 0.`,
    )
  const [first] = terms
  if (terms.length === 1 && first!.weight === 1 && constant === 0) return first!.reward
  const name = written(expression, source)
  return at(source, expression, () => combine(terms, { name, mode: modes.sum({ offset: constant }) }))
}

function single(name: string, reward: Reward): Linear {
  return { constant: 0, terms: [{ weight: 1, name, reward }] }
}

function scaled({ constant, terms }: Linear, by: number): Linear {
  return {
    constant: constant * by,
    terms: terms.map((term) => ({ ...term, weight: term.weight * by })),
  }
}

/** Terms written alike are one term with the sum of the weights. */
function added(a: Linear, b: Linear): Linear {
  const terms = [...a.terms]
  for (const term of b.terms) {
    const index = terms.findIndex(({ name }) => name === term.name)
    if (index < 0) terms.push(term)
    else terms[index] = { ...term, weight: terms[index]!.weight + term.weight }
  }
  return { constant: a.constant + b.constant, terms }
}

function uniquelyNamed<T extends { readonly name: string }>(terms: readonly T[]): T[] {
  const seen = new Map<string, number>()
  return terms.map((term) => {
    const count = (seen.get(term.name) ?? 0) + 1
    seen.set(term.name, count)
    return count === 1 ? term : { ...term, name: `${term.name} #${count}` }
  })
}

/** The expression as the user wrote it, on one line. */
function written({ start, end }: Expression, { text }: Source): string {
  return text.slice(start, end).replace(/\s+/g, ' ')
}

/** Adds the position to what is thrown, unless a part of the expression has done so; the code stays. */
function at<T>({ text }: Source, { start }: Expression, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof GuerdonError && error.message.startsWith(place(text))) throw error
    throw wrong(text, start, messageOf(error), error)
  }
}

function wrong(text: string, position: number, what: string, cause?: unknown): GuerdonError {
  const code = cause instanceof GuerdonError ? cause.code : 'bad-expression'
  return new GuerdonError(code, `${place(text)}${position + 1}: ${what}`, { cause })
}

function place(text: string): string {
  return `"${text}", character `
}
