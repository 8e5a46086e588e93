import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReproductionResult } from './reproduce.ts'
import type { RunResult } from './results.ts'

/** A reproduction's result without curves and outputs: small enough to be kept with the code. */
export interface ReproductionSummary extends Omit<ReproductionResult, 'runs'> {
  readonly runs: readonly Omit<RunResult, 'curves' | 'examples'>[]
}

/** The folder of results that the package comes with, one `<id>.json` each. */
export const resultsFolder = fileURLToPath(new URL('../../../reproductions', import.meta.url))

export function summaryOf({ runs, ...result }: ReproductionResult): ReproductionSummary {
  return { ...result, runs: runs.map(({ curves: _, examples: __, ...run }) => run) }
}

/** Writes `<id>.json`; a quick slice is no result and is refused. */
export async function writeSummary(folder: string, result: ReproductionResult): Promise<string> {
  if (result.quick) throw new TypeError('a quick slice is no result')
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${result.id}.json`)
  await writeFile(file, `${JSON.stringify(summaryOf(result), null, 1)}\n`)
  return file
}

/** The results that lie in a folder, in the order of their names; none when there is no folder. */
export function readSummaries(folder: string = resultsFolder): readonly ReproductionSummary[] {
  const files = filesIn(folder).filter((file) => file.endsWith('.json'))
  return files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')))
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
