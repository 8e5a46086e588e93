import type { Comparator } from '../src/core/index.ts'
import { verifier } from '../src/methods/master-keys-one-token.ts'
import { editPerspectives } from '../src/methods/multi-reward-condition-editing.ts'
import { oneRewardJudge } from '../src/methods/onereward.ts'
import { rewardAnything } from '../src/methods/rewardanything.ts'
import { rewardDance, rewardDanceJudge } from '../src/methods/rewarddance.ts'
import { rmR1Judge } from '../src/methods/rm-r1.ts'
import { unifiedReward, unifiedRewardJudge } from '../src/methods/unifiedreward.ts'
import { unifiedRewardThinkJudge } from '../src/methods/unifiedreward-think.ts'
import type { EmbeddedLanguageModel } from '../src/nets/embedded/index.ts'
import { comparatorFromReward } from '../src/rewards/convert.ts'
import { byProbability, type JudgePrompt, pairJudge, pointJudge } from '../src/rewards/judge/index.ts'
import {
  captionLikelihood,
  claimByClaim,
  likelihoodComparator,
  masked,
  seeingOneByOne,
  solvingFirst,
  thoughtOf,
  words,
} from './_judge-adapters.ts'
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
