import { Rng } from '../../core/index.ts'
import { type AnswerFormat, answerTokens, type Clause } from './answer-grammar.ts'
import { answerOf, flawedAnswer, goodAnswer } from './answers.ts'
import { goldArithmetic } from './arithmetic.ts'
import { arithmeticFaults, faultyArithmetic } from './arithmetic-check.ts'
import { drawInstruction, type Instruction } from './instruction.ts'
import { categories, items } from './lexicon.ts'
import { drawTask, goldAnswer, judgeTask, type Split, type TextTask, taskPrompt } from './task.ts'
import { textVocabulary } from './vocabulary.ts'

/** The six domains of a small best-of-four benchmark, after RewardBench 2. */
export const benchmarkDomains = ['Factuality', 'Precise IF', 'Math', 'Safety', 'Focus', 'Ties'] as const
export type BenchmarkDomain = (typeof benchmarkDomains)[number]

/** One prompt with right and wrong completions. One right and three wrong, except for ties. */
export interface BenchmarkItem {
  /** Ties come in pairs: `ref:3` has one right answer, `tied:3` many. */
  readonly id: string
  readonly subset: BenchmarkDomain
  readonly task: TextTask
  readonly chosen: readonly (readonly string[])[]
  readonly rejected: readonly (readonly string[])[]
}

/** A set of `perDomain` items of each domain (of ties: that many pairs), the same for the same seed. */
export function bestOfFour(
  seed: string | number,
  perDomain: number,
  { split = 'test' }: { readonly split?: Split } = {},
): BenchmarkItem[] {
  return benchmarkDomains.flatMap((subset) =>
    Array.from({ length: perDomain }, (_, index) => {
      const rng = new Rng(`best of four/${seed}/${subset}/${index}`)
      return subset === 'Ties' ? tiePair(index, rng) : [fourItem(`${subset}:${index}`, subset, split, rng)]
    }).flat(),
  )
}

/** The item in the columns of RewardBench 2's files, completions as text. */
export function benchmarkRow({ id, subset, task, chosen, rejected }: BenchmarkItem) {
  const text = (tokens: readonly string[]) => textVocabulary.join(tokens)
  return {
    id,
    prompt: text(taskPrompt(task)),
    chosen: chosen.map(text),
    rejected: rejected.map(text),
    num_correct: chosen.length,
    num_incorrect: rejected.length,
    total_completions: chosen.length + rejected.length,
    subset,
  }
}

type Maker = (
  split: Split,
  rng: Rng,
) => { task: TextTask; chosen: readonly string[] | undefined; wrong: () => readonly string[] | undefined }

const instructionFrom = (split: Split, rng: Rng, options: Parameters<typeof drawInstruction>[1]) =>
  drawTask(rng, { split, instruction: { ...options } }) as Instruction

const makers: Readonly<Record<Exclude<BenchmarkDomain, 'Ties'>, Maker>> = {
  Factuality: (split, rng) => {
    const task = instructionFrom(split, rng, { asks: { lookup: 1, describe: 1 } })
    return {
      task,
      chosen: goodAnswer(task, rng)?.tokens,
      wrong: () => flawedAnswer(task, 'truthfulness', rng)?.tokens,
    }
  },
  'Precise IF': (split, rng) => {
    const task = instructionFrom(split, rng, {
      asks: { lookup: 1, describe: 2, name: 1 },
      constraints: [2, 4],
    })
    return {
      task,
      chosen: goodAnswer(task, rng)?.tokens,
      wrong: () =>
        flawedAnswer(task, rng.pick(['conciseness', 'format', 'politeness', 'harmlessness'] as const), rng)
          ?.tokens,
    }
  },
  Math: (split, rng) => {
    const task = drawTask(rng, { split, kinds: { arithmetic: 1 } })
    if (task.task !== 'arithmetic') throw new RangeError('arithmetic was asked for')
    return {
      task,
      chosen: goldArithmetic(task),
      wrong: () => {
        const faulty = faultyArithmetic(task, rng.pick(arithmeticFaults), rng)
        return faulty?.isWrong ? faulty.tokens : undefined
      },
    }
  },
  Safety: (split, rng) => {
    // Dangerous questions are to be refused, harmless ones are not.
    const isDangerous = rng.chance(0.7)
    const task = instructionFrom(split, rng, {
      asks: isDangerous ? { refuse: 1 } : { lookup: 1, describe: 1 },
    })
    const recipes = isDangerous
      ? (['harmlessness', 'refusal', 'relevance'] as const)
      : (['refusal', 'relevance'] as const)
    return {
      task,
      chosen: goodAnswer(task, rng)?.tokens,
      wrong: () => answerOf(task, rng.pick(recipes), rng)?.tokens,
    }
  },
  Focus: (split, rng) => {
    const task = instructionFrom(split, rng, { asks: { lookup: 1, describe: 2, name: 1 } })
    return {
      task,
      chosen: goodAnswer(task, rng)?.tokens,
      // A right answer to another question, or an incomplete one to this.
      wrong: () =>
        rng.chance(0.5)
          ? goldAnswer(drawInstruction(rng, { asks: { lookup: 1, describe: 2, name: 1 } }), rng)
          : flawedAnswer(task, 'relevance', rng)?.tokens,
    }
  },
}

function fourItem(
  id: string,
  subset: Exclude<BenchmarkDomain, 'Ties'>,
  split: Split,
  rng: Rng,
): BenchmarkItem {
  for (;;) {
    const { task, chosen, wrong } = makers[subset](split, rng)
    if (chosen === undefined) continue
    const rejected = new Map<string, readonly string[]>()
    for (let attempt = 0; attempt < 60 && rejected.size < 3; attempt++) {
      const tokens = wrong()
      if (tokens !== undefined && judgeTask(task, tokens).total < 0.999)
        rejected.set(tokens.join(' '), tokens)
    }
    if (rejected.size === 3) return { id, subset, task, chosen: [chosen], rejected: [...rejected.values()] }
  }
}

/** "name one animals": every animal is right. Beside it a question of the same kind with one right answer. */
function tiePair(index: number, rng: Rng): BenchmarkItem[] {
  const category = rng.pick(Object.keys(categories) as (keyof typeof categories)[])
  const format = rng.pick(['sentence', 'list'] as const)
  const members = categories[category] as readonly string[]
  const strangers = rng.sample(
    [...items, ...categories.colours].filter((word) => !members.includes(word)),
    3,
  )
  const base = {
    task: 'instruction',
    facts: [],
    mostWords: null,
    format: null,
    polite: false,
    phrasing: rng.int(0, 12),
  } as const
  const ask = { kind: 'name', category, count: 1 } as const
  const answers = (words: readonly string[]) => words.map((word) => memberAnswer(word, format))
  const only = rng.pick(members)
  return [
    {
      id: `tied:${index}`,
      subset: 'Ties',
      task: { ...base, ask, avoid: [] },
      chosen: answers(rng.shuffled(members)),
      rejected: answers(strangers),
    },
    {
      id: `ref:${index}`,
      subset: 'Ties',
      task: { ...base, ask, avoid: members.filter((word) => word !== only) },
      chosen: answers([only]),
      rejected: answers(strangers),
    },
  ]
}

function memberAnswer(word: string, format: AnswerFormat): string[] {
  const clauses: Clause[] = [{ kind: 'member', word }]
  return answerTokens({ clauses, format })
}
