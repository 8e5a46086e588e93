import type { Rng } from '../../core/index.ts'
import {
  backgrounds,
  type Colour,
  colours,
  numberWords,
  objectTypes,
  type Shape,
  shapes,
  sizes,
  typeName,
} from './attributes.ts'
import { absentType } from './caption.ts'
import { factsFor } from './facts.ts'
import { isClearlyPlaced, places, type Relation, relations } from './graph.ts'
import { countOf, type Noun } from './noun.ts'
import { answerTo, type Query, queryText } from './query.ts'
import { distinguishingNoun, uniqueNouns } from './referring.ts'
import type { Scene } from './scene.ts'

export const questionKinds = [
  'existence',
  'count',
  'colour',
  'shape',
  'size',
  'place',
  'relation',
  'related',
  'comparison',
  'colours',
  'background',
] as const
export type QuestionKind = (typeof questionKinds)[number]

/**
 * How the answer is to be given: in words; as the letter of one of four options; or as yes or no to one proposed
 * answer. Kinds whose answer is yes or no have only the open form.
 */
export const questionForms = ['open', 'choice', 'binary'] as const
export type QuestionForm = (typeof questionForms)[number]

export interface Question {
  readonly kind: QuestionKind
  readonly form: QuestionForm
  readonly text: string
  readonly answer: string
  /** Of a multiple choice: the options of A, B, C and D. */
  readonly options?: readonly string[]
  readonly query: Query
  /** True sentences of the caption grammar that together give the answer away, in the order of thought. */
  readonly facts: readonly string[]
}

export interface QuestionOptions {
  /** @default 'open' */
  readonly form?: QuestionForm
  /** Only questions with this answer (open form: the answer itself; otherwise the letter, or yes or no). */
  readonly answer?: string
}

/**
 * A question about a scene whose answer is exact; undefined when the scene allows none of this kind (or none with
 * that answer). Without `answer`, an answer is drawn first and then a question that has it, so that no answer is
 * favoured beyond what the scene allows.
 */
export function drawQuestion(
  scene: Scene,
  kind: QuestionKind,
  rng: Rng,
  { form = 'open', answer }: QuestionOptions = {},
): Question | undefined {
  const byAnswer = candidates(scene, kind, rng)
  if (form === 'open' || isYesNo(kind))
    return form === 'open' ? openQuestion(scene, kind, rng, byAnswer, answer) : undefined
  const open = openQuestion(scene, kind, rng, byAnswer)
  if (open === undefined) return undefined
  return form === 'choice'
    ? choiceQuestion(scene, open, rng, answer)
    : binaryQuestion(scene, open, rng, answer)
}

function isYesNo(kind: QuestionKind): boolean {
  return kind === 'existence' || kind === 'relation' || kind === 'comparison'
}

function openQuestion(
  scene: Scene,
  kind: QuestionKind,
  rng: Rng,
  byAnswer: ReadonlyMap<string, readonly Query[]>,
  wanted?: string,
): Question | undefined {
  if (byAnswer.size === 0) return undefined
  const answer = wanted ?? rng.pick([...byAnswer.keys()])
  const queries = byAnswer.get(answer)
  if (queries === undefined) return undefined
  const query = rng.pick(queries)
  return { kind, form: 'open', text: queryText(query), answer, query, facts: factsFor(scene, query) }
}

/** Well-posed questions of one kind, by their answer. */
function candidates(scene: Scene, kind: QuestionKind, rng: Rng): Map<string, Query[]> {
  const byAnswer = new Map<string, Query[]>()
  for (const query of proposed(scene, kind, rng)) {
    const answer = answerTo(scene, query)
    if (answer === undefined) continue
    const known = byAnswer.get(answer)
    if (known) known.push(query)
    else byAnswer.set(answer, [query])
  }
  return byAnswer
}

function proposed(scene: Scene, kind: QuestionKind, rng: Rng): Query[] {
  const { objects } = scene
  const whether = (claim: Extract<Query, { ask: 'whether' }>['claim']): Query => ({ ask: 'whether', claim })
  switch (kind) {
    case 'existence': {
      const present = objects.map(({ colour, shape }) => whether({ kind: 'object', noun: { colour, shape } }))
      // As many absent types as present ones, but the two answers are drawn first anyway.
      const absent = Array.from({ length: 4 }, () => absentType(scene, rng))
      return [...present, ...absent.flatMap((noun) => (noun ? [whether({ kind: 'object', noun })] : []))]
    }
    case 'count':
      return countedNouns(scene, rng).map((noun) => ({ ask: 'how many', noun }))
    case 'colour':
    case 'shape':
    case 'size':
      return objects.flatMap((object) =>
        uniqueNouns(scene, object)
          .filter((noun) => noun[kind] === undefined)
          .map((noun) => ({ ask: kind, noun })),
      )
    case 'place':
      return objects
        .filter((object) => isClearlyPlaced(object, scene))
        .flatMap((object) => uniqueNouns(scene, object).map((noun) => ({ ask: 'place', noun })))
    case 'relation':
      return namedPairs(scene).flatMap(([a, b]) =>
        relations
          .filter((relation) => isSpatialOrSize(relation))
          .map((relation) => whether({ kind: 'relation', subject: a, relation, object: b })),
      )
    case 'related':
      return objects.flatMap((object) => {
        const anchor = distinguishingNoun(scene, object)
        return anchor === undefined
          ? []
          : relations.filter(isSpatialOrSize).map((relation): Query => ({ ask: 'what is', relation, anchor }))
      })
    case 'comparison': {
      const nouns = [
        ...colours.map((colour): Noun => ({ colour })),
        ...shapes.map((shape): Noun => ({ shape })),
      ]
      const present = nouns.filter((noun) => countOf(scene, noun) > 0)
      const absent = rng.shuffled(nouns.filter((noun) => countOf(scene, noun) === 0)).slice(0, 2)
      return Array.from({ length: 12 }, (): Query => {
        const [noun, than] = rng.sample([...present, ...absent], 2) as [Noun, Noun]
        return { ask: rng.chance(0.5) ? 'more' : 'fewer', noun, than }
      })
    }
    case 'colours':
      return [{ ask: 'colours' }]
    case 'background':
      return [{ ask: 'background' }]
  }
}

function isSpatialOrSize(relation: Relation): boolean {
  return !relation.startsWith('the same')
}

/** Everything worth counting: all shapes, each colour and shape that is there, each type that is, some that are not. */
function countedNouns(scene: Scene, rng: Rng): Noun[] {
  const nouns = new Map<string, Noun>([['', {}]])
  for (const { colour, shape, size } of scene.objects) {
    nouns.set(colour, { colour })
    nouns.set(shape, { shape })
    nouns.set(size, { size })
    nouns.set(`${colour} ${shape}`, { colour, shape })
  }
  const absentColours = colours.filter((colour) => !nouns.has(colour))
  const absentShapes = shapes.filter((shape) => !nouns.has(shape))
  if (absentColours.length > 0) nouns.set('no colour', { colour: rng.pick(absentColours) })
  if (absentShapes.length > 0) nouns.set('no shape', { shape: rng.pick(absentShapes) })
  const absent = absentType(scene, rng)
  if (absent !== undefined) nouns.set('no type', absent)
  return [...nouns.values()]
}

/** Ordered pairs of objects that can each be told by name. */
function namedPairs(scene: Scene): [Noun, Noun][] {
  const nouns = scene.objects.flatMap((object) => distinguishingNoun(scene, object) ?? [])
  return nouns.flatMap((a) => nouns.flatMap((b): [Noun, Noun][] => (a === b ? [] : [[a, b]])))
}

// --- forms

export const choiceLetters = ['A', 'B', 'C', 'D'] as const

/** "what colour is the circle? A: red B: blue C: green D: pink" (two options where there are only two sizes). */
function choiceQuestion(
  scene: Scene,
  open: Question,
  rng: Rng,
  wanted: string | undefined,
): Question | undefined {
  const others = wrongAnswers(scene, open, rng)
  const wrong = rng.sample(others, Math.min(3, others.length))
  const right = wanted === undefined ? rng.int(0, wrong.length + 1) : choiceLetters.indexOf(wanted as 'A')
  if (right < 0 || right > wrong.length) return undefined
  const options = [...wrong.slice(0, right), open.answer, ...wrong.slice(right)]
  const listed = options.map((option, index) => `${choiceLetters[index]}: ${option}`).join(' ')
  return { ...open, form: 'choice', text: `${open.text} ${listed}`, answer: choiceLetters[right]!, options }
}

/** Other answers that a question of this kind could have, at least three. */
function wrongAnswers(scene: Scene, { kind, answer }: Question, rng: Rng): string[] {
  const all: readonly string[] = {
    count: numberWords.slice(0, 7),
    colour: colours,
    shape: shapes,
    size: sizes,
    place: places,
    background: backgrounds,
    related: [
      ...scene.objects.map(typeName),
      ...Array.from({ length: 8 }, () => typeName(rng.pick(objectTypes))),
    ],
    colours: Array.from({ length: 8 }, () => otherColours(answer, rng)),
    existence: [],
    relation: [],
    comparison: [],
  }[kind]
  const isSet = kind === 'colours'
  const key = (text: string) => (isSet ? text.split(', ').sort().join() : text)
  return [
    ...new Map(all.filter((text) => key(text) !== key(answer)).map((text) => [key(text), text])).values(),
  ]
}

function otherColours(answer: string, rng: Rng): string {
  const given = answer.split(', ').filter((word) => word !== 'none') as Colour[]
  const changed = new Set(given)
  // One colour more, one less, or one for another: near misses, not arbitrary sets.
  const kind = rng.int(0, 3)
  if (kind !== 0 && given.length > 0) changed.delete(rng.pick(given))
  const others = colours.filter((colour) => !given.includes(colour))
  if (kind !== 1 && others.length > 0) changed.add(rng.pick(others))
  return colours.filter((colour) => changed.has(colour)).join(', ') || 'none'
}

/** The open question with one answer proposed, right or wrong: "is the circle red?" */
function binaryQuestion(
  scene: Scene,
  open: Question,
  rng: Rng,
  wanted: string | undefined,
): Question | undefined {
  const isRight = wanted === undefined ? rng.chance(0.5) : wanted === 'yes'
  const proposals = isRight ? [open.answer] : rng.shuffled(wrongAnswers(scene, open, rng))
  for (const proposal of proposals) {
    const claim = proposedClaim(open.query, proposal)
    if (claim === undefined) continue
    const query: Query = { ask: 'whether', claim }
    const answer = answerTo(scene, query)
    if (answer === (isRight ? 'yes' : 'no'))
      return { ...open, form: 'binary', text: queryText(query), answer, query }
  }
  return undefined
}

function proposedClaim(
  query: Query,
  proposal: string,
): Extract<Query, { readonly ask: 'whether' }>['claim'] | undefined {
  switch (query.ask) {
    case 'how many':
      return { kind: 'count', noun: query.noun, count: numberWords.indexOf(proposal as 'zero') }
    case 'colour':
    case 'size':
    case 'shape':
      return { kind: 'attribute', noun: query.noun, value: { [query.ask]: proposal } }
    case 'place':
      return { kind: 'attribute', noun: query.noun, value: {}, place: proposal as (typeof places)[number] }
    case 'what is': {
      const [colour, shape] = proposal.split(' ') as [Colour, Shape]
      return { kind: 'relation', subject: { colour, shape }, relation: query.relation, object: query.anchor }
    }
    case 'colours':
      return proposal === 'none' ? undefined : { kind: 'colours', colours: proposal.split(', ') as Colour[] }
    case 'background':
      return { kind: 'background', background: proposal as 'black' }
    default:
      return undefined
  }
}
