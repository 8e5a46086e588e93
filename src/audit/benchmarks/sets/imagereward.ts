import { dirname, join } from 'node:path'
import type { Sample } from '../../../core/index.ts'
import { defineBenchmark } from '../benchmark.ts'

/** Pictures of one prompt ranked by experts, ties kept. The pictures are not part of the ranking's file. */
export const imagereward = defineBenchmark({
  name: 'imagereward',
  title: 'ImageReward, expert rankings',
  source: 'arXiv 2304.05977',
  summary: 'Ranks generated pictures of a prompt as experts do.',
  kind: 'list',
  chance: 0.5,
  folder: 'imagereward-rankings',
  files: { items: ['rankings.jsonl', 'test.json'] },
  how: 'The rankings are in the repository THUDM/ImageReward (data/test.json), its pictures in the data set THUDM/ImageRewardDB: put them beside the file under the paths that it names.',
  read: (row) => {
    const id = row.id()
    const paths = row.texts('generations')
    const ranks = row.list('ranking').map(Number)
    if (ranks.length !== paths.length)
      throw row.problem('ranking', `has ${ranks.length} ranks for ${paths.length} pictures.`)
    const candidates = paths.map(
      (path, index): Sample => ({
        id: `${id}#${index}`,
        group: id,
        prompt: row.text('prompt'),
        output: [{ type: 'image', image: { path: join(dirname(row.file), path) } }],
        meta: {},
      }),
    )
    return [
      {
        kind: 'list',
        id,
        subset: 'test',
        cluster: row.text('prompt'),
        candidates,
        gold: ranks.map((rank) => -rank),
      },
    ]
  },
  aggregation: { top: 'pooled' },
})
