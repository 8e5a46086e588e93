import { isObject, type Json, type Part, type Sample } from '../../../core/index.ts'
import {
  type BenchmarkItem,
  type BenchmarkSpec,
  defineBenchmark,
  type GenerateOptions,
} from '../benchmark.ts'
import type { PathDescriptors } from '../paths/descriptors.ts'
import { type PathPair, pathPairs } from '../paths/pairs.ts'
import { pathsPicture } from '../paths/picture.ts'
import { pathScenarios } from '../paths/scenarios.ts'

const question =
  'Path 1 is on the left, Path 2 on the right; the start is green, the goal blue, obstacles are grey. Which path better achieves the task? Answer "Answer: Path 1" or "Answer: Path 2", then explain after "Explanation:".'

/** Two answers, "Path 1" and "Path 2", of which one is right. Judges that always name one of them earn half. */
const rules: Pick<BenchmarkSpec, 'kind' | 'chance' | 'aggregation'> = {
  kind: 'preference',
  chance: 0.5,
  aggregation: { top: 'pooled' },
}

function choiceItem(
  id: string,
  subset: string,
  cluster: string,
  prompt: readonly Part[] | string,
  label: 'Path 1' | 'Path 2',
  meta: Readonly<Record<string, Json>>,
): BenchmarkItem {
  const side = (name: 'a' | 'b', output: string): Sample => ({
    id: `${id}#${name}`,
    group: id,
    prompt,
    output,
    reference: label,
    meta,
  })
  return {
    kind: 'preference',
    id,
    subset,
    cluster,
    a: side('a', 'Path 1'),
    b: side('b', 'Path 2'),
    label: label === 'Path 1' ? 1 : -1,
    meta: { label },
  }
}

/** Two paths drawn side by side on a map, and a task: which serves it better. */
export const pathEval = defineBenchmark({
  name: 'patheval',
  title: 'PathEval',
  source: 'arXiv 2411.18711',
  summary: 'Sees which of two drawn paths serves a task better.',
  ...rules,
  hub: ['hf://maghzal/PathEval/test'],
  read: (row) => {
    const id = row.id('file')
    const label = row.text('annotation')
    if (label !== 'Path 1' && label !== 'Path 2')
      throw row.problem('annotation', 'is neither "Path 1" nor "Path 2".')
    const scenario = row.text('Scenario')
    const described = Object.fromEntries(
      (['Path 1', 'Path 2'] as const).flatMap((name) => {
        const path = row.record[name]
        return isObject(path) && isObject(path.metrics) ? [[name, path.metrics as Json] as const] : []
      }),
    )
    const prompt = row.prompt(`${scenario} ${question}`)
    return [choiceItem(id, 'test', id, prompt as string, label, { scenario, described })]
  },
})

/** Maps and paths made on the spot, shown as a picture only. */
export const paths = generatedPaths('paths', 'Sees which of two drawn paths serves a task better.', 'picture')

/** The same with the descriptors of both paths in words and no picture: reading them is enough. */
export const pathsDescribed = generatedPaths(
  'paths-described',
  'Tells from the measures of two paths which serves a task better.',
  'descriptors',
)

function generatedPaths(name: string, summary: string, show: 'picture' | 'descriptors'): BenchmarkSpec {
  return defineBenchmark({
    name,
    title: `Paths: ${show}`,
    source: 'generated, after PathEval',
    summary,
    ...rules,
    // `size` pairs of each of the fifteen scenarios in all, as they come.
    generate: function* ({ seed = 0, size = 8 }: GenerateOptions) {
      const wanted = size * pathScenarios.length
      let made = 0
      for (const pair of pathPairs(`benchmark/${seed}`)) {
        if (made++ === wanted) return
        yield pairChoice(`${pair.environment.id}/${made}`, pair, show)
      }
    },
  })
}

function pairChoice(
  id: string,
  { environment, scenario, paths: both, label }: PathPair,
  show: 'picture' | 'descriptors',
) {
  const text =
    show === 'picture'
      ? `${scenario.text} ${question}`
      : `${scenario.text}\n${both.map(({ descriptors }, index) => `Path ${index + 1}: ${described(descriptors)}`).join('\n')}\nWhich path better achieves the task?`
  const picture = () =>
    pathsPicture(
      environment,
      both.map(({ points }) => points),
    )
  const prompt: readonly Part[] | string =
    show === 'descriptors'
      ? text
      : [
          { type: 'image', image: { bytes: picture(), mediaType: 'image/png' } },
          { type: 'text', text },
        ]
  const meta = { scenario: scenario.name, descriptors: both.map(({ descriptors }) => ({ ...descriptors })) }
  return choiceItem(id, scenario.name, environment.id, prompt, label, meta)
}

const words: Readonly<Record<keyof PathDescriptors, string>> = {
  minimumClearance: 'minimum clearance',
  maximumClearance: 'maximum clearance',
  averageClearance: 'average clearance',
  length: 'path length',
  smoothness: 'smoothness (sum of turns, lower is smoother)',
  sharpTurns: 'sharp turns',
  maximumAngle: 'maximum angle',
}

function described(descriptors: PathDescriptors): string {
  return Object.entries(words)
    .map(([name, word]) => `${word} ${Number(descriptors[name as keyof PathDescriptors].toFixed(2))}`)
    .join(', ')
}
