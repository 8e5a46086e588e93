import type { Comparator, Comparison, Pair, ScoreContext } from '../src/core/index.ts'
import { textOf } from '../src/core/index.ts'
import { verifier } from '../src/methods/master-keys-one-token.ts'
import { editPerspectives } from '../src/methods/multi-reward-condition-editing.ts'
import { oneRewardJudge } from '../src/methods/onereward.ts'
import { rewardAnything } from '../src/methods/rewardanything.ts'
import { rewardDance, rewardDanceJudge } from '../src/methods/rewarddance.ts'
import { rmR1Judge } from '../src/methods/rm-r1.ts'
import { unifiedReward, unifiedRewardJudge } from '../src/methods/unifiedreward.ts'
import { unifiedRewardThinkJudge } from '../src/methods/unifiedreward-think.ts'
import type { ChatImage } from '../src/models/chat-image.ts'
import type { ChatModel } from '../src/models/chat-model.ts'
import { failed, isFailed } from '../src/models/outcome.ts'
import type { ChoiceModel } from '../src/models/token-model.ts'
import type { EmbeddedLanguageModel } from '../src/nets/embedded/index.ts'
import { comparatorFromReward } from '../src/rewards/convert.ts'
import { type Conversation, conversationsOf } from '../src/rewards/judge/conversations.ts'
import { byProbability, type JudgePrompt, pairJudge, pointJudge } from '../src/rewards/judge/index.ts'
import { renderQuery } from '../src/rewards/judge/judge-prompt.ts'
import { parseCaption } from '../src/worlds/scenes/caption-parser.ts'
import { captionPrompt } from '../src/worlds/scenes/exchange.ts'
import { queryText } from '../src/worlds/scenes/query.ts'
import {
  answerPairs,
  arithmeticPairs,
  captionPairs,
  factPairs,
  type PairSet,
  picturePairs,
  principlePairs,
} from './_judge-sets.ts'
import type { JudgeRow } from './_judge-table.ts'

// The embedded models know a closed vocabulary, so that each method stands twice: with its own words, and with its
// protocol in words that the model knows ("in its words"). The baselines are the plain question, and how likely the model
// finds the answers themselves.

const plain = { fence: 'plain' } as const
const words = { yes: ['yes'], no: ['no'] } as const

interface Dialect {
  /** Is the first (second) better, as a pair; is it right, alone. */
  readonly first: JudgePrompt
  readonly second: JudgePrompt
  readonly alone: JudgePrompt
  /** Where the pairs have a reference. */
  readonly withReference?: JudgePrompt
}

const prompt = (user: string): JudgePrompt => ({ version: '1', user })
const textDialect: Dialect = {
  first: prompt('{prompt} first {first} then {second} is first best ?'),
  second: prompt('{prompt} first {first} then {second} is then best ?'),
  alone: prompt('{prompt} {output} is the answer right ?'),
  withReference: prompt('{prompt} {output} is the answer {reference} right ?'),
}
const sceneDialect: Dialect = {
  first: prompt('{prompt} A: {first} B: {second} is A ok?'),
  second: prompt('{prompt} A: {first} B: {second} is B ok?'),
  alone: prompt('{prompt} {output} is it ok?'),
  withReference: prompt('{prompt} {output} is it the same as {reference}?'),
}

function inItsWords(
  model: JudgeRow['model'],
  set: PairSet,
  { first, second, alone, withReference }: Dialect,
): JudgeRow[] {
  const row = (
    card: number | undefined,
    method: string,
    protocol: string,
    judge: (model: EmbeddedLanguageModel) => Comparator,
  ): JudgeRow => ({ ...(card === undefined ? {} : { card }), method, protocol, model, set, judge })
  return [
    row(undefined, 'plain question', 'P(yes) to "is the first best", one order', (given) =>
      pairJudge({
        name: 'plain',
        prompt: first,
        ask: byProbability(given, words),
        order: 'random',
        ...plain,
      }),
    ),
    row(undefined, 'likelihood', 'which answer the model would rather give itself', likelihoodComparator),
    row(2, 'onereward', 'in its words: P(yes), first better, both orders', (given) =>
      pairJudge({ name: 'p', prompt: first, ask: byProbability(given, words), ...plain }),
    ),
    row(6, 'rewarddance pair', 'in its words: P(yes), second better, both orders', (given) =>
      pairJudge({
        name: 'p',
        prompt: second,
        ask: byProbability(given, words),
        candidateSlot: 'second',
        ...plain,
      }),
    ),
    row(6, 'rewarddance point', 'in its words: P(yes) of each alone', (given) =>
      comparatorFromReward(
        pointJudge({ name: 'p', prompt: alone, ask: byProbability(given, words), ...plain }),
      ),
    ),
    ...(withReference === undefined
      ? []
      : [
          row(25, 'verifier', 'in its words: P(yes) beside the reference', (given) =>
            comparatorFromReward(
              pointJudge({ name: 'p', prompt: withReference, ask: byProbability(given, words), ...plain }),
            ),
          ),
        ]),
    row(40, 'rm-r1', 'in its words: solves it first, then names the answer that agrees', (given) =>
      rmR1Judge({ variant: 'guarded' }, solvingFirst(given, set)),
    ),
  ]
}

/** With their own words. */
function asWritten(model: JudgeRow['model'], set: PairSet): JudgeRow[] {
  const rows: [number, string, (given: EmbeddedLanguageModel) => Comparator][] = [
    [2, 'onereward', (given) => oneRewardJudge({ task: 'remove' }, given)],
    [6, 'rewarddance', (given) => rewardDanceJudge({}, given)],
    [
      18,
      'rewardanything',
      (given) => comparatorFromReward(rewardAnything({ principle: 'Prefer the right answer.' }, given)),
    ],
    [20, 'unifiedreward-think', (given) => unifiedRewardThinkJudge({}, given)],
    [25, 'verifier', (given) => comparatorFromReward(verifier({}, given))],
    [35, 'edit-perspectives', (given) => comparatorFromReward(editPerspectives({}, given))],
    [37, 'unifiedreward pair', (given) => unifiedRewardJudge({}, given)],
    [37, 'unifiedreward point', (given) => comparatorFromReward(unifiedReward({}, given))],
    [40, 'rm-r1', (given) => rmR1Judge({}, given)],
  ]
  return rows.map(([card, method, judge]) => ({ card, method, protocol: 'as written', model, set, judge }))
}

/** Prefers the answer that the model finds likelier, per token. */
function likelihoodComparator(model: EmbeddedLanguageModel): Comparator {
  return {
    name: 'likelihood',
    version: '1',
    params: { model: model.id },
    compare: async (pairs: readonly Pair[], context?: ScoreContext) => {
      const conversations = (await conversationsOf(
        pairs.map(({ a }) =>
          renderQuery(prompt('{prompt}'), { material: { prompt: a.prompt }, fence: 'plain' }),
        ),
      )) as Conversation[]
      const given = pairs.flatMap(({ a, b }, index) =>
        [a, b].map(({ output }) => ({ prompt: conversations[index]!, answer: textOf(output) })),
      )
      const scores = await model.logProbabilities(given, {
        ended: true,
        ...(context?.signal ? { signal: context.signal } : {}),
      })
      return pairs.map((_, index): Comparison => {
        const [a, b] = [scores[2 * index]!, scores[2 * index + 1]!]
        if (isFailed(a)) return { value: null, ...a.failure }
        if (isFailed(b)) return { value: null, ...b.failure }
        const mean = (logp: Float32Array) => logp.reduce((sum, value) => sum + value, 0) / logp.length
        const difference = mean(a.logp) - mean(b.logp)
        return { value: difference === 0 ? 0.5 : Number(difference > 0), parts: { parsed: 1 } }
      })
    },
  }
}

/**
 * A model that cannot reason in words, made to do RM-R1's first step: it answers the question of the pair itself, and that
 * solution is set beside the two answers. Neither agrees: no verdict.
 */
function solvingFirst(model: EmbeddedLanguageModel, set: PairSet): ChatModel {
  return {
    id: `solving first: ${model.id}`,
    chat: async (conversations) => {
      const shown = conversations.map((messages) => ({
        question: fencedText(messages, 'prompt'),
        images: messages.flatMap(({ images = [] }) => images),
        answers: [fencedText(messages, 'answer A'), fencedText(messages, 'answer B')],
      }))
      const solved = await model.chat(
        shown.map(({ question, images }) => [
          { role: 'user' as const, text: question, ...(images.length > 0 ? { images } : {}) },
        ]),
      )
      return solved.map((reply, index) => {
        if (reply.text === null) return reply
        const agrees = shown[index]!.answers.map(
          (answer) => conclusion(answer, set) === conclusion(reply.text!, set),
        )
        const verdict = agrees[0] === agrees[1] ? '' : `<answer>[[${agrees[0] ? 'A' : 'B'}]]</answer>`
        return {
          ...reply,
          text: `<type>Reasoning</type><solution>${reply.text}</solution><eval></eval>${verdict}`,
        }
      })
    },
  }
}

/** What an answer comes to: the last number of arithmetic, the words of anything else. */
function conclusion(answer: string, set: PairSet): string {
  if (set !== arithmeticPairs) return answer.trim().toLowerCase()
  return answer.match(/\d+/g)?.at(-1) ?? answer
}

/**
 * A model that cannot reason in words, made to go through captions claim by claim, as UnifiedReward goes through the elements
 * of a caption and UnifiedReward-Think through dimensions: each claim is put to it as the yes-or-no question that it was
 * trained on, and the least sure one counts. `write` makes the reply that the judge reads, from how sure it is of each named
 * caption (0 to 1).
 */
function claimByClaim(
  model: EmbeddedLanguageModel,
  names: (messages: Conversation) => readonly string[],
  write: (sure: readonly number[], names: readonly string[]) => string,
): ChatModel {
  return {
    id: `claim by claim: ${model.id}`,
    chat: async (conversations) => {
      const items = conversations.flatMap((messages, index) =>
        names(messages).map((name) => ({
          index,
          images: messages.flatMap(({ images = [] }) => images),
          caption: fencedText(messages, name),
        })),
      )
      const sure = await leastSureClaims(model, items)
      return conversations.map((messages, index) => {
        const mine = sure.filter((_, at) => items[at]!.index === index)
        const known = mine.filter((value) => value !== null)
        const text = known.length < mine.length ? 'no claim can be asked' : write(known, names(messages))
        return { text, finish: 'stop' as const }
      })
    },
  }
}

/** A chain of thought with one dimension, its totals and the verdict. */
function thoughtOf([first = 0, second = 0]: readonly number[]): string {
  const ten = (value: number) => (1 + 9 * value).toFixed(6)
  if (first === second) return 'neither'
  return `<think>correctness: Answer 1 (${ten(first)}/10) - its least sure claim; Answer 2 (${ten(second)}/10) - its least sure claim
Answer 1: ${ten(first)} = ${ten(first)}
Answer 2: ${ten(second)} = ${ten(second)}</think><answer>Answer ${first > second ? 1 : 2} is better</answer>`
}

const masked = (messages: Conversation) =>
  [
    ...messages
      .map(({ text }) => text)
      .join('')
      .matchAll(/<<<(model-\d+) [0-9a-f]{8}>>>/g),
  ].map(([, name]) => name!)

const onCaptions: readonly JudgeRow[] = (
  [
    [
      18,
      'rewardanything',
      'in its words: lists, every claim asked by itself',
      (given) =>
        comparatorFromReward(
          rewardAnything(
            { principle: 'Prefer the caption whose claims are all true.' },
            claimByClaim(given, masked, (sure, names) =>
              JSON.stringify({
                scores: Object.fromEntries(names.map((name, at) => [name, 1 + 4 * sure[at]!])),
              }),
            ),
          ),
        ),
    ],
    [
      20,
      'unifiedreward-think',
      'in its words: every claim asked by itself, the least sure counts',
      (given) =>
        unifiedRewardThinkJudge(
          {},
          claimByClaim(given, () => ['Answer 1', 'Answer 2'], thoughtOf),
        ),
    ],
    [
      37,
      'unifiedreward pair',
      'in its words: every claim asked by itself',
      (given) =>
        unifiedRewardJudge(
          {},
          claimByClaim(
            given,
            () => ['Answer 1', 'Answer 2'],
            ([first = 0, second = 0]) =>
              first === second
                ? '<answer>Both are equally good</answer>'
                : first > second
                  ? '<answer>Answer 1 is better than Answer 2</answer>'
                  : '<answer>Answer 2 is better than Answer 1</answer>',
          ),
        ),
    ],
    [
      37,
      'unifiedreward point',
      'in its words: every claim asked by itself',
      (given) =>
        comparatorFromReward(
          unifiedReward(
            {},
            claimByClaim(
              given,
              () => ['Answer'],
              ([sure = 0]) => `Final Score: ${(100 * sure).toFixed(6)}`,
            ),
          ),
        ),
    ],
  ] satisfies readonly [number, string, string, JudgeRow['judge']][]
).map(([card, method, protocol, judge]) => ({
  card,
  method,
  protocol,
  model: 'scenes-vlm',
  set: captionPairs,
  judge,
}))

/** How sure the model is of the least sure claim of a caption about an image, for each; null where none can be asked. */
async function leastSureClaims(
  model: EmbeddedLanguageModel,
  items: readonly { readonly images: readonly ChatImage[]; readonly caption: string }[],
): Promise<(number | null)[]> {
  const questions = items.flatMap(({ images, caption }, index) =>
    parseCaption(caption).claims.flatMap(({ claim }) =>
      claim.kind === 'opinion' || claim.kind === 'absence'
        ? []
        : [{ index, images, text: queryText({ ask: 'whether', claim }) }],
    ),
  )
  const answers = await model.choices(
    questions.map(({ images, text }) => [{ role: 'user' as const, text, images }]),
    words,
  )
  return items.map((_, index) => {
    const sure = answers.flatMap((answer, at) =>
      questions[at]!.index === index && !isFailed(answer) ? [answer.among.yes] : [],
    )
    return sure.length === 0 ? null : Math.min(...sure)
  })
}

/**
 * A model that sees one image, made to say how likely it begins with yes: the claims of the caption are put to each picture
 * by itself. Of one picture it is the least sure claim; of two, the odds of the one asked about against the other.
 */
function seeingOneByOne(model: EmbeddedLanguageModel, asked: 'first' | 'second'): ChoiceModel {
  return {
    id: `one by one: ${model.id}`,
    choices: async (conversations) => {
      const items = conversations.flatMap((messages) =>
        messages
          .flatMap(({ images = [] }) => images)
          .map((image) => ({
            images: [image],
            caption: fencedText(messages, 'prompt') || fencedText(messages, 'condition'),
          })),
      )
      const sure = await leastSureClaims(model, items)
      let next = 0
      return conversations.map((messages) => {
        const pictures = messages.flatMap(({ images = [] }) => images).map(() => sure[next++]!)
        const [first, second] = pictures
        if (first == null || (pictures.length > 1 && second == null))
          return failed('not-applicable', 'the caption claims nothing that can be asked')
        const [mine, other] = asked === 'first' ? [first, second!] : [second!, first]
        const odds = (p: number, q: number) => p * (1 - q) + 1e-12 * p
        const yes =
          pictures.length === 1 ? first : odds(mine, other) / (odds(mine, other) + odds(other, mine))
        return { full: { yes, no: 1 - yes }, among: { yes, no: 1 - yes } } as never
      })
    },
  }
}

/** Prefers the picture with which the model finds the caption likelier. */
function captionLikelihood(model: EmbeddedLanguageModel): Comparator {
  return {
    name: 'caption likelihood',
    version: '1',
    params: { model: model.id },
    compare: async (pairs: readonly Pair[]) => {
      const queries = pairs.flatMap(({ a, b }) =>
        [a, b].map(({ output }) =>
          renderQuery(prompt(`{output}${captionPrompt('short')}`), { material: { output }, fence: 'plain' }),
        ),
      )
      const conversations = (await conversationsOf(queries)) as Conversation[]
      const scores = await model.logProbabilities(
        conversations.map((conversation, index) => ({
          prompt: conversation,
          answer: textOf(pairs[index >> 1]!.a.prompt),
        })),
        { ended: true },
      )
      return pairs.map((_, index): Comparison => {
        const [a, b] = [scores[2 * index]!, scores[2 * index + 1]!]
        if (isFailed(a)) return { value: null, ...a.failure }
        if (isFailed(b)) return { value: null, ...b.failure }
        const sum = (logp: Float32Array) => logp.reduce((total, value) => total + value, 0)
        const difference = sum(a.logp) - sum(b.logp)
        return { value: difference === 0 ? 0.5 : Number(difference > 0), parts: { parsed: 1 } }
      })
    },
  }
}

const onPictures: readonly JudgeRow[] = (
  [
    [
      undefined,
      'plain question',
      'P(yes) to "is it ok", each picture by itself',
      (given) =>
        comparatorFromReward(
          pointJudge({
            name: 'p',
            prompt: prompt('{output}{prompt} is it ok?'),
            ask: byProbability(given, words),
            ...plain,
          }),
        ),
    ],
    [undefined, 'likelihood', 'with which picture the caption is likelier', captionLikelihood],
    [
      2,
      'onereward',
      'in its words: text alignment, claims asked of each picture, both orders',
      (given) =>
        oneRewardJudge({ task: 'fill', dimensions: ['text alignment'] }, seeingOneByOne(given, 'first')),
    ],
    [
      6,
      'rewarddance pair',
      'in its words: claims asked of each picture, both orders',
      (given) => rewardDanceJudge({}, seeingOneByOne(given, 'second')),
    ],
    [
      6,
      'rewarddance point',
      'in its words: the least sure claim of the caption',
      (given) => comparatorFromReward(rewardDance({ form: 'point' }, seeingOneByOne(given, 'first'))),
    ],
  ] satisfies readonly [number | undefined, string, string, JudgeRow['judge']][]
).map(([card, method, protocol, judge]) => ({
  ...(card === undefined ? {} : { card }),
  method,
  protocol,
  model: 'scenes-vlm',
  set: picturePairs,
  judge,
}))

/** What stands in a fence of the judge's prompt, without the number of an image. */
export function fencedText(messages: Conversation, name: string): string {
  const all = messages.map(({ text }) => text).join('')
  const fence = new RegExp(`<<<${name} ([0-9a-f]{8})>>>\\n([\\s\\S]*?)\\n<<<end of ${name} \\1>>>`)
  return (fence.exec(all)?.[2] ?? '').replace(/^\[image 1\]\s*/, '')
}

export const ownRows: readonly JudgeRow[] = [
  ...inItsWords('text-lm-sft', arithmeticPairs, textDialect),
  ...inItsWords('text-lm-sft', factPairs, textDialect),
  ...inItsWords('text-lm-sft', principlePairs, {
    first: prompt('{principle} {prompt} first {first} then {second} is first best ?'),
    second: prompt('{principle} {prompt} first {first} then {second} is then best ?'),
    alone: prompt('{principle} {prompt} {output} is the answer right ?'),
  }),
  ...asWritten('text-lm-sft', arithmeticPairs),
  ...inItsWords('scenes-vlm', answerPairs, sceneDialect),
  ...inItsWords('scenes-vlm', captionPairs, {
    first: sceneDialect.first,
    second: sceneDialect.second,
    alone: sceneDialect.alone,
  }),
  ...onCaptions,
  ...asWritten('scenes-vlm', answerPairs),
  ...onPictures,
  ...asWritten('scenes-vlm', picturePairs).filter(({ card }) => [2, 6, 35].includes(card!)),
]
