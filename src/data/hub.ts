import { GuerdonError } from '../core/index.ts'

export async function hubFiles(
  source: string,
  _options: { signal?: AbortSignal },
): Promise<readonly { path: string; size: number }[]> {
  throw new GuerdonError('offline', 'the hub cannot be read yet.', { place: { file: source } })
}
