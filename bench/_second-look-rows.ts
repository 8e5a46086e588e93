import { type Comparator, type Pair, Rng, type Sample } from '../src/core/index.ts'
import { listenerRewardedThinking } from '../src/methods/listener-rewarded-thinking.ts'
import { factsJudge } from '../src/methods/perception-r1/visual-facts.ts'
import { visionSr1 } from '../src/methods/vision-sr1.ts'
import { ask, type ChatMessage, type ChatModel } from '../src/models/chat-model.ts'
import { failed, isFailed } from '../src/models/outcome.ts'
import type { ChoiceModel } from '../src/models/token-model.ts'
import type { EmbeddedLanguageModel } from '../src/nets/embedded/index.ts'
import { comparatorFromReward } from '../src/rewards/convert.ts'
import { byProbability, type JudgePrompt, pairJudge } from '../src/rewards/judge/index.ts'
import { length } from '../src/rewards/verifiable/text/length.ts'
import { scenes, text } from '../src/worlds/index.ts'
import { parseCaption } from '../src/worlds/scenes/caption-parser.ts'
import { isTrue } from '../src/worlds/scenes/claims.ts'
import { factsFor } from '../src/worlds/scenes/facts.ts'
import { answerTo, parseQuery, queryText } from '../src/worlds/scenes/query.ts'
import { fencedText, likelihoodComparator } from './_judge-adapters.ts'
import type { PairSet } from './_judge-sets.ts'
import type { JudgeRow } from './_judge-table.ts'
import { reactions } from './_more-judge-rows.ts'

// Judges that look at what an answer rests on: a description, thoughts, facts, or what a user says to it.

const prompt = (user: string): JudgePrompt => ({ version: '1', user })
const plain = { fence: 'plain' } as const
const yesOrNo = { yes: ['yes'], no: ['no'] } as const
const world = scenes.sceneWorld({ seed: 'judges', split: 'test', objects: [1, 5] })
const kinds: readonly scenes.QuestionKind[] = ['existence', 'count', 'colour', 'shape', 'size', 'place']

/** A question about a scene, and another scene with another answer to it. */
interface Asked {
  readonly id: string
  readonly scene: scenes.Scene
  readonly question: string
  readonly answer: string
  /** What must be known of the scene, and what would be true of the other one. */
  readonly facts: readonly string[]
  readonly otherFacts: readonly string[]
}

function questions(count: number): Asked[] {
  const all: Asked[] = []
  for (let index = 0; all.length < count; index++) {
    const scene = world.scene(index)
    const kind = kinds[index % kinds.length]!
    const question = scenes.drawQuestion(scene, kind, new Rng(`judges/looks/${index}`))
    const query = question && parseQuery(question.text)
    if (question === undefined || query === undefined) continue
    for (let other = index + 1; other < index + 100; other++) {
      const answer = answerTo(world.scene(other), query)
      if (answer === undefined || answer === question.answer) continue
      const facts = factsFor(scene, query)
      const otherFacts = factsFor(world.scene(other), query)
      if (facts.length > 0 && otherFacts.length > 0)
        all.push({
          id: `look-${index}`,
          scene,
          question: question.text,
          answer: question.answer,
          facts,
          otherFacts,
        })
      break
    }
  }
  return all
}

function questionPairs(
  name: string,
  what: string,
  output: (asked: Asked, facts: readonly string[]) => string,
  more: (asked: Asked) => Partial<Sample> = () => ({}),
): PairSet {
  return {
    name,
    what,
    pairs: (count) =>
      questions(count).map((asked): Pair => {
        const sample = (side: string, facts: readonly string[]): Sample => ({
          id: `${asked.id}/${side}`,
          prompt: [scenes.imagePart(asked.scene), { type: 'text', text: asked.question }],
          output: output(asked, facts),
          reference: asked.answer,
          meta: {},
          ...more(asked),
        })
        return { id: asked.id, a: sample('right', asked.facts), b: sample('wrong', asked.otherFacts) }
      }),
  }
}

const describedPairs = questionPairs(
  'scenes: descriptions',
  'the right answer after a true description, against the same after a description of another scene',
  ({ answer }, facts) =>
    `<description>${facts.join(' ')}</description><think>So it is seen.</think>\\boxed{${answer}}`,
)

const statedPairs = questionPairs(
  'scenes: stated facts',
  'the right answer with the facts that it rests on, against the same with those of another scene',
  ({ answer }, facts) => `${facts.join(' ')} ${answer}`,
  ({ facts }) => ({ meta: { facts: [...facts] } }),
)

/** The policy without eyes: it answers from the description alone. */
function readingAlone(model: EmbeddedLanguageModel): ChatModel {
  return {
    id: `reading alone: ${model.id}`,
    chat: async (conversations) => {
      const replies = await model.chat(
        conversations.map((messages) => {
          const said = messages.map(({ text }) => text).join('\n')
          const [, description = '', question = ''] =
            /description: ([^\n]*)\nQuestion: ([^\n]*)/.exec(said) ?? []
          return ask(`${description} ${question}`)
        }),
      )
      return replies.map((reply) =>
        reply.text === null ? reply : { ...reply, text: `<think></think>\\boxed{${reply.text}}` },
      )
    },
  }
}

/** The claims of a text that can be asked about. */
function claimsOf(caption: string) {
  return parseCaption(caption).claims.flatMap(({ claim }) =>
    claim.kind === 'opinion' || claim.kind === 'absence' ? [] : [claim],
  )
}

/** A judge that reads text alone: whether a fact follows from an answer is asked as a question about its words. */
function findingFacts(model: EmbeddedLanguageModel): ChatModel {
  return {
    id: `finding facts: ${model.id}`,
    chat: async (conversations) => {
      const shown = conversations.map((messages) => ({
        answer: fencedText(messages, 'answer'),
        facts: fencedText(messages, 'facts').split('\n'),
      }))
      const asked = shown.flatMap(({ answer, facts }) =>
        facts.map((fact) => {
          const [claim] = claimsOf(fact.replace(/^\d+\. /, ''))
          return ask(`${answer} ${claim === undefined ? fact : queryText({ ask: 'whether', claim })}`)
        }),
      )
      const found = [...(await model.choices(asked, yesOrNo))]
      return shown.map(({ facts }) => {
        const verdicts = facts.map((_, index) => {
          const outcome = found.shift()!
          return `<info${index + 1}>${isFailed(outcome) ? 0 : outcome.among.yes.toFixed(4)}</info${index + 1}>`
        })
        return { text: verdicts.join(' '), finish: 'stop' as const }
      })
    },
  }
}

/** Likelihood of what stands before the answer, without tags. */
function descriptionLikelihood(given: EmbeddedLanguageModel): Comparator {
  const comparator = likelihoodComparator(given)
  const described = (sample: Sample): Sample => ({
    ...sample,
    prompt: [(sample.prompt as readonly never[])[0]!, { type: 'text', text: scenes.captionPrompt('short') }],
    output: String(sample.output).replace(/^<description>(.*)<\/description>.*$/s, '$1'),
  })
  return {
    ...comparator,
    compare: (pairs, context) =>
      comparator.compare(
        pairs.map((pair) => ({ ...pair, a: described(pair.a), b: described(pair.b) })),
        context,
      ),
  }
}

const thoughtPairs: PairSet = {
  name: 'scenes: thoughts',
  what: 'the right choice of two pictures after true thoughts, against the same after thoughts that are turned round',
  pairs: (count) => {
    const pairs: Pair[] = []
    for (let index = 0; pairs.length < count; index++) {
      const found = scenes.captionedPair(world.scene(index), new Rng(`judges/thoughts/${index}`), {
        style: 'short',
      })
      if (found === undefined) continue
      const claims = claimsOf(found.caption)
      const said = (turned: boolean) =>
        claims.flatMap((claim) =>
          found.scenes.map((scene, place) => {
            const truth = isTrue(scene, claim) === true
            const sayTruth = isTrue(found.scenes[0], claim) === isTrue(found.scenes[1], claim) || !turned
            return `${'AB'[place]}: ${queryText({ ask: 'whether', claim })} ${truth === sayTruth ? 'yes' : 'no'}`
          }),
        )
      const sample = (side: string, turned: boolean): Sample => ({
        id: `thought-${index}/${side}`,
        prompt: [...found.scenes.map(scenes.imagePart), { type: 'text', text: found.caption }],
        output: `<think>${said(turned).join('\n')}</think><answer>${found.answer}</answer>`,
        reference: found.answer,
        meta: {},
      })
      pairs.push({ id: `thought-${index}`, a: sample('right', false), b: sample('wrong', true) })
    }
    return pairs
  },
}

/**
 * A model that sees one picture, made to listen: every thought counts for or against its picture, as far as the model
 * finds it right when it looks (or as it is said, `checks` false).
 */
function listening(model: EmbeddedLanguageModel, checks: boolean): ChoiceModel {
  return {
    id: `listening${checks ? ' and looking' : ''}: ${model.id}`,
    choices: async (conversations) => {
      const heard = conversations.flatMap((messages, index) => {
        const pictures = picturesOf(messages)
        return [...fencedText(messages, 'thoughts').matchAll(/^([AB]): (.*\?) (yes|no)$/gm)].map(
          ([, picture, question, said]) => ({
            index,
            isA: picture === 'A',
            saysYes: said === 'yes',
            messages: ask(question!, pictures[picture as 'A' | 'B']!),
          }),
        )
      })
      const found = checks
        ? await model.choices(
            heard.map(({ messages }) => messages),
            yesOrNo,
          )
        : undefined
      return conversations.map((_, index) => {
        let forA = 0
        for (const [at, { index: mine, isA, saysYes }] of heard.entries()) {
          const seen = found?.[at]
          if (mine !== index || isFailed(seen)) continue
          const credible = seen === undefined ? 1 : saysYes ? seen.among.yes : seen.among.no
          forA += (isA === saysYes ? 1 : -1) * credible
        }
        if (!heard.some((each) => each.index === index))
          return failed('not-applicable', 'no thought is heard')
        const yes = 1 / (1 + Math.exp(-forA))
        return { full: { yes, no: 1 - yes }, among: { yes, no: 1 - yes } } as never
      })
    },
  }
}

function picturesOf(messages: readonly ChatMessage[]) {
  const said = messages.map((message) => message.text).join('')
  const images = messages.flatMap(({ images = [] }) => images)
  const aFirst = said.indexOf('<<<image A ') < said.indexOf('<<<image B ')
  return aFirst ? { A: images[0], B: images[1] } : { A: images[1], B: images[0] }
}

const inText = (tokens: readonly string[]) => text.textVocabulary.join(tokens)

const qualityPairs: PairSet = {
  name: 'text: faults',
  what: 'a faultless answer against one with a fault',
  pairs: (count) => {
    const pairs: Pair[] = []
    for (let index = 0; pairs.length < count; index++) {
      const instruction = text.taskAt('judges/faults', index, {
        kinds: { instruction: 1 },
        split: 'test',
      }) as text.Instruction
      const rng = new Rng(`judges/faults/${index}`)
      const good = text.goodAnswer(instruction, rng)
      const faults = {
        relevance: 1,
        truthfulness: 1,
        harmlessness: 1,
        conciseness: 1,
        format: 1,
        politeness: 1,
      }
      const bad = text.drawAnswer(instruction, rng, { recipes: faults })
      if (good === undefined || text.judgeAnswer(instruction, bad.tokens).total >= 1) continue
      const sample = (side: string, tokens: readonly string[]): Sample => ({
        id: `fault-${index}/${side}`,
        prompt: inText(text.taskPrompt(instruction)),
        output: inText(tokens),
        meta: {},
      })
      pairs.push({ id: `fault-${index}`, a: sample('right', good.tokens), b: sample('wrong', bad.tokens) })
    }
    return pairs
  },
}

const row = (
  card: number | undefined,
  method: string,
  protocol: string,
  model: JudgeRow['model'],
  set: PairSet,
  judge: JudgeRow['judge'],
): JudgeRow => ({ ...(card === undefined ? {} : { card }), method, protocol, model, set, judge })

const vlm = 'scenes-vlm'

export const secondLookRows: readonly JudgeRow[] = [
  row(15, 'vision-sr1', 'as written', vlm, describedPairs, (given) =>
    comparatorFromReward(visionSr1({ stream: 'vision' }, given)),
  ),
  row(undefined, 'plain', 'answer and format alone', vlm, describedPairs, (given) =>
    comparatorFromReward(visionSr1({ stream: 'answer' }, given)),
  ),
  row(
    undefined,
    'likelihood',
    'of the description, with the picture',
    vlm,
    describedPairs,
    descriptionLikelihood,
  ),
  row(15, 'vision-sr1', 'in its words: answers from the description alone', vlm, describedPairs, (given) =>
    comparatorFromReward(visionSr1({ stream: 'vision' }, readingAlone(given))),
  ),
  row(19, 'listener', 'as written', vlm, thoughtPairs, (given) =>
    comparatorFromReward(listenerRewardedThinking({}, given)),
  ),
  row(undefined, 'plain', 'answer and format alone', vlm, thoughtPairs, (given) =>
    comparatorFromReward(listenerRewardedThinking({ listenerWeight: 0 }, listening(given, false))),
  ),
  row(19, 'listener', 'believes what it hears, sees nothing', vlm, thoughtPairs, (given) =>
    comparatorFromReward(listenerRewardedThinking({}, listening(given, false))),
  ),
  row(19, 'listener', 'in its words: looks whether each thought is right', vlm, thoughtPairs, (given) =>
    comparatorFromReward(listenerRewardedThinking({}, listening(given, true))),
  ),
  row(44, 'perception-r1 facts', 'as written', vlm, statedPairs, (given) =>
    comparatorFromReward(factsJudge(given, { variant: 'guarded' })),
  ),
  row(undefined, 'length', 'the longer answer', 'none', statedPairs, () => comparatorFromReward(length())),
  row(undefined, 'likelihood', 'of the answer, with the picture', vlm, statedPairs, likelihoodComparator),
  row(
    44,
    'perception-r1 facts',
    'in its words: each fact asked of the answer’s text',
    vlm,
    statedPairs,
    (given) => comparatorFromReward(factsJudge(findingFacts(given), { variant: 'guarded' })),
  ),
  row(undefined, 'length', 'the longer answer', 'none', qualityPairs, () => comparatorFromReward(length())),
  row(
    undefined,
    'plain question',
    'P(yes) to "is the first best", both orders',
    'text-lm-sft',
    qualityPairs,
    (given) =>
      pairJudge({
        name: 'p',
        prompt: prompt('{prompt} first {first} then {second} is first best ?'),
        ask: byProbability(given, yesOrNo),
        ...plain,
      }),
  ),
  row(undefined, 'likelihood', 'of the answer', 'text-lm-sft', qualityPairs, likelihoodComparator),
  row(
    86,
    'follow-up likelihood',
    'in its words, a model that never saw reactions',
    'text-lm-sft',
    qualityPairs,
    (given) => reactions(given),
  ),
  row(86, 'follow-up likelihood', 'trained on reactions', 'text-reactions', qualityPairs, (given) =>
    reactions(given, 'seen'),
  ),
  row(
    86,
    'follow-up likelihood',
    'trained on reactions, unseen wordings',
    'text-reactions',
    qualityPairs,
    (given) => reactions(given, 'unseen'),
  ),
  row(
    86,
    'follow-up likelihood',
    'trained on reactions, praise alone',
    'text-reactions',
    qualityPairs,
    (given) => reactions(given, 'seen', 'positive'),
  ),
]
