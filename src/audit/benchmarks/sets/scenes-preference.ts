import { Rng, type Sample } from '../../../core/index.ts'
import { scenes } from '../../../worlds/index.ts'
import {
  type BenchmarkItem,
  defineBenchmark,
  type GenerateOptions,
  type PreferenceItem,
} from '../benchmark.ts'

const questionKinds = ['existence', 'count', 'colour', 'shape', 'relation', 'comparison'] as const

const captionSubsets = scenes.corruptionTypes.map((type) => `caption: ${type}`)
const answerSubsets = questionKinds.map((kind) => `answer: ${kind}`)

/**
 * Scenes of coloured shapes, made on the spot: a true caption against the same with one error, the right answer
 * against a wrong one, the right box against another. What is true is known exactly.
 */
export const scenesPreference = defineBenchmark({
  name: 'scenes-preference',
  title: 'Scenes: captions, answers and boxes',
  source: 'generated',
  summary: 'Prefers what is true of a picture of coloured shapes.',
  kind: 'preference',
  chance: 0.5,
  generate: scenePairs,
  aggregation: {
    sections: { captions: captionSubsets, answers: answerSubsets, boxes: ['box'] },
    top: 'macro',
  },
})

/** `size` pairs of each of the fifteen subsets, each on a scene of its own. */
function* scenePairs({ seed = 0, size = 40 }: GenerateOptions): Generator<BenchmarkItem> {
  const world = scenes.sceneWorld({ seed: `benchmark/${seed}`, split: 'test', objects: [2, 5] })
  let next = 0
  const makers: readonly (readonly [subset: string, (scene: scenes.Scene, rng: Rng) => Sides | undefined])[] =
    [
      ...scenes.corruptionTypes.map(
        (type) =>
          [`caption: ${type}`, (scene: scenes.Scene, rng: Rng) => captionSides(scene, type, rng)] as const,
      ),
      ...questionKinds.map(
        (kind) =>
          [`answer: ${kind}`, (scene: scenes.Scene, rng: Rng) => answerSides(scene, kind, rng)] as const,
      ),
      ['box', boxSides],
    ]
  for (const [subset, make] of makers) {
    for (let made = 0; made < size; ) {
      const scene = world.scene(next++)
      const sides = make(scene, new Rng(`scenes-preference/${scene.id}/${subset}`))
      if (sides === undefined) continue
      made++
      yield sidesItem(subset, scene, sides)
    }
  }
}

interface Sides {
  /** With the right output. */
  readonly right: Sample
  readonly wrong: string
}

function sidesItem(subset: string, scene: scenes.Scene, { right, wrong }: Sides): PreferenceItem {
  const id = `${subset}/${scene.id}`
  const side = (name: 'a' | 'b', output: Sample['output']): Sample => ({
    ...right,
    id: `${id}#${name}`,
    group: id,
    output,
  })
  return {
    kind: 'preference',
    id,
    subset,
    cluster: scene.id,
    a: side('a', right.output),
    b: side('b', wrong),
    label: 1,
  }
}

const styleOf: Readonly<Partial<Record<scenes.CorruptionType, scenes.CaptionStyle>>> = {
  size: 'full',
  place: 'full',
  relation: 'relations',
}

function captionSides(scene: scenes.Scene, type: scenes.CorruptionType, rng: Rng): Sides | undefined {
  const caption = scenes.captionOf(scene, rng, { style: styleOf[type] ?? 'short', order: 'random' })
  const wrong = scenes.corruptCaption(scene, caption, type, rng)?.text
  return wrong === undefined ? undefined : { right: scenes.captionSample(scene, caption), wrong }
}

function answerSides(scene: scenes.Scene, kind: (typeof questionKinds)[number], rng: Rng): Sides | undefined {
  const question = scenes.drawQuestion(scene, kind, rng)
  if (question === undefined) return undefined
  const right = scenes.questionSample({ scene, question }, question.answer)
  if (question.answer === 'yes' || question.answer === 'no')
    return { right, wrong: question.answer === 'yes' ? 'no' : 'yes' }
  for (let attempt = 0; attempt < 8; attempt++) {
    // An answer that the same kind of question has somewhere.
    const other = scenes.drawQuestion(scene, kind, rng, { form: 'choice' })
    const wrong = other?.options && rng.pick(other.options)
    if (wrong !== undefined && wrong !== question.answer) return { right, wrong }
  }
  return undefined
}

function boxSides(scene: scenes.Scene, rng: Rng): Sides | undefined {
  const question = scenes.drawBoxQuestion(scene, rng, 'choice')
  if (question === undefined) return undefined
  const { expression, boxes } = question
  const wrong = boxes.find((box) => box !== expression.object.box)!
  const right = scenes.boxText(expression.object.box, scene)
  return {
    right: scenes.referringSample(scene, expression, right),
    wrong: scenes.boxText(wrong, scene),
  }
}
