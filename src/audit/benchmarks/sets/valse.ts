import { isObject } from '../../../core/index.ts'
import { defineBenchmark } from '../benchmark.ts'
import { pairItem, withPicture } from '../items.ts'

/** Captions and foils by linguistic phenomenon; only those that at least two of three annotators confirmed. */
export const valse = defineBenchmark({
  name: 'valse',
  title: 'VALSE',
  source: 'arXiv 2112.07566',
  summary:
    'Prefers the caption that fits the picture to its foil; without pictures it shows what text gives away.',
  kind: 'preference',
  chance: 0.5,
  folder: 'valse',
  files: {
    items: [
      'actant-swap.jsonl',
      'action-replacement.jsonl',
      'coreference-hard.jsonl',
      'coreference-standard.jsonl',
      'counting-adversarial.jsonl',
      'counting-small-quant.jsonl',
      'existence.jsonl',
      'foil-it.jsonl',
      'plurals.jsonl',
      'relations.jsonl',
    ],
  },
  how: 'The captions are in the repository Heidelberg-NLP/VALSE (data), as JSON Lines; put the pictures into "images" beside them.',
  read: (row, _joined, file) => {
    const { mturk } = row.record
    if (isObject(mturk) && Number(mturk.caption) < 2) return []
    const picture = row.text('image_file')
    return [
      pairItem({
        id: `${file}/${row.id()}`,
        subset: file,
        cluster: picture,
        prompt: withPicture('Describe the picture in one sentence.', row, picture),
        a: row.text('caption'),
        b: row.text('foil'),
        label: 1,
        meta: { image_file: picture },
      }),
    ]
  },
  aggregation: { top: 'macro' },
})
