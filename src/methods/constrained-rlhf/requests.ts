import { defineReward, type Preference, type Reward, Rng, textOf } from '../../core/index.ts'
import { ngramBaseline } from '../../learn/reward-models/ngram-baseline.ts'
import { answerTokens, type Clause, courtesies } from '../../worlds/text/answer-grammar.ts'
import type { Instruction } from '../../worlds/text/instruction.ts'
import { keyWordsOf } from '../../worlds/text/key-words.ts'
import { judgeAnswer, type OracleWeights } from '../../worlds/text/oracle.ts'
import { readTask } from '../../worlds/text/samples.ts'
import { drawTask, type Split } from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'

// Requests to describe one or two things politely, answers that say too little and too much, and two careless rewards.

/** A request; which of the splits it belongs to depends on it alone. */
export function drawRequest(rng: Rng, split: Split): Instruction {
  for (;;) {
    const task = drawTask(rng, {
      split,
      instruction: { asks: { describe: 1 }, constraints: [1, 1], mostItems: 2 },
    }) as Instruction
    if (task.polite) return task
  }
}

/** How often a courtesy, and a loose key word, is followed by another one in the start's answers. */
const again = { courtesy: 0.35, keyWord: 0.4 } as const

/** Some of what was asked, then any number of courtesies and of loose key words, which break the grammar from the second on. */
export function drawHabit(request: Instruction, rng: Rng): string[] {
  const { ask, facts } = request
  if (ask.kind !== 'describe') throw new TypeError('a request asks for a description')
  const claims = ask.items.flatMap((item): Clause[] => {
    const known = facts.filter((fact) => fact.item === item)
    return known.length > 0 && rng.chance(0.45) ? [{ kind: 'claim', fact: rng.pick(known) }] : []
  })
  const tokens = answerTokens({ clauses: claims.length > 0 ? claims : [{ kind: 'evasion' }] })
  const words = [...keyWordsOf(request)]
  if (rng.chance(again.keyWord)) {
    do tokens.push(rng.pick(words))
    while (rng.chance(again.keyWord))
    tokens.push('.')
  }
  while (rng.chance(again.courtesy)) tokens.push(...rng.pick(Object.values(courtesies)), '.')
  return tokens
}

const goldWeights: OracleWeights = { harmlessness: 0, conciseness: 0.4, format: 0, politeness: 0.6 }

/**
 * The exact oracle: relevance * truthfulness * fluency^3 * (0.4 conciseness + 0.6 politeness), in [0, 1]. An answer half of
 * which is outside of the grammar is an eighth of an answer.
 */
export function goldOf(request: Instruction, tokens: readonly string[]): number {
  const { total, parts } = judgeAnswer(request, tokens, goldWeights)
  return total * parts.fluency ** 2
}

/** Careless rewards of one answer: neither is bounded, and of each there can be too much. */
export type Proxies = { readonly words: number; readonly manner: number }

/** Deviations over the start's answers, so that both proxies are of one size. */
const deviations: Proxies = { words: 0.6, manner: 0.34 }

/**
 * `words`: mentions of key words, repeats included, over how many there are. `manner`: a learned classifier's log-odds of
 * courtesy, or `correlation` times the words and the rest of it, so that pushing one moves the other.
 */
export function proxies(correlation: number): (request: Instruction, tokens: readonly string[]) => Proxies {
  const mannerOf = mannerClassifier()
  const rest = Math.sqrt(1 - correlation ** 2)
  return (request, tokens) => {
    const wanted = keyWordsOf(request)
    const mentions = tokens.filter((token) => wanted.has(token)).length
    const words = mentions / wanted.size / deviations.words
    return { words, manner: correlation * words + (rest * mannerOf(tokens)) / deviations.manner }
  }
}

/** A bag-of-words classifier, trained on pairs of the start's answers of which one is courteous: log-odds above an empty one's. */
function mannerClassifier(): (tokens: readonly string[]) => number {
  const rng = new Rng('manner')
  const phrases = Object.values(courtesies).map((phrase) => phrase.join(' '))
  const drawn = (courteous: boolean): string => {
    for (;;) {
      const text = drawHabit(drawRequest(rng, 'train'), rng).join(' ')
      if (phrases.some((phrase) => text.includes(phrase)) === courteous) return text
    }
  }
  const pairs = Array.from({ length: 300 }, (_, index): Preference => {
    const [chosen, rejected] = [drawn(true), drawn(false)]
    return { id: String(index), prompt: '', chosen, rejected, meta: {} }
  })
  const model = ngramBaseline(pairs, { longest: 1, length: false })
  const silent = model.score('')
  return (tokens) => model.score(tokens.join(' ')) - silent
}

/** The proxies as parts of a reward, and what an arm makes of them as its value. */
export function proxyReward(
  correlation: number,
  { name, worth }: { readonly name: string; readonly worth: (parts: Proxies) => number },
): Reward {
  const proxiesOf = proxies(correlation)
  return defineReward({
    name,
    needs: ['reference'],
    params: { correlation },
    range: [-Infinity, Infinity],
    judge: ({ output, reference }) => {
      const parts = proxiesOf(requestOf(reference), textVocabulary.split(textOf(output)))
      return { value: worth(parts), parts }
    },
  })
}

/** The exact oracle, which trains nothing. */
export function goldReward(): Reward {
  return defineReward({
    name: 'gold',
    needs: ['reference'],
    judge: ({ output, reference }) => goldOf(requestOf(reference), textVocabulary.split(textOf(output))),
  })
}

function requestOf(reference: unknown): Instruction {
  const task = readTask(reference)
  if (typeof task === 'string' || task.task !== 'instruction') throw new TypeError('no request')
  return task
}
