import { defineReward, isObject, type Reward, type Sample, textOf, unscored } from '../../../core/index.ts'
import { scenes } from '../../../worlds/index.ts'
import {
  type BenchmarkItem,
  type BenchmarkSpec,
  defineBenchmark,
  type GenerateOptions,
} from '../benchmark.ts'
import type { ItemResult } from '../item-result.ts'
import {
  concreteObjects,
  isIgnoredObject,
  objectQuestion,
  openChair,
  readObjectVerdict,
} from '../open-chair.ts'

/** Replies to questions, in order. */
export type AskObjects = (questions: readonly string[]) => Promise<readonly string[]>

/**
 * Judges the objects of a caption: 1 - OpenCHAIR of that caption, unscored where it names no concrete object. Parts
 * have the counts, from which the benchmark pools; the truth is `reference`, a text.
 */
function objectScorer(concreteness: ReadonlyMap<string, number>, ask: AskObjects): Reward {
  return defineReward({
    name: 'openchair',
    needs: ['reference'],
    judge: async ({ output, reference }) => {
      if (typeof reference !== 'string') return unscored('bad-input', 'the reference is not a text')
      const objects = concreteObjects(textOf(output), concreteness).filter(
        (object) => !isIgnoredObject(object),
      )
      if (objects.length === 0) return unscored('not-applicable', 'the caption names no concrete object')
      const replies = await ask(objects.map((object) => objectQuestion(reference, object)))
      const verdicts = replies.map(readObjectVerdict)
      const share = openChair([verdicts])
      const count = (word: string) => verdicts.filter((verdict) => verdict === word).length
      const parts = { yes: count('yes'), no: count('no'), unsure: count('unsure') }
      return share === null
        ? unscored('unparsable', 'no object got a verdict', { parts })
        : { value: 1 - share, parts }
    },
  })
}

const rules: Pick<BenchmarkSpec, 'kind' | 'aggregation'> = {
  kind: 'answer',
  // A caption without a concrete object, or without a verdict, says nothing.
  aggregation: { top: 'pooled', denominator: 'resolved' },
}

/**
 * Captions of generated pictures judged object by object, in an open vocabulary. What is needed beside the data: the
 * concreteness ratings of words, and a judge of text. The headline is the mean over captions of the share of objects
 * that are there; `openChairOf` pools objects as published.
 */
export function openChairBenchmark(judge?: {
  readonly concreteness: ReadonlyMap<string, number>
  readonly ask: AskObjects
}): BenchmarkSpec {
  return defineBenchmark({
    name: 'openchair',
    title: 'OpenCHAIR',
    source: 'arXiv 2312.03631',
    summary: 'Describes a picture without naming what is not in it, in an open vocabulary.',
    ...rules,
    hub: ['hf://moranyanuka/OpenCHAIR/test'],
    ...(judge ? { scorer: () => objectScorer(judge.concreteness, judge.ask) } : {}),
    read: (row) => {
      const id = row.id()
      const sample: Sample = {
        id,
        prompt: row.prompt('Describe the picture.'),
        output: '',
        reference: row.text('text'),
        meta: {},
      }
      return [{ kind: 'answer', id, subset: 'all', sample }]
    },
  })
}

/** OpenCHAIR over all captions of a result: objects are pooled. Null where no object got a verdict. */
export function openChairOf(rows: readonly ItemResult[]): number | null {
  let [yes, no] = [0, 0]
  for (const { parts } of rows) {
    yes += parts?.yes ?? 0
    no += parts?.no ?? 0
  }
  return yes + no === 0 ? null : no / (yes + no)
}

/** 1 - the share of a caption's objects that the scene in `meta.scene` does not show; unscored where it names none. */
function sceneScorer(): Reward {
  return defineReward({
    name: 'scenes-openchair',
    judge: ({ output, meta: { scene } }) => {
      const shown =
        isObject(scene) && Array.isArray(scene.objects) ? (scene.objects as scenes.SceneObject[]) : []
      if (shown.length === 0) return unscored('bad-input', 'the sample has no scene')
      const { claims } = scenes.parseCaption(textOf(output))
      const named = claims.flatMap(({ claim }) => scenes.mentionsOf(claim))
      if (named.length === 0) return unscored('not-applicable', 'the caption names no object')
      const yes = named.filter((noun) => shown.some((object) => scenes.matches(object, noun))).length
      return { value: yes / named.length, parts: { yes, no: named.length - yes } }
    },
  })
}

/** Captions of scenes judged object by object against the scene itself. */
export const scenesOpenChair = defineBenchmark({
  name: 'scenes-openchair',
  title: 'Scenes: objects that captions make up',
  source: 'generated, after OpenCHAIR',
  summary: 'Describes a picture of coloured shapes without naming what is not in it.',
  ...rules,
  scorer: sceneScorer,
  generate: scenesToDescribe,
})

function* scenesToDescribe({ seed = 0, size = 200 }: GenerateOptions): Generator<BenchmarkItem> {
  const world = scenes.sceneWorld({ seed: `benchmark/openchair/${seed}`, split: 'test', objects: [1, 5] })
  for (const scene of world.scenes(size)) {
    const sample = scenes.captionSample(scene, '')
    yield { kind: 'answer', id: sample.id, subset: 'all', sample }
  }
}
