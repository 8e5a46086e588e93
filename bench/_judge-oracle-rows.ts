import { Rng } from '../src/core/index.ts'
import { verifier } from '../src/methods/master-keys-one-token.ts'
import { editPerspectives } from '../src/methods/multi-reward-condition-editing.ts'
import { oneRewardJudge } from '../src/methods/onereward.ts'
import { rewardAnything } from '../src/methods/rewardanything.ts'
import { rewardDanceJudge } from '../src/methods/rewarddance.ts'
import { rmR1Judge } from '../src/methods/rm-r1.ts'
import { unifiedReward, unifiedRewardJudge } from '../src/methods/unifiedreward.ts'
import { unifiedRewardThinkJudge } from '../src/methods/unifiedreward-think.ts'
import { comparatorFromReward } from '../src/rewards/convert.ts'
import { noisyOracle, scriptedChoices, textOfConversation } from '../tests/judges.ts'
import { arithmeticPairs } from './_judge-sets.ts'
import type { JudgeRow } from './_judge-table.ts'

// What the protocols make of a judge that knows the truth and errs: one reply in five says the opposite. A protocol that
// loses nothing comes out at 80% on pairs that it asks about once, and at 80% with ties of the two orders by a coin.

const error = 0.2
let known: Set<string> | undefined
/** Whether an output is one of the right ones. */
function isRight(output: string): boolean {
  known ??= new Set(arithmeticPairs.pairs(500).map(({ a }) => String(a.output).trim()))
  return known.has(output.trim())
}

/** Fenced material by name. */
function material(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/<<<([^<>]+) ([0-9a-f]{8})>>>\n([\s\S]*?)\n<<<end of \1 \2>>>/g)].map(
      ([, name, , inner]) => [name!, inner!],
    ),
  )
}

/** Says the first or the second reply, by whether the named output is right. */
const saying = (name: string, whenRight: string, whenWrong: string) =>
  noisyOracle((text) => (isRight(material(text)[name]!) ? [whenRight, whenWrong] : [whenWrong, whenRight]), {
    error,
  }).model

const sayingYes = (name: string) =>
  scriptedChoices((messages) => {
    const text = textOfConversation(messages)
    const isYes = isRight(material(text)[name]!) !== new Rng(`oracle/${text}`).chance(error)
    return isYes ? 0.9 : 0.1
  }).model

const object = (score: number) =>
  JSON.stringify({ following: 'yes', consistent: 'yes', clear: 'yes', score, fault: 'None' })

/** Scores each output of a list by itself, wrong one time in five. */
const scoringLists = noisyOracle(
  (text) => {
    const models = Object.entries(material(text)).filter(([name]) => name.startsWith('model-'))
    const verdict = (flip: boolean) =>
      JSON.stringify({
        scores: Object.fromEntries(models.map(([name, output]) => [name, isRight(output) !== flip ? 5 : 1])),
      })
    return [verdict(false), verdict(true)]
  },
  { error },
).model

const judges: readonly [card: number, method: string, protocol: string, judge: JudgeRow['judge']][] = [
  [2, 'onereward', 'pair, both orders', () => oneRewardJudge({ task: 'remove' }, sayingYes('result 1'))],
  [6, 'rewarddance', 'pair, both orders', () => rewardDanceJudge({}, sayingYes('sample 2'))],
  [
    18,
    'rewardanything',
    'list of two, three permutations',
    () => comparatorFromReward(rewardAnything({ principle: 'Prefer the right answer.' }, scoringLists)),
  ],
  [
    20,
    'unifiedreward-think',
    'pair, both orders',
    () =>
      unifiedRewardThinkJudge(
        {},
        saying('Answer 1', '<answer>Answer 1 is better</answer>', '<answer>Answer 2 is better</answer>'),
      ),
  ],
  [
    25,
    'verifier',
    'point, yes or no',
    () => comparatorFromReward(verifier({}, saying('response', 'YES', 'NO'))),
  ],
  [
    35,
    'edit-perspectives',
    'point, three perspectives',
    () => comparatorFromReward(editPerspectives({}, saying('edited image', object(5), object(1)))),
  ],
  [
    37,
    'unifiedreward',
    'pair, both orders',
    () =>
      unifiedRewardJudge(
        {},
        saying(
          'Answer 1',
          '<answer>Answer 1 is better than Answer 2</answer>',
          '<answer>Answer 2 is better than Answer 1</answer>',
        ),
      ),
  ],
  [
    37,
    'unifiedreward',
    'point',
    () => comparatorFromReward(unifiedReward({}, saying('Answer', 'Final Score: 90', 'Final Score: 20'))),
  ],
  [
    40,
    'rm-r1',
    'pair, both orders',
    () => rmR1Judge({}, saying('answer A', '<answer>[[A]]</answer>', '<answer>[[B]]</answer>')),
  ],
]

/** Every method as written, judged by an oracle that errs. */
export const oracleRows: readonly JudgeRow[] = judges.map(([card, method, protocol, judge]) => ({
  card,
  method,
  protocol: `as written, oracle that errs in a fifth: ${protocol}`,
  model: 'none',
  set: arithmeticPairs,
  judge,
}))
