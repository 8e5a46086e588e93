import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GuerdonError, identityOf } from '../../core/index.ts'
import type { Reproduction } from './reproduction.ts'
import type { RunResult } from './results.ts'

/** Runs that are finished, on disk as soon as they are. */
export interface KeptRuns {
  find(arm: string, seed: number, tuned: number | undefined): RunResult | undefined
  add(run: RunResult): Promise<void>
}

/** Opens the runs of a folder. Throws `other-reproduction` when they are of other arms or settings. */
export async function keptRuns(
  reproduction: Reproduction,
  folder: string,
  quick: boolean,
): Promise<KeptRuns> {
  await mkdir(folder, { recursive: true })
  const { id, settings } = reproduction
  const head = identityOf({ id, settings, quick })
  const file = join(folder, 'runs.jsonl')
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean)
  const list: RunResult[] = []
  if (lines.length === 0) await writeFile(file, `${JSON.stringify({ reproduction: head })}\n`)
  else if (JSON.parse(lines[0]!).reproduction !== head)
    throw new GuerdonError('other-reproduction', 'this folder holds runs of other settings.', {
      place: { file },
      fix: 'Give another folder, or remove it to begin anew.',
    })
  for (const line of lines.slice(1)) {
    try {
      list.push(JSON.parse(line))
    } catch {
      // a line that a crash cut off: that run is done again
    }
  }
  return {
    find: (arm, seed, tuned) =>
      list.find((run) => run.arm === arm && run.seed === seed && run.tuned === tuned),
    async add(run) {
      list.push(run)
      await appendFile(file, `${JSON.stringify(run)}\n`)
    },
  }
}

/** Where a run works: its log stays, what it could go on from goes when it is done. */
export function runFolder(folder: string, arm: string, seed: number, tuned: number | undefined): string {
  const name = arm.replaceAll(/[^\w.=-]+/g, '-')
  return join(folder, `seed-${seed}`, tuned === undefined ? name : `${name}@${tuned}`)
}

export async function removeCheckpoints(folder: string): Promise<void> {
  await rm(join(folder, 'checkpoint'), { recursive: true, force: true })
}
