import { type Pair, Rng, type Sample } from '../src/core/index.ts'
import { scenes, text } from '../src/worlds/index.ts'

/** Pairs whose first is better by the oracle of a world. Which is shown first is the judge's business. */
export interface PairSet {
  readonly name: string
  readonly what: string
  pairs(count: number): Pair[]
}

const inText = (tokens: readonly string[]) => text.textVocabulary.join(tokens)

function textPair(id: string, prompt: string, good: string, bad: string, more: Partial<Sample> = {}): Pair {
  const sample = (side: string, output: string): Sample => ({
    id: `${id}/${side}`,
    prompt,
    output,
    meta: {},
    ...more,
  })
  return { id, a: sample('right', good), b: sample('wrong', bad) }
}

/** One right and one wrong completion of a domain of the small benchmark of the text world. */
function domain(name: text.BenchmarkDomain, what: string): PairSet {
  return {
    name: `text: ${name}`,
    what,
    pairs: (count) =>
      text
        .bestOfFour('judges', count)
        .filter(({ subset }) => subset === name)
        .map(({ id, task, chosen, rejected }) =>
          textPair(id, inText(text.taskPrompt(task)), inText(chosen[0]!), inText(rejected[0]!), {
            reference: inText(chosen[0]!),
          }),
        ),
  }
}

export const arithmeticPairs = domain('Math', 'right against wrong results')
export const factPairs = domain('Factuality', 'right against wrong facts')

export const principlePairs: PairSet = {
  name: 'text: principles',
  what: 'best against worst answer under a principle',
  pairs: (count) =>
    Array.from({ length: count }, (_, index) => {
      const { instruction, principle, answers, scores } = text.principleList('judges', index)
      const best = scores.indexOf(Math.max(...scores))
      const worst = scores.indexOf(Math.min(...scores))
      return textPair(
        `principle-${index}`,
        inText(text.taskPrompt(instruction)),
        inText(answers[best]!),
        inText(answers[worst]!),
        {
          meta: { principle: inText(text.principleTokens(principle)) },
        },
      )
    }),
}

/** The scene of a sample that one of the sets below made. */
export const sceneOf = new WeakMap<Sample, scenes.Scene>()

function scenePair(
  id: string,
  scene: scenes.Scene,
  prompt: string,
  good: string,
  bad: string,
  more: Partial<Sample> = {},
): Pair {
  const sample = (side: string, output: string): Sample => {
    const made: Sample = {
      id: `${id}/${side}`,
      prompt: [scenes.imagePart(scene), { type: 'text', text: prompt }],
      output,
      meta: {},
      ...more,
    }
    sceneOf.set(made, scene)
    return made
  }
  return { id, a: sample('right', good), b: sample('wrong', bad) }
}

/** Scenes as `scenes-vlm` knows them, of the split that training never shows. */
const world = scenes.sceneWorld({ seed: 'judges', split: 'test', objects: [1, 5] })

export const captionPairs: PairSet = {
  name: 'scenes: captions',
  what: 'true caption against the same with one error',
  pairs: (count) => {
    const pairs: Pair[] = []
    for (let index = 0; pairs.length < count; index++) {
      const scene = world.scene(index)
      const rng = new Rng(`judges/captions/${index}`)
      const caption = scenes.captionOf(scene, rng, { style: 'short' })
      const corrupted = rng
        .shuffled(['object', 'colour', 'count', 'addition'] as const)
        .map((type) => scenes.corruptCaption(scene, caption, type, rng))
        .find((made) => made !== undefined)
      if (corrupted)
        pairs.push(
          scenePair(`caption-${index}`, scene, scenes.captionPrompt('short'), caption, corrupted.text, {
            meta: { type: corrupted.type },
          }),
        )
    }
    return pairs
  },
}

const kinds: readonly scenes.QuestionKind[] = ['existence', 'count', 'colour', 'shape', 'size', 'place']

export const answerPairs: PairSet = {
  name: 'scenes: answers',
  what: 'right against wrong answer to a question',
  pairs: (count) => {
    const pairs: Pair[] = []
    for (let index = 0; pairs.length < count; index++) {
      const scene = world.scene(index)
      const rng = new Rng(`judges/answers/${index}`)
      const kind = kinds[index % kinds.length]!
      const question = scenes.drawQuestion(scene, kind, rng)
      if (question === undefined) continue
      // The answer that another scene gives to a question of the kind: never one that gives itself away.
      let wrong: string | undefined
      for (let other = 1; wrong === undefined && other < 200; other++) {
        const drawn = scenes.drawQuestion(world.scene(index + other), kind, rng.fork(other))
        if (drawn !== undefined && drawn.answer !== question.answer) wrong = drawn.answer
      }
      if (wrong !== undefined)
        pairs.push(
          scenePair(`answer-${index}`, scene, question.text, question.answer, wrong, {
            reference: question.answer,
            meta: { kind },
          }),
        )
    }
    return pairs
  },
}

/** Two pictures for a caption that is true of the first only. */
export const picturePairs: PairSet = {
  name: 'scenes: pictures',
  what: 'the picture that a caption is true of against one altered in one thing',
  pairs: (count) => {
    const pairs: Pair[] = []
    for (let index = 0; pairs.length < count; index++) {
      const found = scenes.captionedPair(world.scene(index), new Rng(`judges/pictures/${index}`), {
        style: 'short',
      })
      if (found === undefined) continue
      const [right, wrong] = found.answer === 'A' ? found.scenes : [...found.scenes].reverse()
      const sample = (side: string, scene: scenes.Scene): Sample => ({
        id: `picture-${index}/${side}`,
        prompt: found.caption,
        output: [scenes.imagePart(scene)],
        meta: { task: 'fill' },
      })
      pairs.push({ id: `picture-${index}`, a: sample('right', right!), b: sample('wrong', wrong!) })
    }
    return pairs
  },
}
