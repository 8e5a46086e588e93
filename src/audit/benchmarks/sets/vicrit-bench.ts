import {
  defineReward,
  type Json,
  type Reward,
  Rng,
  textOf,
  unscored,
  type Variant,
} from '../../../core/index.ts'
import { changedSegment, namesSegment } from '../../../rewards/verifiable/text/changed-segment.ts'
import { scenes } from '../../../worlds/index.ts'
import {
  type BenchmarkItem,
  type BenchmarkSpec,
  defineBenchmark,
  type GenerateOptions,
} from '../benchmark.ts'

const task =
  'One phrase of this description of the picture is wrong. Think inside <think></think>, then give the wrong phrase as the only item of a list in \\boxed{}.'

/** 1 when an answer names the changed phrase (`meta.original`, `meta.changed`), else 0; as released: its first changed word stands anywhere in the box. */
function spanScorer(variant: Variant): Reward {
  return defineReward({
    name: 'vicrit-bench',
    params: { variant },
    judge: ({ output, meta: { original, changed, changed_caption: caption } }) => {
      if (typeof original !== 'string' || typeof changed !== 'string')
        return unscored('bad-input', 'the sample has no original and changed phrase')
      const given = variant !== 'released' && typeof caption === 'string' ? { caption } : {}
      return Number(namesSegment(textOf(output), changedSegment(original, changed), { variant, ...given }))
    },
  })
}

/** Every item is worth 1 or 0, and all weigh alike. */
const rules: Pick<BenchmarkSpec, 'kind' | 'aggregation'> = { kind: 'answer', aggregation: { top: 'pooled' } }

/**
 * A description of about 200 words with one phrase changed: the model under test names it. An edit that only deletes
 * words leaves nothing to name and is no item.
 */
export const viCritBench = defineBenchmark({
  name: 'vicrit-bench',
  title: 'ViCrit-Bench',
  source: 'arXiv 2506.10128',
  summary: 'Finds the one wrong phrase of a long description of a picture.',
  ...rules,
  hub: ['hf://russwang/ViCrit-Bench/train'],
  scorer: () => spanScorer('released'),
  read: (row) => {
    const caption = row.text('changed_caption')
    const [original, changed] = [row.text('original_noun_phrases'), row.text('changed_noun_phrases')]
    if (changedSegment(original, changed).length === 0)
      throw row.problem('changed_noun_phrases', 'only leaves words out, so that no phrase is wrong.')
    const id = row.id()
    const subset = typeof row.record.type === 'string' ? row.record.type : 'all'
    const meta: Record<string, Json> = { original, changed, changed_caption: caption }
    const sample = { id, prompt: row.prompt(`${task}\n\n${caption}`), output: '', meta }
    return [{ kind: 'answer', id, subset, sample }]
  },
})

const sceneTypes = ['object', 'colour', 'count', 'size', 'relation'] as const

/** Paragraphs about scenes with one claim changed, read strictly: the whole changed phrase and little else. */
export const scenesViCrit = defineBenchmark({
  name: 'scenes-vicrit',
  title: 'Scenes: the one wrong phrase',
  source: 'generated, after ViCrit-Bench',
  summary: 'Finds the one wrong phrase of a paragraph about coloured shapes.',
  ...rules,
  scorer: () => spanScorer('guarded'),
  generate: paragraphs,
})

/** `size` paragraphs of each type of error. */
function* paragraphs({ seed = 0, size = 40 }: GenerateOptions): Generator<BenchmarkItem> {
  const world = scenes.sceneWorld({ seed: `benchmark/vicrit/${seed}`, split: 'test', objects: [2, 5] })
  let next = 0
  for (const type of sceneTypes)
    for (let made = 0; made < size; ) {
      const scene = world.scene(next++)
      const rng = new Rng(`vicrit/${scene.id}`)
      const caption = scenes.captionOf(scene, rng, { style: 'paragraph' })
      const wrong = scenes.corruptCaption(scene, caption, type, rng)
      if (wrong === undefined || changedSegment(wrong.originalPhrase, wrong.changedPhrase).length === 0)
        continue
      made++
      const { originalPhrase: original, changedPhrase: changed } = wrong
      const meta: Record<string, Json> = { original, changed, changed_caption: wrong.text, type }
      const prompt = [scenes.imagePart(scene), { type: 'text', text: `${task}\n\n${wrong.text}` }] as const
      const id = `${type}/${scene.id}`
      yield { kind: 'answer', id, subset: type, cluster: scene.id, sample: { id, prompt, output: '', meta } }
    }
}
