import { GuerdonError } from '../../core/index.ts'
import { recomputePublished } from './load-benchmark.ts'
import { checkPublished, type PublishedCheck } from './published.ts'
import { benchmarks } from './registry.ts'

/**
 * Every published number of every benchmark beside the same number computed here: from the other numbers of its row,
 * and from the benchmark's data where `GUERDON_DATA` has them.
 */
export async function allPublishedChecks(): Promise<readonly PublishedCheck[]> {
  const checks: PublishedCheck[] = []
  for (const spec of benchmarks.values()) {
    checks.push(...checkPublished(spec))
    try {
      checks.push(...(await recomputePublished(spec)))
    } catch (error) {
      if (!(error instanceof GuerdonError && error.code === 'not-found')) throw error
    }
  }
  return checks
}
