import { AsyncLocalStorage } from 'node:async_hooks'

const forbidden = new AsyncLocalStorage<true>()

/** In the environment of a process that reads no image files at all: `off`. */
export const imageFilesVariable = 'GUERDON_IMAGE_FILES'

/**
 * Work in which paths of images are never opened, wherever they stand (prompt, output, reference): for samples that come
 * from strangers, as in a server. Data URLs and bytes are read as ever.
 */
export function withoutImageFiles<Result>(work: () => Result): Result {
  return forbidden.run(true, work)
}

export function mayReadImageFiles(): boolean {
  return forbidden.getStore() === undefined && process.env[imageFilesVariable] !== 'off'
}
