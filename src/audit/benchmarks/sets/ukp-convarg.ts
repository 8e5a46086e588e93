import type { Sample } from '../../../core/index.ts'
import { type BenchmarkFiles, defineBenchmark } from '../benchmark.ts'

/** Arguments on one side of a debate meet many times: one side of a topic is one cluster. */
export const ukpConvarg = defineBenchmark({
  name: 'ukp-convarg',
  title: 'UKPConvArg1, strict pairs',
  source: 'Habernal and Gurevych 2016',
  summary: 'Prefers the argument that people find more convincing.',
  kind: 'preference',
  chance: 0.5,
  folder: 'ukp-convarg',
  files: { items: ['pairs.jsonl'], arguments: ['arguments.jsonl'] },
  how: 'The data are in the repository UKPLab/acl2016-convincing-arguments: pairs of topic, side, a1, a2, label, and arguments of topic, side, id, text.',
  join: argumentsByPlace,
  read: (row, samples) => {
    const topic = row.text('topic')
    const cluster = `${topic}/${row.text('side')}`
    const [first, second] = [row.text('a1'), row.text('a2')]
    const [a, b] = [samples.get(`${cluster}/${first}`), samples.get(`${cluster}/${second}`)]
    if (a === undefined || b === undefined)
      throw row.problem(a === undefined ? 'a1' : 'a2', 'names an argument that is not there.')
    const label = row.text('label') === 'a1' ? 1 : -1
    return [{ kind: 'preference', id: `${cluster}/${first}_${second}`, subset: topic, cluster, a, b, label }]
  },
  aggregation: { top: 'pooled' },
})

/** One sample for each argument, so that it is judged once however many pairs it is in. */
async function argumentsByPlace(files: BenchmarkFiles): Promise<ReadonlyMap<string, Sample>> {
  const samples = new Map<string, Sample>()
  for await (const row of files.rows('arguments')) {
    const cluster = `${row.text('topic')}/${row.text('side')}`
    const id = `${cluster}/${row.id()}`
    const prompt = `Convince me: ${cluster.replaceAll(/[-/]/g, ' ')}.`
    samples.set(id, { id, prompt, output: row.text('text'), group: cluster, meta: {} })
  }
  return samples
}
