// Scores a generated JSON Lines file end to end, store included: rows per second, processor time, memory, size.
//
//   npm run -s bench -- run [--rows 200000] [--workers N] [--rewards 1] [--json]
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { scoreRun } from '../src/apply/run.ts'
import { defineReward, Rng, textOf } from '../src/core/index.ts'
import { openStore } from '../src/store/index.ts'
import { print, processorClock } from './_throughput.ts'

/** A cheap rule: whether the output ends with the reference. Made again in every thread. */
export const endsWithReference = () =>
  defineReward({
    name: 'ends-with-reference',
    needs: ['reference'],
    judge: ({ output, reference }) => (textOf(output).endsWith(String(reference)) ? 1 : 0),
  })

/** Rows of about 270 bytes in groups of 4: a question, an answer that is right half of the time, the reference. */
async function generate(path: string, rows: number): Promise<void> {
  const rng = new Rng('bench')
  const file = createWriteStream(path, { highWaterMark: 1 << 20 })
  for (let row = 0; row < rows; row += 1000) {
    let text = ''
    for (let index = row; index < Math.min(rows, row + 1000); index++) {
      const [a, b] = [rng.int(0, 1000), rng.int(0, 1000)]
      const answer = rng.chance(0.5) ? a + b : a + b + 1
      text += `${JSON.stringify({
        id: `row-${index}`,
        group: `question-${Math.floor(index / 4)}`,
        prompt: `What is ${a} + ${b}? Think step by step, then give the number alone at the end.`,
        output: `First the tens, then the ones: ${a} and ${b} together make ${answer}. So the answer is ${answer}`,
        reference: String(a + b),
        source: 'generated',
      })}\n`
    }
    if (!file.write(text)) await once(file, 'drain')
  }
  file.end()
  await finished(file)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '200000' },
      workers: { type: 'string', default: String(availableParallelism()) },
      rewards: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  })
  const rows = Number(values.rows)
  const workers = Number(values.workers)
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-bench-'))
  try {
    const source = join(folder, 'rows.jsonl')
    await generate(source, rows)
    const store = await openStore(join(folder, 'store.db'))
    const memory: number[] = []
    let peakMemory = 0
    const look = () => {
      const used = Math.round(process.memoryUsage.rss() / 2 ** 20)
      peakMemory = Math.max(peakMemory, used)
      return used
    }
    const run = () =>
      scoreRun({
        samples: source,
        rewards: Object.fromEntries(
          Array.from({ length: Number(values.rewards) }, (_, index) => [
            `reward-${index + 1}`,
            { module: import.meta.url, export: 'endsWithReference' },
          ]),
        ),
        store,
        runId: 'bench',
        workers,
        onProgress: ({ rows: done }) => {
          const used = look()
          while (memory.length < 10 && done >= ((memory.length + 1) * rows) / 10) memory.push(used)
        },
      })
    const processorMs = processorClock()
    const started = performance.now()
    const summary = await run()
    const seconds = (performance.now() - started) / 1000
    look()
    const processorSeconds = processorMs() / 1000
    const again = performance.now()
    const resumed = await run()
    const resumeSeconds = (performance.now() - again) / 1000
    const { scored } = summary.rewards['reward-1']!
    if (summary.rows.samples !== rows || scored !== rows || resumed.timing.newScores !== 0)
      throw new Error(`${scored} of ${rows} scored, ${resumed.timing.newScores} again`)
    await store.close()
    print([
      {
        rows,
        workers,
        seconds,
        'rows/s': Math.round(rows / seconds),
        'processor s': processorSeconds,
        'MiB at each tenth': memory.join(' '),
        'peak MiB': peakMemory,
        'file MiB': statSync(source).size / 2 ** 20,
        'store MiB': statSync(store.location).size / 2 ** 20,
        'resume s': resumeSeconds,
      },
    ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (isMainThread) void main() // not in the threads of the run, which import this module for its reward
