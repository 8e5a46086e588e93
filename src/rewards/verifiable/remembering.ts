/**
 * `read`, with the results for the last `limit` keys kept, so that samples that share a reference share the work of
 * reading it. A rejected promise is not kept.
 */
export function remembering<A, B>(
  limit: number,
  keyOf: (argument: A) => string,
  read: (argument: A) => Promise<B>,
): (argument: A) => Promise<B> {
  const kept = new Map<string, Promise<B>>()
  return (argument) => {
    const key = keyOf(argument)
    let result = kept.get(key)
    if (result === undefined) {
      result = read(argument)
      result.catch(() => kept.delete(key))
    } else kept.delete(key)
    kept.set(key, result) // as the last one
    if (kept.size > limit) kept.delete(kept.keys().next().value!)
    return result
  }
}
