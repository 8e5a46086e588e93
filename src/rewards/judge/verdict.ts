import { isObject, type Json } from '../../core/index.ts'
import {
  extractFence,
  extractTag,
  extractTags,
  extractYesNo,
  isBlank,
  withoutThoughts,
} from '../verifiable/extract/extract.ts'

// How the replies of judges are read. The default of each reader is strict: one verdict at the place that the prompt
// asks for, outside of thoughts, or none. The other policies read as the code that was published with a judge or a
// benchmark does, faults included. No reader ever evaluates what it reads.

export interface ChoiceOptions {
  /** What the choices are called, such as `['A', 'B']` or `['Image 1 is better', 'Image 2 is better']`. */
  readonly labels: readonly string[]
  /** What a tie is called. @default no tie can be said */
  readonly ties?: readonly string[]
  /**
   * - `tag`: what all `<tag>` blocks outside of thoughts say; nothing where there are none, or they differ. Case,
   *   brackets, quotes, emphasis and a full stop at the end do not matter.
   * - `first-tag`: the content of the first block, thoughts included, or the entire reply where there is none, to the
   *   letter (UnifiedReward-Think).
   * - `end-window`: exactly `<tag>[[A]]</tag>` within the last 80 characters, and of no other label (RM-R1).
   * - `double-brackets`: `[[A]]` anywhere; of several the first in the order of the labels (RewardBench).
   * - `overall-judgment`: the last "Answer d is better" behind "Overall Judgment" or "Therefore" (VL-RewardBench); the
   *   labels are then "1", "2"; another digit is no label and gives undefined (see `overallJudgment` for the digit).
   * - `sentence`: the label anywhere in the reply; of several the first in the order of the labels (UnifiedReward).
   * @default 'tag'
   */
  readonly policy?: 'tag' | 'first-tag' | 'end-window' | 'double-brackets' | 'overall-judgment' | 'sentence'
  /** @default 'answer' */
  readonly tag?: string
}

/** Index of the choice that a reply names, `tie`, or undefined where it names none. */
export function parseChoice(reply: string, options: ChoiceOptions): number | 'tie' | undefined {
  const { labels, ties = [], policy = 'tag', tag = 'answer' } = options
  const found = (index: number) => (index < 0 ? undefined : index < labels.length ? index : ('tie' as const))
  const all = [...labels, ...ties]
  switch (policy) {
    case 'tag': {
      const said = extractTags(withoutThoughts(reply), tag, { allowEmpty: true }).map(({ value }) =>
        bare(value),
      )
      const [first] = said
      if (first === undefined || said.some((other) => other !== first)) return undefined
      return found(all.findIndex((label) => bare(label) === first))
    }
    case 'first-tag': {
      const { value = reply.trim() } = extractTag(reply, tag, { allowEmpty: true })
      return found(all.indexOf(value))
    }
    case 'end-window': {
      const end = [...reply].slice(-80).join('')
      const named = all.map((label) => end.includes(`<${tag}>[[${label}]]</${tag}>`))
      return named.filter(Boolean).length === 1 ? found(named.indexOf(true)) : undefined
    }
    case 'double-brackets':
      return found(all.findIndex((label) => reply.includes(`[[${label}]]`)))
    case 'overall-judgment': {
      const digits = overallJudgment(reply)
      return found(digits === undefined ? -1 : all.indexOf(digits))
    }
    case 'sentence':
      return found(all.findIndex((label) => reply.includes(label)))
  }
}

/** A short text without dress: emphasis, quotes, brackets and the last full stop; in lower case, single spaces. */
function bare(text: string): string {
  return text
    .replace(/[*_`"'“”‘’[\](){}]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[.!]$/, '')
    .toLowerCase()
}

/**
 * The digits of the last "Answer d is (the) (slightly) better" behind "Overall Judgment" or "Therefore", line breaks
 * and asterisks removed; undefined where there is none.
 *
 * @source VL-RewardBench, arXiv 2411.17451
 */
export function overallJudgment(reply: string): string | undefined {
  const line = reply.replace(/[\n*]/g, '')
  const start = /Overall Judgment|Therefore/i.exec(line)
  if (start === null) return undefined
  let last: string | undefined
  for (const [, digits] of line
    .slice(start.index)
    .matchAll(/Answer\s*(\d+)\s*is\s*(?:the\s*)?(?:slightly\s*)?better/gi))
    last = digits
  return last
}

export interface VerdictWordOptions {
  /**
   * - `leading`: the first word outside of thoughts; a yes and a no side by side are no verdict.
   * - `tag`: the same inside the last `<tag>` block.
   * - `substring`: "yes" anywhere, else "no" anywhere (loose readers of published judges).
   * @default 'leading'
   */
  readonly policy?: 'leading' | 'tag' | 'substring'
  /** @default 'answer' */
  readonly tag?: string
}

/** Whether a verifier's reply says yes; undefined where it says neither. */
export function parseYesNo(
  reply: string,
  { policy = 'leading', tag = 'answer' }: VerdictWordOptions = {},
): boolean | undefined {
  if (policy === 'substring') {
    const lower = reply.toLowerCase()
    return lower.includes('yes') ? true : lower.includes('no') ? false : undefined
  }
  const shown = withoutThoughts(reply)
  const { value } = extractYesNo(
    policy === 'leading' ? shown : (extractTag(shown, tag, { which: 'last' }).value ?? ''),
  )
  return value === undefined ? undefined : value === 'yes'
}

export interface ScoreReadingOptions {
  /**
   * - `marker`: the signed decimal right behind the last marker outside of thoughts; "8/10" and "8 out of 10" are 8.
   * - `tag`: the only thing inside the last `<tag>` block outside of thoughts.
   * - `unified-reward`: the first integer behind the last marker, or anywhere without one; 0 where there is none: 7.5 is
   *   read as 7, -3 as 3.
   * - `rewardbench-2`: an integer from 1 to 10 as the last thing of the reply ("7/10" is 10, "8." is none).
   * @default 'marker'
   */
  readonly policy?: 'marker' | 'tag' | 'unified-reward' | 'rewardbench-2'
  /** @default 'Final Score:' */
  readonly marker?: string
  /** @default 'score' */
  readonly tag?: string
}

/** The score that a reply gives, in the units of the prompt; undefined where it gives none. */
export function parseScore(
  reply: string,
  { policy = 'marker', marker = 'Final Score:', tag = 'score' }: ScoreReadingOptions = {},
): number | undefined {
  switch (policy) {
    case 'marker': {
      const shown = withoutThoughts(reply)
      const at = shown.toLowerCase().lastIndexOf(marker.toLowerCase())
      return at < 0 ? undefined : leadingNumber(shown.slice(at + marker.length))
    }
    case 'tag': {
      const { value } = extractTag(withoutThoughts(reply), tag, { which: 'last' })
      return value === undefined ? undefined : wholeNumber(value)
    }
    case 'unified-reward': {
      const at = reply.lastIndexOf(marker)
      const digits = /\d+/.exec(at < 0 ? reply : reply.slice(at + marker.length))
      return digits === null ? 0 : Number(digits[0])
    }
    case 'rewardbench-2': {
      const digits = /\b([1-9]|10)\b\s*$/.exec(reply.trim())
      return digits === null ? undefined : Number(digits[1])
    }
  }
}

const number = '[-+\u2212]?(?:\\d+(?:\\.\\d+)?|\\.\\d+)'
const scale = '(?:\\s*(?:/|out of)\\s*\\d+(?:\\.\\d+)?)?'
const leading = new RegExp(`^[\\s*_:=[(<\`"']*(${number})(?![\\d.]*[\\d\\p{L}%])`, 'u')
const whole = new RegExp(`^[\\s*_[(\`"']*(${number})${scale}[\\s*_\\])\`"'.]*$`, 'u')

function leadingNumber(text: string): number | undefined {
  return numberOf(leading.exec(text)?.[1])
}

function wholeNumber(text: string): number | undefined {
  return numberOf(whole.exec(text)?.[1])
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text.replace('\u2212', '-'))
  return Number.isFinite(value) ? value : undefined
}

export interface ReadObject {
  readonly value: { readonly [key: string]: Json }
  /** It had to be cut out of other text by its outermost braces. */
  readonly cutOut: boolean
}

/**
 * The JSON object of a reply, by a ladder: without thoughts and code fences as it stands; with plain quotes, quoted keys
 * and without trailing commas; cut out by the outermost braces; both. undefined where none of it is an object.
 *
 * @source RewardAnything, arXiv 2506.03637 (released code)
 */
export function parseObject(reply: string): ReadObject | undefined {
  const shown = withoutThoughts(reply)
  const text = (extractFence(shown).value ?? shown).trim()
  for (const attempt of [text, repaired(text)]) {
    const value = objectOf(attempt)
    if (value) return { value, cutOut: false }
  }
  const [start, end] = [text.indexOf('{'), text.lastIndexOf('}')]
  if (start < 0 || end < start) return undefined
  const cut = text.slice(start, end + 1)
  for (const attempt of [cut, repaired(cut)]) {
    const value = objectOf(attempt)
    if (value) return { value, cutOut: true }
  }
  return undefined
}

function objectOf(text: string): ReadObject['value'] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? (value as ReadObject['value']) : undefined
  } catch {
    return undefined
  }
}

/** Typographic and single quotes made plain, bare keys quoted, trailing commas dropped. */
function repaired(text: string): string {
  const plain = text.replace(/[“”]/g, '"').replace(/[‘’]/g, "'")
  const quoted = plain.includes('"') ? plain : plain.replaceAll("'", '"')
  return quoted.replace(/([{,]\s*)([A-Za-z_][\w-]*)(\s*:)/g, '$1"$2"$3').replace(/,(?=\s*[}\]])/g, '')
}

/** Scores by name and names from best to worst, as far as a reply gives them. */
export interface ListVerdict {
  readonly scores: Readonly<Record<string, number>>
  readonly ranking: readonly string[]
}

/**
 * Scores and ranking of a list judge: an object with `scores` and `best-to-worst` (or `best-to-worse`). undefined where
 * there is no object, or it has neither. Values that are no numbers and names that are no texts are left out.
 */
export function parseList(reply: string): ListVerdict | undefined {
  const object = parseObject(reply)?.value
  if (object === undefined) return undefined
  const given = Object.hasOwn(object, 'scores') ? object.scores : undefined
  const order = ['best-to-worst', 'best-to-worse'].find((key) => Object.hasOwn(object, key))
  const names = order === undefined ? undefined : object[order]
  if (!isObject(given) && !Array.isArray(names)) return undefined
  const scores = Object.entries(isObject(given) ? given : {}).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]),
  )
  const ranking = (Array.isArray(names) ? names : []).filter(
    (name) => typeof name === 'string' && !isBlank(name),
  )
  // Object.fromEntries defines own properties, so that "__proto__" is a name like any other.
  return { scores: Object.fromEntries(scores), ranking: [...new Set(ranking as string[])] }
}
