import type { Comparator, Comparison, Pair, ScoreContext } from '../src/core/index.ts'
import { textOf } from '../src/core/index.ts'
import type { ChatImage } from '../src/models/chat-image.ts'
import type { ChatModel } from '../src/models/chat-model.ts'
import { failed, isFailed } from '../src/models/outcome.ts'
import type { ChoiceModel } from '../src/models/token-model.ts'
import type { EmbeddedLanguageModel } from '../src/nets/embedded/index.ts'
import { type Conversation, conversationsOf } from '../src/rewards/judge/conversations.ts'
import { renderQuery } from '../src/rewards/judge/judge-prompt.ts'
import { parseCaption } from '../src/worlds/scenes/caption-parser.ts'
import { captionPrompt } from '../src/worlds/scenes/exchange.ts'
import { queryText } from '../src/worlds/scenes/query.ts'
import { arithmeticPairs, type PairSet } from './_judge-sets.ts'

// Small models that cannot follow a judge's prompt, made to do what it asks for with the questions that they know.

/** What they answer to a claim. */
export const words = { yes: ['yes'], no: ['no'] } as const

const prompt = (user: string) => ({ version: '1', user })

/** Prefers the answer that the model finds likelier, per token. */
export function likelihoodComparator(model: EmbeddedLanguageModel): Comparator {
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
export function solvingFirst(model: EmbeddedLanguageModel, set: PairSet): ChatModel {
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
export function claimByClaim(
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
export function thoughtOf([first = 0, second = 0]: readonly number[]): string {
  const ten = (value: number) => (1 + 9 * value).toFixed(6)
  if (first === second) return 'neither'
  return `<think>correctness: Answer 1 (${ten(first)}/10) - its least sure claim; Answer 2 (${ten(second)}/10) - its least sure claim
Answer 1: ${ten(first)} = ${ten(first)}
Answer 2: ${ten(second)} = ${ten(second)}</think><answer>Answer ${first > second ? 1 : 2} is better</answer>`
}

export const masked = (messages: Conversation) =>
  [
    ...messages
      .map(({ text }) => text)
      .join('')
      .matchAll(/<<<(model-\d+) [0-9a-f]{8}>>>/g),
  ].map(([, name]) => name!)

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
export function seeingOneByOne(model: EmbeddedLanguageModel, asked: 'first' | 'second'): ChoiceModel {
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
export function captionLikelihood(model: EmbeddedLanguageModel): Comparator {
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

/** What stands in a fence of the judge's prompt, without the number of an image. */
export function fencedText(messages: Conversation, name: string): string {
  const all = messages.map(({ text }) => text).join('')
  const fence = new RegExp(`<<<${name} ([0-9a-f]{8})>>>\\n([\\s\\S]*?)\\n<<<end of ${name} \\1>>>`)
  return (fence.exec(all)?.[2] ?? '').replace(/^\[image 1\]\s*/, '')
}
