import { Rng } from '../../core/index.ts'
import {
  type Candidate,
  type CandidateOptions,
  drawCandidate,
  drawTask,
  goldAnswer,
  type TaskOptions,
  type TextTask,
  taskPrompt,
} from './task.ts'
import type { Vocabulary } from './tokenizer.ts'
import { marks, textVocabulary } from './vocabulary.ts'

/** One exchange as a language model reads it: `<bos> <user> prompt <assistant> answer <eos>`. */
export interface Dialogue {
  readonly ids: readonly number[]
  /** Index in `ids` of the answer's first token; everything from there on, the end mark included, is to be learnt. */
  readonly answerStart: number
}

/** @param answer left out for a prompt to be answered: then the dialogue ends with `<assistant>` */
export function dialogueOf(
  prompt: readonly string[],
  answer?: readonly string[],
  vocabulary: Vocabulary = textVocabulary,
): Dialogue {
  const ids = vocabulary.encodeTokens([marks.begin, marks.user, ...prompt, marks.assistant])
  const answerStart = ids.length
  if (answer !== undefined) ids.push(...vocabulary.encodeTokens(answer), vocabulary.id(marks.end))
  return { ids, answerStart }
}

/**
 * The exchange and what the user said next: `.. <eos> <user> reaction <eos>`. `answerStart` is then the index of the
 * reaction's first token, so that a model can learn (and score) reactions alone.
 */
export function dialogueWithReaction(
  prompt: readonly string[],
  answer: readonly string[],
  reaction: readonly string[],
  vocabulary: Vocabulary = textVocabulary,
): Dialogue {
  const ids = [...dialogueOf(prompt, answer, vocabulary).ids, vocabulary.id(marks.user)]
  const answerStart = ids.length
  return { ids: [...ids, ...vocabulary.encodeTokens(reaction), vocabulary.id(marks.end)], answerStart }
}

/** Tokens of a sampled answer: the ids up to the first end mark, without special tokens. */
export function answerOfIds(ids: readonly number[], vocabulary: Vocabulary = textVocabulary): string[] {
  const end = ids.indexOf(vocabulary.id(marks.end))
  return (end < 0 ? ids : ids.slice(0, end))
    .filter((id) => id >= vocabulary.special.length)
    .map((id) => vocabulary.tokens[id]!)
}

export interface CorpusOptions extends TaskOptions {
  /** Faultless answers only (as for supervised fine-tuning), or of every quality. @default 'mixed' */
  readonly answers?: 'good' | 'mixed'
  readonly candidates?: CandidateOptions
}

export interface CorpusItem extends Dialogue {
  readonly task: TextTask
  readonly answer: Candidate
}

/** Item number `index` of a seeded corpus, to be read in any order and without end. By default of all three kinds. */
export function corpusItem(seed: string | number, index: number, options: CorpusOptions = {}): CorpusItem {
  const { answers = 'mixed', candidates = {}, ...tasks } = options
  const rng = new Rng(`text/${seed}/${index}`)
  const task = drawTask(rng, { split: 'train', kinds: { instruction: 2, arithmetic: 1, tools: 1 }, ...tasks })
  const gold = answers === 'good' ? goldAnswer(task, rng) : undefined
  const answer = gold === undefined ? drawCandidate(task, rng, candidates) : { recipe: 'good', tokens: gold }
  return { task, answer, ...dialogueOf(taskPrompt(task), answer.tokens) }
}

/** Most tokens of a dialogue at default options; a context window of this many holds any item of the corpus. */
export const longestDialogue = 112
