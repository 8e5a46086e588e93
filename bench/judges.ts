// How often judges on the embedded models prefer what the oracle of a world prefers, beside the plain question and beside
// how likely the model finds the answers.
//
//   npm run -s bench -- judges [--json] [--pairs 200] [--model text-lm-sft] [--method rm-r1] [--weights FILE]
import { parseArgs } from 'node:util'
import type { EmbeddedLanguageModel } from '../src/nets/embedded/index.ts'
import { loadEmbedded } from '../src/nets/embedded/load-embedded.ts'
import { hasWeights } from '../src/nets/embedded/weights-path.ts'
import { oracleRows } from './_judge-oracle-rows.ts'
import { ownRows } from './_judge-rows.ts'
import { type JudgeResult, type JudgeRow, judged } from './_judge-table.ts'
import { moreRows } from './_more-judge-rows.ts'
import { secondLookRows } from './_second-look-rows.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    pairs: { type: 'string', default: '200' },
    model: { type: 'string' },
    method: { type: 'string' },
    weights: { type: 'string' }, // a file in the place of the model's own
  },
})

// Rows of judges: one list a file.
const rows: readonly JudgeRow[] = [...ownRows, ...oracleRows, ...moreRows, ...secondLookRows].filter(
  ({ model, method }) =>
    (values.model === undefined || model === values.model) &&
    (values.method === undefined || method.startsWith(values.method)),
)

const results: JudgeResult[] = []
for (const [name, mine] of Map.groupBy(rows, ({ model }) => model)) {
  const weights = values.weights ?? name
  if (name !== 'none' && !hasWeights(weights)) {
    process.stderr.write(`no weights of ${name}: ${mine.length} rows left out\n`)
    continue
  }
  const model = (name === 'none' ? undefined : await loadEmbedded<string>(weights)) as EmbeddedLanguageModel
  for (const [set, judges] of Map.groupBy(mine, (row) => row.set)) {
    const pairs = set.pairs(Number(values.pairs))
    for (const row of judges) {
      const result = await judged(row, pairs, model)
      results.push(result)
      process.stderr.write(`${row.method} (${row.protocol}) on ${set.name}: ${result.accuracy}\n`)
    }
  }
  await model?.dispose()
}
if (values.json) process.stdout.write(`${JSON.stringify(results, null, 1)}\n`)
else console.table(results)
