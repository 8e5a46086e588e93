import type { ReplyReader } from './asking.ts'
import {
  type ChoiceOptions,
  type ListVerdict,
  parseChoice,
  parseList,
  parseScore,
  parseYesNo,
  type ScoreReadingOptions,
  type VerdictWordOptions,
} from './verdict.ts'

/** Reads which of two is better as a pair judge's vote: 1 the first, 0 the second, 0.5 a tie. */
export function preferenceReader(options: ChoiceOptions): ReplyReader<number> {
  return {
    params: { choice: { ...options } },
    read: (reply) => {
      const choice = parseChoice(reply, options)
      return choice === undefined ? undefined : choice === 'tie' ? 0.5 : choice === 0 ? 1 : 0
    },
  }
}

/** Reads yes as 1 and no as 0. */
export function yesNoReader(options: VerdictWordOptions = {}): ReplyReader<number> {
  return {
    params: { yesNo: { ...options } },
    read: (reply) => {
      const verdict = parseYesNo(reply, options)
      return verdict === undefined ? undefined : Number(verdict)
    },
  }
}

/** Reads a score in the units of the prompt. */
export function scoreReader(options: ScoreReadingOptions = {}): ReplyReader<number> {
  return { params: { score: { ...options } }, read: (reply) => parseScore(reply, options) }
}

/** Reads scores and ranking of a list. */
export const listReader: ReplyReader<ListVerdict> = { params: 'list', read: parseList }
