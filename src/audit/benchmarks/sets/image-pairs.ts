import { dirname, join } from 'node:path'
import { defineBenchmark } from '../benchmark.ts'
import { pairItem } from '../items.ts'

/** An intact picture of a room and the same with something distorted; the intact one is better. */
export const imagePairs = defineBenchmark({
  name: 'image-pairs',
  title: 'MJ-Bench, quality of indoor scenes',
  source: 'arXiv 2407.04842',
  summary: 'Prefers the intact picture of a room to the distorted one.',
  kind: 'preference',
  chance: 0.5,
  folder: 'image-pairs',
  files: { items: ['pairs.jsonl'] },
  how: 'The pairs are in the repository MJ-Bench/MJ-Bench (quality/objects_indoor).',
  read: (row) => {
    const picture = (field: string) =>
      [{ type: 'image', image: { path: join(dirname(row.file), row.text(field)) } }] as const
    return [
      pairItem({
        id: row.has('row') ? String(row.record.row) : row.id(),
        subset: 'indoor',
        prompt: row.text('caption'),
        a: picture('image_0'),
        b: picture('image_1'),
        label: Number(row.record.label_0) === 1 ? 1 : -1,
      }),
    ]
  },
  aggregation: { top: 'pooled' },
})
