import { defineReward, isObject, type Reward, type Sample, unscored } from '../../../core/index.ts'
import { type BenchmarkSpec, defineBenchmark } from '../benchmark.ts'
import { publishedRows } from '../published.ts'
import { compBenchAverage, numeracyScore, readAnchorScore } from '../sgp-genbench.ts'

const categories = ['binding', 'relation', 'numeracy'] as const

/** What a judge says of the rendering of an SVG program, as text that ends with "SCORE:" and an anchor. */
export interface SvgJudge {
  /** One verdict for each question about a sample whose output is an answer with an SVG program; null when it does not render. */
  judge(sample: Sample, questions: readonly string[]): Promise<readonly (string | null)[]>
}

const anchors: Readonly<Record<(typeof categories)[number], string>> = {
  binding:
    'everything named is recognisable and has the right attributes 100; recognisable with wrong attributes 50; not recognisable though the attributes fit 30; neither 0',
  relation: 'the relation is clear and right 100; unclear but right 50; clear but wrong 30; neither 0',
  numeracy: 'exactly right 100; nearly 50; far off 30; nothing recognisable 0',
}

/** The questions about one prompt: one, or for numeracy the total, the items, and the count of each noun. */
function questionsFor(
  category: (typeof categories)[number],
  prompt: string,
  nouns: readonly string[],
): string[] {
  const ask = (what: string) =>
    `The picture was drawn for: "${prompt}". ${what} Give reasons, then end with "SCORE:" and one number: ${anchors[category]}.`
  if (category !== 'numeracy') return [ask(`How well does it show the ${category}?`)]
  return [
    ask('Is the number of all things together right?'),
    ask('Is everything that is named there?'),
    ...nouns.map((noun) => ask(`Is the number of this right: ${noun}?`)),
  ]
}

/** 0 to 100; a program that does not render, and a verdict without a score, are 0 and count, as published. */
function drawingScorer({ judge }: SvgJudge): Reward {
  return defineReward({
    name: 'sgp-compbench',
    range: [0, 100],
    judge: async (sample) => {
      const category = categories.find((name) => name === sample.meta.major_type)
      if (category === undefined)
        return unscored('bad-input', 'the sample has no major_type of the benchmark')
      const { metadata } = sample.meta
      const nouns = isObject(metadata) && Array.isArray(metadata.nouns) ? metadata.nouns.map(String) : []
      const verdicts = await judge(sample, questionsFor(category, String(sample.prompt), nouns))
      const scores = verdicts.map((verdict) => (verdict === null ? 0 : readAnchorScore(verdict).score))
      const [total = 0, item = 0, ...counts] = scores
      return category === 'numeracy' ? numeracyScore(total, item, counts) : total
    },
  })
}

/**
 * SVG programs drawn for prompts about attributes, relations and numbers, judged by their rendering. The headline is
 * the mean over all 3,200 prompts, so that numeracy weighs a quarter. Needs a judge that sees pictures.
 */
export function sgpCompBench(judge?: SvgJudge): BenchmarkSpec {
  return defineBenchmark({
    name: 'sgp-compbench',
    title: 'SGP-GenBench, composition',
    source: 'arXiv 2509.05208',
    summary: 'Draws things, their attributes, relations and numbers as SVG programs.',
    kind: 'answer',
    folder: 'sgp-compbench',
    files: { items: ['prompts.jsonl', 'prompts.json'] },
    how: 'The prompts are in the repository Sphere-AI-Lab/SGP-RL (sgp-compbench): rows of id, prompt, major_type, minor_type, metadata.',
    ...(judge ? { scorer: () => drawingScorer(judge) } : {}),
    read: (row) => {
      const id = row.id()
      const prompt = row.text('prompt')
      const majorType = row.text('major_type')
      const metadata = row.record.metadata as never
      const sample: Sample = { id, prompt, output: '', meta: { major_type: majorType, metadata } }
      return [{ kind: 'answer', id, subset: majorType, sample }]
    },
    aggregation: {
      sections: Object.fromEntries(categories.map((name) => [name, [name]])),
      top: 'pooled',
    },
    published: {
      rows: publishedRows(
        ['average', 'binding', 'relation', 'numeracy', 'color', 'shape', 'texture', '2D', '3D', 'implicit'],
        {
          'Qwen2.5-7B with RL': [60.8, 67.2, 57.1, 56.8, 84.3, 71.3, 46.0, 55.7, 53.9, 61.7],
          'Qwen2.5-7B': [8.8, 6.3, 6.4, 16.1, 7.1, 10.0, 1.7, 5.2, 5.8, 8.1],
          'GPT-4o': [48.3, 48.4, 45.4, 52.7],
          'Claude 3.7 Sonnet Thinking': [84.8, 86.2, 80.3, 89.4, 90.5, 85.6, 82.4, 80.2, 74.4, 86.4],
        },
      ),
      recompute: (values) => {
        const { binding, relation, numeracy } = values as Record<(typeof categories)[number], number>
        const third = (a: string, b: string, c: string) =>
          values[a] === undefined ? null : (values[a] + values[b]! + values[c]!) / 3
        return {
          average: compBenchAverage({ binding, relation, numeracy }),
          binding: third('color', 'shape', 'texture'),
          relation: third('2D', '3D', 'implicit'),
        }
      },
      tolerance: 0.1,
    },
  })
}
