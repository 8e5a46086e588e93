import { Rng, type Sample } from '../../../core/index.ts'
import { text } from '../../../worlds/index.ts'
import { type BenchmarkItem, defineBenchmark, type GenerateOptions } from '../benchmark.ts'

const kinds = {
  instruction: { kinds: { instruction: 1 } },
  arithmetic: { kinds: { arithmetic: 1 } },
  tools: { kinds: { tools: 1 } },
} as const

/**
 * Instructions, arithmetic and tool calls of the text world, made on the spot, two answers each; which is better is
 * known exactly. In `second language` prompt and answers of instructions are translated.
 */
export const textPreference = defineBenchmark({
  name: 'text-preference',
  title: 'Text world: two answers',
  source: 'generated',
  summary: 'Prefers the better answer to instructions, arithmetic and tool requests in a closed vocabulary.',
  kind: 'preference',
  chance: 0.5,
  generate: textPairs,
  aggregation: { top: 'macro' },
})

/** `size` pairs of each subset. */
function* textPairs({ seed = 0, size = 100 }: GenerateOptions): Generator<BenchmarkItem> {
  for (const [subset, options] of Object.entries(kinds))
    yield* pairsOf(subset, `benchmark/${seed}/${subset}`, size, options)
  yield* pairsOf(
    'second language',
    `benchmark/${seed}/second language`,
    size,
    kinds.instruction,
    text.language(1),
  )
}

function* pairsOf(
  subset: string,
  seed: string,
  size: number,
  options: text.TaskOptions,
  spoken?: text.Language,
): Generator<BenchmarkItem> {
  let made = 0
  for (let index = 0; made < size; index++) {
    const { task, first, second, truth } = text.annotatedPair(seed, index, { ...options, split: 'test' })
    if (truth === 0.5) continue
    made++
    yield taskPair(`${subset}/${index}`, subset, task, [first, second], truth === 1 ? 1 : -1, spoken)
  }
}

/** Two answers to a task as an item; the samples' references are the task. */
export function taskPair(
  id: string,
  subset: string,
  task: text.TextTask,
  [first, second]: readonly [text.Candidate, text.Candidate],
  label: number,
  spoken?: text.Language,
): BenchmarkItem {
  const side = (name: string, candidate: text.Candidate): Sample => {
    const sample = text.taskSample(`${id}#${name}`, task, candidate)
    const translated = (turns: Sample['output']) =>
      spoken === undefined ? turns : text.translateText(String(turns), spoken)
    // The oracle's verdict stays out of what is judged.
    const meta = { world: 'text', category: sample.meta.category, recipe: candidate.recipe }
    return {
      ...sample,
      group: id,
      prompt: translated(sample.prompt),
      output: translated(sample.output),
      meta,
    }
  }
  return {
    kind: 'preference',
    id,
    subset,
    cluster: id,
    a: side('a', first),
    b: side('b', second),
    label,
  }
}

/** Faultless answers against answers made to please a careless reward, by how they were made. */
export const textAdversarial = defineBenchmark({
  name: 'text-adversarial',
  title: 'Text world: answers made to please',
  source: 'generated',
  summary:
    'Prefers a faultless answer to a stuffed, padded, boasting, copied, repeated, refusing or empty one.',
  kind: 'preference',
  chance: 0.5,
  generate: adversarialPairs,
  aggregation: { top: 'macro' },
})

/** `size` pairs for each attack. */
function* adversarialPairs({ seed = 0, size = 50 }: GenerateOptions): Generator<BenchmarkItem> {
  for (const attack of text.attacks) {
    let made = 0
    for (let index = 0; made < size; index++) {
      const rng = new Rng(`text-adversarial/${seed}/${attack}/${index}`)
      const task = text.taskAt(`benchmark/${seed}/${attack}`, index, { split: 'test' })
      if (task.task !== 'instruction' || task.ask.kind === 'refuse') continue
      const good = text.goodAnswer(task, rng)
      const bad = text.attackAnswer(task, attack, rng)
      if (
        good === undefined ||
        text.judgeTask(task, bad.tokens).total >= text.judgeTask(task, good.tokens).total
      )
        continue
      made++
      yield taskPair(`${attack}/${index}`, attack, task, [good, bad], 1)
    }
  }
}
