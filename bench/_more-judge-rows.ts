import { type Comparator, type Part, Rng, type Sample, textOf } from '../src/core/index.ts'
import { contextAwareJudge } from '../src/methods/context-aware-preference.ts'
import { type DialogueTurns, followUpLikelihood } from '../src/methods/follow-up-likelihood-reward.ts'
import { gvl } from '../src/methods/gvl.ts'
import { imageInWordsJudge } from '../src/methods/imageinwords.ts'
import { reagentV } from '../src/methods/reagent-v.ts'
import { rpoLambdaHarmonic } from '../src/methods/rpo-lambda-harmonic.ts'
import { universe } from '../src/methods/universe.ts'
import { vilbench } from '../src/methods/vilbench.ts'
import { visionPrefer } from '../src/methods/visionprefer-vpscore.ts'
import { vlmRm } from '../src/methods/vlm-rm.ts'
import type { ChatImage } from '../src/models/chat-image.ts'
import { ask, type ChatMessage, type ChatModel } from '../src/models/chat-model.ts'
import { isFailed } from '../src/models/outcome.ts'
import type { EmbeddedLanguageModel } from '../src/nets/embedded/index.ts'
import { comparatorFromReward } from '../src/rewards/convert.ts'
import { similarity } from '../src/rewards/embedding/similarity.ts'
import { byProbability, type JudgePrompt, pairJudge } from '../src/rewards/judge/index.ts'
import { scenes, text } from '../src/worlds/index.ts'
import { parseCaption } from '../src/worlds/scenes/caption-parser.ts'
import { queryText } from '../src/worlds/scenes/query.ts'
import { fencedText } from './_judge-adapters.ts'
import {
  answerPairs,
  arithmeticPairs,
  captionPairs,
  factPairs,
  type PairSet,
  picturePairs,
} from './_judge-sets.ts'
import type { JudgeRow } from './_judge-table.ts'

// As in `_judge-rows.ts`: with their own words, and with the protocol in words that the model knows.

const prompt = (user: string): JudgePrompt => ({ version: '1', user })
const plain = { fence: 'plain' } as const
const yesOrNo = { yes: ['yes'], no: ['no'] } as const
const inText = (tokens: readonly string[]) => text.textVocabulary.join(tokens)

const contextPairs: PairSet = {
  name: 'text: contexts',
  what: 'the answer that a context favours, each pair in two contexts that turn it round',
  pairs: (count) =>
    Array.from({ length: Math.ceil(count / 2) }, (_, index) => {
      const { instruction, a, b, x, y } = text.contextRow('judges', index)
      const sample = (id: string, output: readonly string[], quality: text.ContextQuality): Sample => ({
        id: `context-${index}/${quality}/${id}`,
        prompt: inText(text.taskPrompt(instruction)),
        output: inText(output),
        meta: { context: inText(text.contextTokens(quality, 'criterion', new Rng(index))) },
      })
      return [
        { id: `context-${index}/x`, a: sample('a', a, x), b: sample('b', b, x) },
        { id: `context-${index}/y`, a: sample('b', b, y), b: sample('a', a, y) },
      ]
    }).flat(),
}

/** A clip that does what it should, against the same backwards, or with a fault. */
function clipPairs(
  name: string,
  what: string,
  other: (clip: scenes.Clip, rng: Rng) => scenes.Clip | undefined,
): PairSet {
  return {
    name,
    what,
    pairs: (count) =>
      Array.from({ length: 3 * count }, (_, index) => {
        const rng = new Rng(`judges/clips/${index}`)
        const clip = scenes.drawClip(`clip-${index}`, rng, { steps: [1, 1], objects: [1, 1] })
        const questions = scenes.rolloutQuestions(clip, rng)
        const wrong = other(clip, rng)
        if (questions === undefined || wrong === undefined || !clip.steps[0]![0]!.action.startsWith('moves'))
          return []
        const sample = (side: string, shown: scenes.Clip): Sample => {
          const [video] = scenes.clipSample(shown, '').prompt as readonly Part[]
          return {
            id: `clip-${index}/${side}`,
            prompt: scenes.clipCaption(clip),
            output: [video!],
            reference: questions,
            meta: {},
          }
        }
        return [{ id: `clip-${index}`, a: sample('right', clip), b: sample('wrong', wrong) }]
      })
        .flat()
        .slice(0, count),
  }
}
const reversedClips = clipPairs('scenes: clips', 'a clip against the same backwards', (clip) => ({
  ...clip,
  frames: clip.frames.toReversed(),
}))
const faultyClips = clipPairs('scenes: rollouts', 'a clip against one with another action', (clip, rng) =>
  scenes.faultyClip(clip, 'wrong action', rng),
)

const row = (
  card: number | undefined,
  method: string,
  protocol: string,
  model: JudgeRow['model'],
  set: PairSet,
  judge: (model: EmbeddedLanguageModel) => Comparator,
): JudgeRow => ({ ...(card === undefined ? {} : { card }), method, protocol, model, set, judge })

/** Follow-ups of the text world, in the user's own turn. */
export function reactions(
  given: EmbeddedLanguageModel,
  phrasing: 'all' | 'seen' | 'unseen' = 'all',
  signs: 'difference' | 'positive' = 'difference',
): Comparator {
  const facets = Object.fromEntries(
    text.reactionFacets.map((facet) => {
      const { positive, negative } = text.reactionSet({ facet, phrasing })
      return [facet, { positive: positive.map(inText), negative: negative.map(inText) }]
    }),
  )
  const turns: DialogueTurns = {
    tokenizer: given.tokenizer,
    end: given.end,
    user: [given.tokenizer.id(text.marks.user)],
  }
  return comparatorFromReward(followUpLikelihood({ facets, signs }, given, turns))
}

const contextWords = prompt('{context} {prompt} first {first} then {second} is first best ?')
const withoutContextWords = prompt('{prompt} first {first} then {second} is first best ?')

/** Answers as their sentences, for judges of steps. */
function inSteps(comparator: Comparator): Comparator {
  const split = (sample: Sample): Sample => ({
    ...sample,
    meta: { ...sample.meta, steps: textOf(sample.output).split(/(?<= \.) /) },
  })
  return {
    ...comparator,
    compare: (pairs, context) =>
      comparator.compare(
        pairs.map((pair) => ({ ...pair, a: split(pair.a), b: split(pair.b) })),
        context,
      ),
  }
}

/** A model that cannot write scores, made to grade each step by how sure it is that the answer is right so far. */
function stepByStep(model: EmbeddedLanguageModel): ChatModel {
  return {
    id: `step by step: ${model.id}`,
    chat: async (conversations) => {
      const asked = conversations.flatMap((messages, index) => {
        const question = fencedText(messages, 'prompt')
        const steps = Array.from({ length: 12 }, (_, at) => fencedText(messages, `step ${at + 1}`)).filter(
          Boolean,
        )
        return steps.map((_, at) => ({
          index,
          text: `${question} ${steps.slice(0, at + 1).join(' ')} is the answer right ?`,
        }))
      })
      const found = await model.choices(
        asked.map(({ text: question }) => [{ role: 'user' as const, text: question }]),
        yesOrNo,
      )
      return conversations.map((_, index) => {
        const scores = found.flatMap((outcome, at) =>
          asked[at]!.index === index && !isFailed(outcome) ? [1 + 4 * outcome.among.yes] : [],
        )
        return { text: JSON.stringify({ scores }), finish: 'stop' as const }
      })
    },
  }
}

/** How many claims of each caption the model denies of its image, as a sum of probabilities. */
async function deniedClaims(
  model: EmbeddedLanguageModel,
  items: readonly { readonly image: ChatImage | undefined; readonly caption: string }[],
): Promise<number[]> {
  const asked = items.flatMap(({ image, caption }, index) =>
    parseCaption(caption).claims.flatMap(({ claim }) =>
      claim.kind === 'opinion' || claim.kind === 'absence' || image === undefined
        ? []
        : [{ index, messages: ask(queryText({ ask: 'whether', claim }), image) }],
    ),
  )
  const found = await model.choices(
    asked.map(({ messages }) => messages),
    yesOrNo,
  )
  return items.map((_, index) =>
    found.reduce(
      (sum, outcome, at) => (asked[at]!.index === index && !isFailed(outcome) ? sum + outcome.among.no : sum),
      0,
    ),
  )
}

const imagesOf = (messages: readonly ChatMessage[]) => messages.flatMap(({ images = [] }) => images)
const says = (reply: string) => ({ text: reply, finish: 'stop' as const })

/** A model that cannot compare descriptions: the fewer claims of it are denied, the better a description. */
function comparingDescriptions(model: EmbeddedLanguageModel): ChatModel {
  return {
    id: `comparing descriptions: ${model.id}`,
    chat: async (conversations) => {
      const denied = await deniedClaims(
        model,
        conversations.flatMap((messages) =>
          ['description A', 'description B'].map((name) => ({
            image: imagesOf(messages)[0],
            caption: fencedText(messages, name),
          })),
        ),
      )
      return conversations.map((_, index) => {
        const lead = denied[2 * index + 1]! - denied[2 * index]!
        const strength = Math.abs(lead) > 0.5 ? 'substantially' : 'marginally'
        return says(
          `<answer>${lead === 0 ? 'neutral' : `${lead > 0 ? 'A' : 'B'} is ${strength} better`}</answer>`,
        )
      })
    },
  }
}

/** A model that sees one image, made to grade several: by how many claims of the prompt it denies of each. */
function gradingImages(model: EmbeddedLanguageModel): ChatModel {
  return {
    id: `grading images: ${model.id}`,
    chat: async (conversations) => {
      const shown = conversations.map(imagesOf)
      const denied = await deniedClaims(
        model,
        conversations.flatMap((messages, index) =>
          shown[index]!.map((image) => ({ image, caption: fencedText(messages, 'prompt') })),
        ),
      )
      return shown.map((images) => {
        const grades = images.map((_, place) => [`model-${place + 1}`, 1 + 4 * Math.exp(-denied.shift()!)])
        return says(JSON.stringify({ scores: Object.fromEntries(grades) }))
      })
    },
  }
}

const across: Readonly<Record<string, number>> = { left: 0, right: 1 }
const down: Readonly<Record<string, number>> = { top: 0, bottom: 1 }

/** A model that sees one image, made to tell progress: it finds the object of the task in every frame by itself. */
function findingTheObject(model: EmbeddedLanguageModel): ChatModel {
  return {
    id: `finding the object: ${model.id}`,
    chat: async (conversations) => {
      const shown = conversations.map((messages) => ({
        task: /the (\S+ \S+) moves (left|right|up|down)/.exec(fencedText(messages, 'task')),
        frames: imagesOf(messages).slice(1),
      }))
      const replies = [
        ...(await model.chat(
          shown.flatMap(({ task, frames }) =>
            frames.map((frame) => ask(`where is the ${task?.[1]}?`, frame)),
          ),
        )),
      ]
      return shown.map(({ task, frames }) =>
        says(
          frames
            .map((_, place) => {
              const said = (replies.shift()!.text ?? '').split(' ')
              const along = task?.[2] === 'left' || task?.[2] === 'right' ? across : down
              const at = along[said.find((word) => Object.hasOwn(along, word)) ?? ''] ?? 0.5
              const done = task?.[2] === 'left' || task?.[2] === 'up' ? 1 - at : at
              return `frame ${place + 1}: ${Math.round(100 * done)} percent`
            })
            .join('\n'),
        ),
      )
    },
  }
}

/** A model that sees one image, made to watch a clip: what the last frame shows, and where it was in the first. */
function watching(model: EmbeddedLanguageModel): ChatModel {
  const said = async (items: readonly (readonly [text: string, image: ChatImage])[]) =>
    (await model.chat(items.map(([question, image]) => ask(question, image)))).map(({ text }) => text ?? '')
  return {
    id: `watching: ${model.id}`,
    chat: async (conversations) => {
      const clips = conversations.map((messages) => messages.flatMap(({ frames = [] }) => frames))
      const ends = clips.map((frames) => [frames[0]!, frames.at(-1)!] as const)
      const captions = await said(ends.map(([, last]) => [scenes.captionPrompt('short'), last]))
      const names = captions.map((caption) => /^an? (\S+ [a-z]+)/.exec(caption)?.[1] ?? 'nothing')
      const places = await said(
        ends.flatMap((pair, index) => pair.map((image) => [`where is the ${names[index]}?`, image] as const)),
      )
      return conversations.map((messages, index) => {
        const [from, to] = places.slice(2 * index, 2 * index + 2).map((place) => place.split(' '))
        const along = (axis: Readonly<Record<string, number>>) => {
          const at = (words: readonly string[]) =>
            axis[words.find((word) => Object.hasOwn(axis, word)) ?? ''] ?? 0.5
          return at(to!) - at(from!)
        }
        const [right, below] = [along(across), along(down)]
        const action =
          right === 0 && below === 0
            ? 'stays'
            : Math.abs(right) >= Math.abs(below)
              ? `moves ${right > 0 ? 'right' : 'left'}`
              : `moves ${below > 0 ? 'down' : 'up'}`
        const question = fencedText(messages, 'question')
        const claim = /^is it true that the (\S+ \S+) (.+)\?$/.exec(question)
        if (claim) return says(claim[1] === names[index] && claim[2] === action ? 'yes' : 'no')
        const answer = question.startsWith('what does') ? action : names[index]!
        const options = fencedText(messages, 'options')
        if (options === '') return says(answer)
        return says(new RegExp(`^([A-Z])\\. ${answer}$`, 'm').exec(options)?.[1] ?? 'A')
      })
    },
  }
}

const clip = 'embedded:scenes-clip'

export const moreRows: readonly JudgeRow[] = [
  ...[arithmeticPairs, factPairs].flatMap((set) => [
    row(86, 'follow-up likelihood', 'as written', 'text-lm-sft', set, (given) =>
      comparatorFromReward(followUpLikelihood({}, given)),
    ),
    row(86, 'follow-up likelihood', 'in its words: six facets, user turn', 'text-lm-sft', set, (given) =>
      reactions(given),
    ),
  ]),
  row(
    undefined,
    'plain question',
    'P(yes) to "is the first best", no context, both orders',
    'text-lm-sft',
    contextPairs,
    (given) =>
      pairJudge({ name: 'p', prompt: withoutContextWords, ask: byProbability(given, yesOrNo), ...plain }),
  ),
  row(
    87,
    'context-aware',
    'in its words: P(yes) in the context, both orders',
    'text-lm-sft',
    contextPairs,
    (given) => pairJudge({ name: 'p', prompt: contextWords, ask: byProbability(given, yesOrNo), ...plain }),
  ),
  row(87, 'context-aware', 'as written', 'text-lm-sft', contextPairs, (given) =>
    contextAwareJudge({}, given),
  ),
  ...(['mean', 'min', 'last'] as const).map((aggregate) =>
    row(
      13,
      `vilbench process, ${aggregate}`,
      'in its words: P(yes) after every step',
      'text-lm-sft',
      arithmeticPairs,
      (given) =>
        inSteps(comparatorFromReward(vilbench({ aggregate, variant: 'guarded' }, stepByStep(given)))),
    ),
  ),
  row(13, 'vilbench output', 'as written', 'text-lm-sft', arithmeticPairs, (given) =>
    comparatorFromReward(vilbench({ mode: 'output' }, given)),
  ),
  row(
    85,
    'imageinwords',
    'in its words: the description with fewer denied claims',
    'scenes-vlm',
    captionPairs,
    (given) => imageInWordsJudge({ metrics: ['hallucination'] }, comparingDescriptions(given)),
  ),
  row(85, 'imageinwords', 'as written', 'scenes-vlm', captionPairs, (given) => imageInWordsJudge({}, given)),
  row(56, 'reagent-v critic', 'as written', 'scenes-vlm', answerPairs, (given) =>
    comparatorFromReward(reagentV({}, given)),
  ),
  row(13, 'vilbench output', 'as written', 'scenes-vlm', answerPairs, (given) =>
    comparatorFromReward(vilbench({ mode: 'output' }, given)),
  ),
  row(
    14,
    'visionprefer',
    'in its words: fewer claims denied of a picture',
    'scenes-vlm',
    picturePairs,
    (given) => comparatorFromReward(visionPrefer({ aspects: ['prompt-following'] }, gradingImages(given))),
  ),
  row(22, 'gvl', 'in its words: where the object is, frame by frame', 'scenes-vlm', reversedClips, (given) =>
    comparatorFromReward(gvl({}, { model: findingTheObject(given) })),
  ),
  row(14, 'visionprefer', 'as written', 'scenes-vlm', picturePairs, (given) =>
    comparatorFromReward(visionPrefer({}, given)),
  ),
  row(22, 'gvl', 'as written', 'scenes-vlm', reversedClips, (given) =>
    comparatorFromReward(gvl({}, { model: given })),
  ),
  row(
    50,
    'universe',
    'in its words: first and last frame, what and where',
    'scenes-vlm',
    faultyClips,
    (given) => comparatorFromReward(universe({}, watching(given))),
  ),
  row(50, 'universe', 'as written', 'scenes-vlm', faultyClips, (given) =>
    comparatorFromReward(universe({}, given)),
  ),
  row(undefined, 'cosine', 'scenes-clip: picture and caption', 'none', picturePairs, () =>
    comparatorFromReward(similarity({ model: clip })),
  ),
  ...[0.25, 0.5, 0.75].map((alpha) =>
    row(
      11,
      'vlm-rm',
      `scenes-clip: alpha ${alpha}, baseline "there are no shapes."`,
      'none',
      picturePairs,
      () => comparatorFromReward(vlmRm({ model: clip, alpha, baselines: ['there are no shapes.'] })),
    ),
  ),
  row(
    32,
    'rpo-lambda-harmonic',
    'scenes-clip: text alone, as for training labels',
    'none',
    picturePairs,
    () => comparatorFromReward(rpoLambdaHarmonic({ model: clip, lambda: 0 })),
  ),
]
