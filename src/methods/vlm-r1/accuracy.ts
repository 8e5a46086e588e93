import { type Evidence, isObject, type Json, type Sample } from '../../core/index.ts'
import { answersEqual } from '../../rewards/verifiable/answers/answer.ts'
import { grade } from '../../rewards/verifiable/answers/grade.ts'
import {
  type BoxList,
  type LabelledBox,
  pictureSizes,
  readBoxList,
} from '../../rewards/verifiable/boxes/box-list.ts'
import { type Box, isBox, type Overlap, overlaps, scaleBox } from '../../rewards/verifiable/boxes/boxes.ts'
import {
  boxEvidence,
  completeness,
  matchDetections,
  overlapShare,
} from '../../rewards/verifiable/boxes/detection.ts'
import { guardedAveragePrecision } from '../../rewards/verifiable/boxes/detection-reward.ts'
import { imageAveragePrecision } from '../../rewards/verifiable/boxes/image-average-precision.ts'
import { jsonIn } from '../../rewards/verifiable/extract/answer-json.ts'
import { isBlank } from '../../rewards/verifiable/extract/asides.ts'
import { extractOptionLetter } from '../../rewards/verifiable/extract/extract-choice.ts'
import { extractJson } from '../../rewards/verifiable/extract/extract-json.ts'
import { extractTag } from '../../rewards/verifiable/extract/extract-tag.ts'
import { levenshteinRatio } from '../../rewards/verifiable/text/edit-distance.ts'
import { choiceInContext } from './choice.ts'

/** What sets the variants apart. */
export interface Rules {
  readonly overlap: Overlap
  /** Nothing is paid for an empty answer, a surplus box, a wrong label or a clever order. */
  readonly guarded: boolean
}

interface Judged {
  /** null when equality is beyond what can be computed exactly. */
  readonly value: number | null
  readonly evidence?: readonly Evidence[]
}

/** A number for one response; a text says what is wrong with the reference. */
type AccuracyMethod = (response: string, sample: Sample, rules: Rules) => Judged | string

/** The accuracy methods by the name that a row gives (`accu_reward_method`). */
export const accuracyMethods = {
  default: onText(similarToGold),
  rec: referring,
  od_ap: detectionPrecision({}),
  od_ap50: detectionPrecision({ iouThresholds: [0.5] }),
  odLength: detectionPrecision({ perLength: true }),
  weighted_sum: weightedSum,
  mcq: onText(sameChoice, (gold) => choiceIn(gold) !== undefined),
  yes_no: onText(sameVerdict, (gold) => verdict(gold.toLowerCase(), true) !== undefined),
  all_match: onText(allMatch),
  math: onText(symbolicEquality),
} satisfies Record<string, AccuracyMethod>

/** Methods whose gold is text or a number. */
function onText(
  score: (response: string, gold: string, rules: Rules) => number | null,
  /** What a gold answer must be; guarded, another one is no reference. */
  isGold: (gold: string) => boolean = (gold) => !isBlank(gold),
): AccuracyMethod {
  return (response, { reference }, rules) => {
    if (typeof reference !== 'string' && typeof reference !== 'number')
      return 'this accuracy method needs a text or a number as reference'
    const gold = String(reference)
    if (rules.guarded && !isGold(answerIn(gold, 'first')))
      return 'the reference is no answer of the kind that this accuracy method compares'
    return { value: score(response, gold, rules) }
  }
}

/** IoU with the one box asked for: soft, as released. */
function referring(
  response: string,
  { reference, meta }: Sample,
  { overlap, guarded }: Rules,
): Judged | string {
  const gold = typeof reference === 'string' ? jsonIn(answerIn(reference, 'last')) : reference
  const goldBox = isBox(gold) ? gold : readBoxList(gold)?.boxes[0]?.box
  if (!goldBox) return 'the reference must be one box [x1, y1, x2, y2]'
  const answer = extractTag(response, 'answer').value ?? ''
  const numbers = (guarded ? anyBox : unsignedBox).exec(answer)?.slice(1).map(Number)
  const sizes = pictureSizes(meta)
  if (!isBox(numbers)) return { value: 0, evidence: boxEvidence([], [{ box: goldBox }], noPairs) }
  const box: Box = sizes ? scaleBox(numbers, sizes.input, sizes.image) : numbers
  const value = overlaps[overlap](box, goldBox)
  const pairs = value > 0 ? [{ predicted: 0, gold: 0, overlap: value }] : []
  return { value, evidence: boxEvidence([{ box }], [{ box: goldBox }], { pairs, predicted: 1, gold: 1 }) }
}

const unsignedBox = /\[(\d+),\s*(\d+),\s*(\d+),\s*(\d+)\]/
const anyBox = /\[\s*(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)\s*\]/
const noPairs = { pairs: [], predicted: 0, gold: 1 }

/**
 * COCO average precision of the boxes in the last answer. Released, every prediction has score 1, so the order of
 * writing ranks them and surplus boxes at the end, or of labels that the gold does not have, are free. Guarded,
 * predictions enter as one block, unknown labels and unreadable items cost their share, and labels are compared
 * without regard to case.
 */
function detectionPrecision(options: {
  readonly iouThresholds?: readonly number[]
  readonly perLength?: boolean
}): AccuracyMethod {
  return (response, { reference }, { guarded }) => {
    const gold = goldList(reference)
    if (typeof gold === 'string') return gold
    const answer = extractTag(response, 'answer', { which: 'last', allowEmpty: true }).value
    if (answer === undefined) return { value: 0 }
    if (gold.length === 0 && (guarded ? cleaned(answer) === 'none' : answer === 'None')) return { value: 1 }
    const given = guarded ? statedList(answer) : fencedList(answer, 'last')
    if (gold.length === 0) return { value: given && written(given) === 0 ? 1 : 0 }
    if (!given || written(given) === 0) return { value: 0 }
    const precision = guarded
      ? guardedAveragePrecision(
          lowerCased(given.boxes),
          lowerCased(gold),
          written(given),
          options.iouThresholds,
        )
      : (imageAveragePrecision(given.boxes, gold, options) ?? 0)
    return {
      value: options.perLength ? precision * Math.min(1, gold.length / written(given)) : precision,
      evidence: boxEvidence(given.boxes, gold, matchDetections(given.boxes, gold, { threshold: 0.5 })),
    }
  }
}

/** 0.7 mean IoU over the gold boxes + 0.3 completeness. Released, a wrong label still counts as found in the second. */
function weightedSum(response: string, { reference }: Sample, { overlap, guarded }: Rules): Judged | string {
  const wanted = typeof reference === 'string' ? cleaned(reference) : reference
  const gold = goldList(wanted)
  if (typeof gold === 'string') return gold
  const answer = cleaned(response)
  if (wanted === 'none' || (guarded && gold.length === 0 && answer === 'none'))
    return { value: answer === 'none' ? 1 : 0 }
  const given = guarded ? statedList(answer) : fencedList(answer, 'first')
  if (gold.length === 0) return { value: given && written(given) === 0 ? 1 : 0 }
  if (!given || written(given) === 0) return { value: 0 }
  const pairs = matchDetections(given.boxes, gold, {
    overlap,
    threshold: 0.5,
    labels: guarded ? 'require' : 'void',
  })
  const match = { ...pairs, predicted: written(given) }
  return {
    value: 0.7 * overlapShare(match, { denominator: 'gold' }) + 0.3 * completeness(match),
    evidence: boxEvidence(given.boxes, gold, pairs),
  }
}

/** Gold boxes: a list, or text that is "None", JSON in a fence or plain JSON, perhaps in answer tags. */
function goldList(reference: Json | undefined): readonly LabelledBox[] | string {
  const wanted = 'the reference must be a list of {"bbox_2d": [x1, y1, x2, y2], "label": "..."}, or None'
  if (typeof reference === 'string') {
    const text = answerIn(reference, 'first')
    return text.toLowerCase() === 'none' ? [] : goldList(jsonIn(text, 'last') ?? null)
  }
  const list = readBoxList(reference, 'xyxy')
  return list && list.broken === 0 ? list.boxes : wanted
}

/** Items of the json fence in an answer, as released: no fence, or one that is no JSON, is an empty list. */
function fencedList(answer: string, which: 'first' | 'last'): BoxList {
  const json = extractJson(answer, { from: 'fence', language: 'json', which }).value
  const items = Array.isArray(json) ? json : isObject(json) ? Object.keys(json) : []
  const read = readBoxList(items.filter(isObject) as Json[], 'xyxy', { box: ['bbox_2d'], label: ['label'] })!
  return { boxes: read.boxes, broken: items.length - read.boxes.length }
}

/** A list that can be read, in a fence or alone; undefined when there is none. */
function statedList(answer: string): BoxList | undefined {
  return readBoxList(jsonIn(answer))
}

const written = ({ boxes, broken }: BoxList) => boxes.length + broken

const lowerCase = (label: string) => label.trim().toLowerCase()

/** The same list where every label is in lower case already. */
function lowerCased(boxes: readonly LabelledBox[]): readonly LabelledBox[] {
  if (boxes.every(({ label }) => label === undefined || label === lowerCase(label))) return boxes
  return boxes.map((item) => (item.label === undefined ? item : { ...item, label: lowerCase(item.label) }))
}

/** Released, a choice needs punctuation after it ("(B)" is none) and gold without one is compared as it is. */
function sameChoice(response: string, gold: string, { guarded }: Rules): number {
  const answer = answerIn(response, 'first')
  if (guarded) {
    const given = choiceIn(answer)
    return given !== undefined && given === choiceIn(answerIn(gold, 'first')) ? 1 : 0
  }
  const given = choiceInContext(answer)
  return given !== undefined && given === (choiceInContext(answerIn(gold, 'first')) ?? gold.trim()) ? 1 : 0
}

const choiceIn = (text: string) => extractOptionLetter(text, { letters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' }).value

/** Released, the first "yes" or "no" counts even inside another word ("know"), and none on both sides is agreement. */
function sameVerdict(response: string, gold: string, { guarded }: Rules): number {
  const [given, wanted] = [response, gold].map((text) =>
    verdict(answerIn(text.toLowerCase(), 'first'), guarded),
  )
  return given === wanted && !(guarded && given === undefined) ? 1 : 0
}

/** Guarded: the one that stands as a word of its own, none when both do. */
function verdict(text: string, guarded: boolean): string | undefined {
  if (!guarded) return /yes|no/.exec(text)?.[0]
  const [yes, no] = [/\byes\b/.test(text), /\bno\b/.test(text)]
  return yes === no ? undefined : yes ? 'yes' : 'no'
}

function allMatch(response: string, gold: string, { guarded }: Rules): number {
  const given = cleaned(response)
  return given === cleaned(gold) && !(guarded && given === '') ? 1 : 0
}

function symbolicEquality(response: string, gold: string, { guarded }: Rules): number | null {
  const equal = guarded
    ? answersEqual(cleaned(response), cleaned(gold), { rules: 'grade' })
    : grade(cleaned(response), cleaned(gold))
  return equal === null ? null : Number(equal)
}

/** Symbolic equality; else by what the gold holds: numbers exactly, a choice by its letter, text by likeness. */
function similarToGold(response: string, goldText: string, { guarded }: Rules): number {
  const gold = answerIn(goldText, 'first')
  const answer = answerIn(response, 'last')
  if (guarded && isBlank(answer)) return 0
  if (answer !== '' && (guarded ? answersEqual(answer, gold, { rules: 'grade' }) : grade(answer, gold)))
    return 1
  const likeness = () => levenshteinRatio(cleaned(answer), cleaned(gold))
  if (/\d/.test(gold)) {
    const [given, wanted] = [numberIn(cleaned(answer)), numberIn(cleaned(gold))]
    return given === undefined || wanted === undefined ? likeness() : given === wanted ? 1 : 0
  }
  const choice = choiceInContext(gold)
  return choice === undefined ? likeness() : choiceInContext(answer) === choice ? 1 : 0
}

function numberIn(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

/** The first or last answer block, trimmed; the whole text where there is none. */
function answerIn(text: string, which: 'first' | 'last'): string {
  return extractTag(text, 'answer', { which, allowEmpty: true }).value ?? text.trim()
}

/**
 * The last answer block (or the whole text) on one line, without final full stops, in lower case. A line break goes
 * where white space stands before it, and becomes a space elsewhere.
 */
export function cleaned(text: string): string {
  let line = extractTag(text, 'answer', { which: 'last', allowEmpty: true, trim: false }).value ?? text
  for (const lineBreak of ['\n', '\r'])
    line = line.replaceAll(lineBreak, (_, at: number, whole: string) =>
      /\s/.test(whole[at - 1] ?? '') ? '' : ' ',
    )
  line = line.trim()
  let end = line.length
  while (line[end - 1] === '.') end--
  return line.slice(0, end).toLowerCase()
}
