import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'

/** Folder of the real data sets; `GUERDON_DATA` names another. They are not part of the package. */
export const sharedData = process.env.GUERDON_DATA ?? join(import.meta.dirname, '../../shared/data')

/**
 * A test that runs on a real data set and is skipped, saying so, where the set is absent.
 * How to get the data: see CONTRIBUTING.md, "Real data".
 */
export function testOnData(
  set: string,
  title: string,
  run: (folder: string) => Promise<void> | void,
  timeout?: number,
) {
  const folder = join(sharedData, set)
  if (existsSync(folder)) test(`${set}: ${title}`, () => run(folder), timeout)
  else
    test.skip(
      `${set}: ${title} (data absent: set GUERDON_DATA to the folder of data sets, see CONTRIBUTING.md)`,
    )
}
