import { appendFile, readFile } from 'node:fs/promises'
import { GuerdonError } from '../../core/index.ts'
import type { CachedCall } from '../../store/index.ts'
import type { CallCache } from './call-layer.ts'

/**
 * Answers in a file of JSON lines (`{key, model, answer, usage}`), so that tests and demonstrations can go without the
 * models: recorded once through a live layer, answered from the file in the mode `replay`. New answers are appended;
 * failures are not recorded.
 *
 * @throws GuerdonError `bad-recording` for a line that is none
 * @example
 * const calls = new CallLayer({ cache: await recording('calls.jsonl'), mode: 'replay' })
 */
export async function recording(file: string): Promise<CallCache> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const answers = new Map<string, CachedCall>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const call = callOf(line)
    if (call === undefined)
      throw new GuerdonError('bad-recording', 'this is no recorded call.', {
        place: { file, line: index + 1 },
        fix: 'Remove the line, or the file, and record again.',
      })
    answers.set(call.key, call)
  }
  return {
    find: async (keys) =>
      new Map(
        keys.flatMap((key) => {
          const call = answers.get(key)
          return call === undefined ? [] : [[key, call] as const]
        }),
      ),
    async keep(calls) {
      const fresh = calls.filter(({ key }) => !answers.has(key))
      if (fresh.length === 0) return
      for (const call of fresh) answers.set(call.key, call)
      await appendFile(file, fresh.map((call) => `${JSON.stringify(call)}\n`).join(''))
    },
    keepFailures: async () => {},
  }
}

function callOf(line: string): CachedCall | undefined {
  try {
    const call = JSON.parse(line) as CachedCall
    return typeof call.key === 'string' && typeof call.model === 'string' && call.answer !== undefined
      ? call
      : undefined
  } catch {
    return undefined
  }
}
