import { defineBenchmark } from '../benchmark.ts'
import { pairItem, withPicture } from '../items.ts'

/** A caption of a photograph and the same caption with one thing wrong. The photographs (COCO val2017) are not part of it. */
export const sugarcrepe = defineBenchmark({
  name: 'sugarcrepe',
  title: 'SugarCrepe',
  source: 'arXiv 2306.14610',
  summary:
    'Prefers the caption that fits the picture to a fluent one that does not; without the pictures it shows what a text alone gives away.',
  kind: 'preference',
  chance: 0.5,
  folder: 'sugarcrepe',
  files: {
    items: [
      'add_att.jsonl',
      'add_obj.jsonl',
      'replace_att.jsonl',
      'replace_obj.jsonl',
      'replace_rel.jsonl',
      'swap_att.jsonl',
      'swap_obj.jsonl',
    ],
  },
  how: 'The captions are in the repository RAIVNLab/sugar-crepe (data), the pictures are COCO val2017: put them into "images" beside the captions.',
  read: (row, _joined, file) => [
    pairItem({
      id: row.id(),
      subset: file,
      cluster: row.text('filename'),
      prompt: withPicture('Describe the picture in one sentence.', row, row.text('filename')),
      a: row.text('caption'),
      b: row.text('negative_caption'),
      label: 1,
      meta: { filename: row.text('filename') },
    }),
  ],
  aggregation: {
    sections: {
      add: ['add_att', 'add_obj'],
      replace: ['replace_att', 'replace_obj', 'replace_rel'],
      swap: ['swap_att', 'swap_obj'],
    },
    weights: {
      add_att: 1,
      add_obj: 1,
      replace_att: 1,
      replace_obj: 1,
      replace_rel: 1,
      swap_att: 1,
      swap_obj: 1,
    },
    top: 'macro',
  },
})
