import type { Row } from '../../../data/row.ts'
import { defineBenchmark, type PreferenceItem } from '../benchmark.ts'
import { pairItem } from '../items.ts'
import { publishedRows } from '../published.ts'

/** Each answer is written in three styles, ever more pleasing ones, in this order. */
export const rmBenchStyles = ['concise', 'detailed, plain', 'detailed, markdown'] as const

const difficulties = ['hard', 'normal', 'easy'] as const

/**
 * How hard it is to prefer the chosen answer in one style over the rejected answer in another (places in `rmBenchStyles`):
 * hard where the rejected one is written more pleasingly, above the diagonal of the matrix [chosen][rejected].
 */
export function rmBenchDifficulty(chosenStyle: number, rejectedStyle: number): (typeof difficulties)[number] {
  return chosenStyle < rejectedStyle ? 'hard' : chosenStyle > rejectedStyle ? 'easy' : 'normal'
}

/**
 * Substance against style: a right and a wrong answer in three styles each, all nine pairs. Hard, normal and easy pairs are
 * three sections; the headline is their plain mean. A tie counts as wrong. (The place on the hub is *unverified*.)
 */
export const rmBench = defineBenchmark({
  name: 'rm-bench',
  title: 'RM-Bench',
  source: 'arXiv 2410.16184',
  summary: 'Prefers the right answer also where the wrong one is longer or better laid out.',
  kind: 'preference',
  chance: 0.5,
  hub: ['hf://THU-KEG/RM-Bench/train'],
  read: (row) => {
    const chosen = answersOf(row, 'chosen')
    const rejected = answersOf(row, 'rejected')
    return chosen.flatMap((a, i) =>
      rejected.map((b, j): PreferenceItem => {
        const meta = { domain: row.text('domain'), styles: [rmBenchStyles[i]!, rmBenchStyles[j]!] }
        const id = `${row.text('domain')}/${row.id()}/${i + 1}-${j + 1}`
        return pairItem({
          id,
          subset: rmBenchDifficulty(i, j),
          prompt: row.text('prompt'),
          a,
          b,
          label: 1,
          meta,
        })
      }),
    )
  },
  aggregation: {
    sections: Object.fromEntries(difficulties.map((name) => [name, [name]])),
    ties: 'wrong',
    top: 'macro',
  },
  published: {
    rows: publishedRows([...difficulties, 'average'], {
      'IXC-2.5-Reward (7B)': [47.4, 71.3, 87.5, 68.8],
    }),
    recompute: ({ hard, normal, easy }) => ({ average: (hard! + normal! + easy!) / 3 }),
    tolerance: 0.1,
  },
})

function answersOf(row: Row, field: 'chosen' | 'rejected'): readonly string[] {
  const answers = row.texts(field)
  if (answers.length === rmBenchStyles.length) return answers
  throw row.problem(
    field,
    `has ${answers.length} answers, not one in each of ${rmBenchStyles.length} styles.`,
  )
}
