// Items per second and core of the text world: drawing, judging, tokens and samples.
//
//   npm run -s bench -- text-world [--json]
import { Rng } from '../src/core/index.ts'
import { text } from '../src/worlds/index.ts'
import { print, throughput } from './_throughput.ts'

const batch = 1000
const kinds = (kind: text.TaskKind) => ({ kinds: { [kind]: 1 } })
let next = 0
const indices = () => Array.from({ length: batch }, () => next++)

const pool = Array.from({ length: batch }, (_, index) => text.corpusItem('pool', index))
const instructions = pool.filter(({ task }) => task.task === 'instruction')
const texts = pool.map(({ ids }) => text.textVocabulary.decode(ids))
const second = text.language(1)

const cases: readonly [name: string, items: number, work: () => unknown][] = [
  [
    'instruction and prompt',
    batch,
    () => indices().map((index) => text.taskPrompt(text.taskAt('bench', index))),
  ],
  [
    'arithmetic and gold',
    batch,
    () =>
      indices().map((index) =>
        text.goldAnswer(text.taskAt('bench', index, kinds('arithmetic')), new Rng(index)),
      ),
  ],
  [
    'tool request and gold',
    batch,
    () =>
      indices().map((index) => text.goldAnswer(text.taskAt('bench', index, kinds('tools')), new Rng(index))),
  ],
  [
    'training item (task, answer, ids)',
    batch,
    () => indices().map((index) => text.corpusItem('bench', index)),
  ],
  ['oracle', batch, () => pool.map(({ task, answer }) => text.judgeTask(task, answer.tokens))],
  [
    'token rewards',
    instructions.length,
    () =>
      instructions.map(({ task, answer }) =>
        task.task === 'instruction' ? text.tokenRewards(task, answer.tokens) : [],
      ),
  ],
  ['encode', batch, () => texts.map((line) => text.textVocabulary.encode(line))],
  ['decode', batch, () => pool.map(({ ids }) => text.textVocabulary.decode(ids))],
  ['annotated pair', batch, () => indices().map((index) => text.annotatedPair('bench', index))],
  [
    'translation there and back',
    batch,
    () => pool.map(({ answer }) => text.untranslate(text.translate(answer.tokens, second), second)),
  ],
  ['sample (task, answer, verdict)', batch, () => text.textSamples({ seed: next++, prompts: batch / 4 })],
]

const rows: Record<string, string | number>[] = []
for (const [name, items, work] of cases)
  rows.push({ what: name, 'per second': Math.round(await throughput(items, work, { warmups: 3, runs: 3 })) })
print(rows)
