import { failed, type Outcome } from './outcome.ts'
import type { Bound, ChoiceProbabilities } from './token-model.ts'

/** One of the likeliest tokens and its log-probability [nats]. */
export type TopToken = { readonly token: string; readonly logp: number }

interface TopOptions {
  /** The list is the whole vocabulary. @default false */
  readonly isWhole?: boolean
}

/**
 * Probabilities of choices from the likeliest first tokens of an answer. A token says a choice when it is one of its
 * variants, whatever white space stands before it and (unless choices differ by it alone) in whatever case, also with
 * punctuation behind it ("Yes,"). What the list leaves open is a bound, never a number: the mass of all tokens that are
 * not listed, and of listed ones that only begin a variant ("y") or are white space, may belong to any choice. Where no
 * choice is listed at all the outcome is a failure (`unparsable`).
 */
export function choicesFromTop<Choice extends string>(
  top: readonly TopToken[],
  variants: Readonly<Record<Choice, readonly string[]>>,
  { isWhole = false }: TopOptions = {},
): Outcome<ChoiceProbabilities<Choice>> {
  const choices = Object.keys(variants) as Choice[]
  if (choices.length === 0 || choices.some((choice) => variants[choice].length === 0))
    throw new RangeError('a choice needs at least one variant')
  const reading = readerOf(choices.map((choice) => variants[choice]))
  const seen = choices.map(() => 0)
  /** Mass that may turn out to belong to one of some choices. */
  const open: { readonly mass: number; readonly to: readonly number[] }[] = []
  let listed = 0
  for (const { token, logp } of top) {
    const mass = Math.exp(logp)
    listed += mass
    const said = reading.says(token)
    if (said.length === 1) seen[said[0]!]! += mass
    else {
      const to = said.length > 1 ? said : reading.begins(token)
      if (to.length > 0) open.push({ mass, to })
    }
  }
  if (!isWhole && listed < 1) open.push({ mass: 1 - listed, to: choices.map((_, index) => index) })
  const undecided = open.reduce((sum, { mass }) => sum + mass, 0)
  const together = seen.reduce((a, b) => a + b)
  if (!(together > 0))
    return failed(
      'unparsable',
      `no choice (${choices.join(', ')}) is among the ${top.length} likeliest tokens, which leave ${undecided.toPrecision(2)} of the probability open`,
    )
  const record = <Value>(ofChoice: (index: number) => Value) =>
    Object.fromEntries(choices.map((choice, index) => [choice, ofChoice(index)])) as Record<Choice, Value>
  const probabilities = {
    full: record((index) => Math.min(1, seen[index]!)),
    among: record((index) => seen[index]! / together),
  }
  if (undecided < 1e-6) return probabilities
  const openTo = (isTaker: (choice: number) => boolean) =>
    open.reduce((sum, { mass, to }) => sum + (to.some(isTaker) ? mass : 0), 0)
  return {
    ...probabilities,
    bounds: {
      full: record((index): Bound => {
        const least = Math.min(1, seen[index]!)
        return [least, Math.min(1, least + openTo((choice) => choice === index))]
      }),
      among: record((index): Bound => {
        const most = seen[index]! + openTo((choice) => choice === index)
        const others = together - seen[index]!
        const mostOthers = others + openTo((choice) => choice !== index)
        return [seen[index]! / (seen[index]! + mostOthers), most / (most + others)]
      }),
    },
  }
}

/** Which choices a token says, and which it begins. */
function readerOf(variants: readonly (readonly string[])[]) {
  const plain = variants.map((list) => list.map(plainText))
  const folded = plain.map((list) => list.map((text) => text.toLowerCase()))
  const differsByCase = folded.some((list, index) =>
    list.some((text) => folded.some((other, at) => at > index && other.includes(text))),
  )
  const known = differsByCase ? plain : folded
  const textOf = (token: string) => (differsByCase ? plainText(token) : plainText(token).toLowerCase())
  const where = (holds: (variant: string) => boolean) =>
    known.flatMap((list, index) => (list.some(holds) ? [index] : []))
  return {
    says: (token: string) => {
      const text = textOf(token)
      return where(
        (variant) =>
          text === variant ||
          (text.startsWith(variant) && variant !== '' && !/^[\p{L}\p{N}_]/u.test(text.slice(variant.length))),
      )
    },
    begins: (token: string) => {
      const text = textOf(token)
      return where((variant) => variant.startsWith(text))
    },
  }
}

/** A token as the text that it stands for, without white space before it; vocabularies mark spaces in several ways. */
function plainText(token: string): string {
  return token
    .replace(/[\u2581\u0120]/g, ' ')
    .replace(/\u010a/g, '\n')
    .trimStart()
}
