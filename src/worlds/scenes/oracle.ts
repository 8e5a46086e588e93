import { numberWords } from './attributes.ts'
import { type LabelledBox, parseBoxList } from './box-grammar.ts'
import { type PlacedClaim, parseCaption } from './caption-parser.ts'
import { type Claim, isTrue, mentionsOf } from './claims.ts'
import { placeOf } from './graph.ts'
import { matches, type Noun, nounText } from './noun.ts'
import { answerTo, parseQuery } from './query.ts'
import { readReference, referents } from './referring.ts'
import { area, type Box, type Scene } from './scene.ts'
import { type Span, WordReader, wordsOf } from './words.ts'

export interface JudgedClaim extends PlacedClaim {
  /** null of an opinion. */
  readonly truth: boolean | null
}

/** Shares in [0, 1]; null where there is nothing to divide by. */
export interface CaptionParts {
  /** True claims / claims, opinions left out. */
  readonly claimAccuracy: number | null
  /** Mentions of a shape and colour that is there / such mentions (repeats counted; absences left out). */
  readonly objectPrecision: number | null
  /** Different shape-colour pairs of the scene that the caption mentions / pairs of the scene. */
  readonly objectRecall: number | null
  readonly objectF1: number | null
  /** Of mentions whose shape is there: colours, sizes and places that fit the best fitting object / those stated. */
  readonly attributeAccuracy: number | null
  readonly countAccuracy: number | null
  readonly relationAccuracy: number | null
}

export interface JudgedCaption {
  readonly claims: readonly JudgedClaim[]
  readonly unreadable: readonly Span[]
  readonly wellFormed: boolean
  readonly parts: CaptionParts
}

export interface JudgedAnswer {
  /** undefined where the question has no answer in this scene, or cannot be read. */
  readonly expected: string | undefined
  /** null where there is no expected answer. */
  readonly correct: boolean | null
}

export interface JudgedBoxes {
  /** Found boxes of the right label / given boxes, at the threshold. null without given boxes. */
  readonly precision: number | null
  /** Found objects / objects asked for. null when none are. */
  readonly recall: number | null
  readonly f1: number | null
  /** Mean IoU of the matched pairs. */
  readonly meanIou: number | null
  readonly wellFormed: boolean
}

/** Exact judgements of anything said about a scene. */
export const oracle = {
  caption: judgeCaption,
  answer: judgeAnswer,
  boxes: judgeBoxes,
  reference: judgeReference,
}

/** Every claim of a caption against the scene. Unreadable sentences claim nothing and are listed. */
function judgeCaption(scene: Scene, text: string): JudgedCaption {
  const { claims, unreadable, wellFormed } = parseCaption(text)
  const judged = claims.map((placed) => ({ ...placed, truth: isTrue(scene, placed.claim) }))
  return { claims: judged, unreadable, wellFormed, parts: captionParts(scene, judged) }
}

function captionParts(scene: Scene, claims: readonly JudgedClaim[]): CaptionParts {
  const decided = claims.filter(({ truth }) => truth !== null)
  const share = (kind: Claim['kind']) =>
    shareOf(decided.filter(({ claim }) => claim.kind === kind).map(({ truth }) => truth === true))
  const mentions = claims.flatMap(({ claim }) => mentionsOf(claim))
  const typed = mentions.filter(({ shape, colour }) => shape !== undefined && colour !== undefined)
  const isThere = ({ colour, shape }: Noun) =>
    scene.objects.some((object) => matches(object, { colour, shape }))
  const names = new Set(scene.objects.map(({ colour, shape }) => nounText({ colour, shape })))
  const mentioned = new Set(typed.map(({ colour, shape }) => nounText({ colour, shape })))
  const objectPrecision = shareOf(typed.map(isThere))
  const objectRecall = names.size === 0 ? null : names.intersection(mentioned).size / names.size
  return {
    claimAccuracy: shareOf(decided.map(({ truth }) => truth === true)),
    objectPrecision,
    objectRecall,
    objectF1: harmonic(objectPrecision, objectRecall),
    attributeAccuracy: shareOf(claims.flatMap(({ claim }) => attributeChecks(scene, claim))),
    countAccuracy: share('count'),
    relationAccuracy: share('relation'),
  }
}

/** One entry for each colour, size or place said of a shape that is there: whether the best fitting object has it. */
function attributeChecks(scene: Scene, claim: Claim): boolean[] {
  const place = claim.kind === 'object' || claim.kind === 'attribute' ? claim.place : undefined
  return mentionsOf(claim).flatMap(({ shape, colour, size }) => {
    const candidates = shape === undefined ? [] : scene.objects.filter((object) => object.shape === shape)
    const checks = candidates.map((object) => [
      ...(colour === undefined ? [] : [object.colour === colour]),
      ...(size === undefined ? [] : [object.size === size]),
      ...(place === undefined ? [] : [placeOf(object, scene) === place]),
    ])
    const right = (all: readonly boolean[]) => all.filter(Boolean).length
    return checks.reduce<boolean[]>(
      (best, next) => (best.length === 0 || right(next) > right(best) ? next : best),
      [],
    )
  })
}

/**
 * Judges an answer to a question of this world, given as its text (with options, where it has them). Case, a full
 * stop and digits for number words are forgiven, "yes, ..." counts as yes, and of a multiple choice the letter
 * counts, also as "B: red" or "(B)". Colours may come in any order.
 */
function judgeAnswer(scene: Scene, question: string, answer: string): JudgedAnswer {
  const [body = '', listed = ''] = question.replace(/\s+/g, ' ').split(/(?<=\?)/)
  const query = parseQuery(body)
  const open = query && answerTo(scene, query)
  if (query === undefined || open === undefined) return { expected: undefined, correct: null }
  const options = [...listed.matchAll(/([A-D]): (.*?)(?=\s+[A-D]:|\s*$)/g)]
  const given = answer.replace(/\s+/g, ' ').trim().replace(/\.$/, '').toLowerCase()
  if (options.length > 0) {
    const right = options.find(([, , text]) => sameAnswer(query.ask, text!, open))?.[1]
    const letter = /^\(?([a-d])\)?(?:[:.\s].*)?$/.exec(given)?.[1]
    return { expected: right, correct: right === undefined ? null : letter?.toUpperCase() === right }
  }
  return { expected: open, correct: sameAnswer(query.ask, given, open) }
}

function sameAnswer(ask: string, given: string, expected: string): boolean {
  if (expected === 'yes' || expected === 'no') return /^(yes|no)\b/.exec(given)?.[1] === expected
  if (ask === 'colours') return setKey(given) === setKey(expected)
  return (ask === 'how many' && /^\d+$/.test(given) ? numberWords[Number(given)] : given) === expected
}

function setKey(text: string): string {
  return [...new Set(text.split(/\s*,\s*(?:and\s+)?|\s+and\s+/))].sort().join()
}

/**
 * Judges a detection list against the objects that `noun` fits (all by default). A given box finds an object when
 * labels agree and IoU reaches the threshold; the best overlaps are paired first, one to one.
 */
function judgeBoxes(
  scene: Scene,
  answer: string | readonly LabelledBox[],
  { noun = {}, threshold = 0.5 }: { readonly noun?: Noun; readonly threshold?: number } = {},
): JudgedBoxes {
  const { boxes, wellFormed } =
    typeof answer === 'string' ? parseBoxList(answer, scene) : { boxes: answer, wellFormed: true }
  const objects = scene.objects.filter((object) => matches(object, noun))
  const pairs = boxes
    .flatMap(({ label, box }, given) =>
      objects.map((object, target) => ({
        given,
        target,
        iou:
          label === '' || label === nounText({ colour: object.colour, shape: object.shape })
            ? intersectionOverUnion(box, object.box)
            : 0,
      })),
    )
    .filter((pair) => pair.iou >= threshold && pair.iou > 0)
    .sort((a, b) => b.iou - a.iou)
  const [usedBoxes, usedObjects] = [new Set<number>(), new Set<number>()]
  let total = 0
  for (const pair of pairs) {
    if (usedBoxes.has(pair.given) || usedObjects.has(pair.target)) continue
    usedBoxes.add(pair.given)
    usedObjects.add(pair.target)
    total += pair.iou
  }
  const found = usedBoxes.size
  const precision = boxes.length === 0 ? null : found / boxes.length
  const recall = objects.length === 0 ? null : found / objects.length
  return {
    precision,
    recall,
    f1: harmonic(precision, recall),
    meanIou: found === 0 ? null : total / found,
    wellFormed,
  }
}

/**
 * IoU of a box with the one object that an expression fits ("small circle", "circle left of the blue square");
 * undefined where it fits none or several, or cannot be read.
 */
function judgeReference(scene: Scene, expression: string, box: Box): number | undefined {
  const reader = new WordReader(wordsOf(expression))
  reader.takePhrase('the')
  const reference = readReference(reader)
  const found = reference && reader.atEnd ? referents(scene, reference) : []
  return found.length === 1 ? intersectionOverUnion(box, found[0]!.box) : undefined
}

/** Intersection over union of two boxes, 0 where one has no area. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const shared = area([
    Math.max(a[0], b[0]),
    Math.max(a[1], b[1]),
    Math.min(a[2], b[2]),
    Math.min(a[3], b[3]),
  ])
  const union = area(a) + area(b) - shared
  return union === 0 ? 0 : shared / union
}

function shareOf(checks: readonly boolean[]): number | null {
  return checks.length === 0 ? null : checks.filter(Boolean).length / checks.length
}

function harmonic(precision: number | null, recall: number | null): number | null {
  if (precision === null || recall === null) return null
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
}
