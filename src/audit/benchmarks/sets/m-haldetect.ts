import { isObject, type Json, Rng, type Sample } from '../../../core/index.ts'
import { scenes } from '../../../worlds/index.ts'
import {
  type BenchmarkItem,
  type BenchmarkSpec,
  defineBenchmark,
  type GenerateOptions,
} from '../benchmark.ts'
import { segmentClass } from '../hallucinated-words.ts'
import { withPicture } from '../items.ts'

/**
 * Balanced accuracy over segments: the mean of the accuracies on hallucinated and on other segments. Accuracy over all
 * segments is `pooled`, the area under the ROC curve a measure beside.
 */
const rules: Pick<BenchmarkSpec, 'kind' | 'chance' | 'aggregation'> = {
  kind: 'binary',
  chance: 0.5,
  aggregation: { top: 'macro' },
}

/** A description up to the end of a segment, and the segment: what a judge of segments sees. */
function segmentItem(
  id: string,
  cluster: string,
  prompt: Sample['prompt'],
  response: string,
  { start, end, good }: { readonly start: number; readonly end: number; readonly good: boolean },
  meta: Readonly<Record<string, Json>> = {},
): BenchmarkItem {
  const sample: Sample = {
    id,
    prompt,
    output: response.slice(0, end),
    meta: { ...meta, segment: response.slice(start, end), span: [start, end] },
  }
  return { kind: 'binary', id, subset: good ? 'accurate' : 'hallucinated', cluster, sample, good }
}

/**
 * Segments of picture descriptions marked by people: accurate and analysis against inaccurate; unsure ones are left
 * out. Field names of the data are unverified: rows of question, response, image and annotations ({ start, end, label
 * or class }) are read. Data: CC BY-NC 4.0.
 */
export const mHalDetect = defineBenchmark({
  name: 'm-haldetect',
  title: 'M-HalDetect, segments',
  source: 'arXiv 2308.06394',
  summary: 'Tells hallucinated segments of picture descriptions from others.',
  ...rules,
  folder: 'm-haldetect',
  files: { items: ['val_raw.json'] },
  how: 'The annotations are in the repository hendryx-scale/mhal-detect (val_raw.json, CC BY-NC 4.0); its pictures are COCO val2014: put them into "images" beside it.',
  read: (row) => {
    const response = row.text('response')
    const id = row.id()
    const picture = String(row.record.image ?? row.record.image_id ?? '')
    const prompt = withPicture(row.text('question'), row, picture)
    return row.list('annotations').flatMap((annotation, index) => {
      if (!isObject(annotation)) throw row.problem(`annotations.${index}`, 'is not an object.')
      const { start, end } = annotation
      const kind = segmentClass(annotation.label ?? annotation.class)
      if (typeof start !== 'number' || typeof end !== 'number' || kind === null)
        throw row.problem(`annotations.${index}`, 'has no start, end or known class.')
      if (kind === 'unsure') return []
      const good = kind !== 'inaccurate'
      return [segmentItem(`${id}/${index}`, id, prompt, response, { start, end, good })]
    })
  },
})

/** Captions of scenes of which one claim may be false, sentence by sentence. */
export const scenesHallucination = defineBenchmark({
  name: 'scenes-hallucination',
  title: 'Scenes: hallucinated claims',
  source: 'generated, after M-HalDetect',
  summary: 'Tells a false sentence about a picture of coloured shapes from a true one.',
  ...rules,
  generate: claimItems,
})

/** `size` captions, half of them with one error; every sentence of each is an item. */
function* claimItems({ seed = 0, size = 60 }: GenerateOptions): Generator<BenchmarkItem> {
  const world = scenes.sceneWorld({ seed: `benchmark/hallucination/${seed}`, split: 'test', objects: [2, 5] })
  for (let index = 0, made = 0; made < size; index++) {
    const scene = world.scene(index)
    const rng = new Rng(`m-haldetect/${scene.id}`)
    const caption = scenes.captionOf(scene, rng, { style: 'paragraph' })
    const wrong =
      made % 2 === 0
        ? scenes.corruptCaption(scene, caption, rng.pick(['object', 'colour', 'count', 'relation']), rng)
        : undefined
    if (made % 2 === 0 && wrong === undefined) continue
    made++
    const response = wrong?.text ?? caption
    const { prompt, meta } = scenes.captionSample(scene, response)
    let start = 0
    for (const [sentence, end] of sentenceEnds(response)) {
      const good = wrong === undefined || wrong.span.end <= start || wrong.span.start >= end
      yield segmentItem(
        `${scene.id}/${sentence}`,
        scene.id,
        prompt,
        response,
        { start, end, good },
        meta as never,
      )
      start = end
    }
  }
}

function sentenceEnds(text: string): [sentence: number, end: number][] {
  return [...text.matchAll(/\.(?:\s|$)/g)].map((match, sentence) => [sentence, match.index + 1])
}
