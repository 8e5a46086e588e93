import { messageOf, type Unscored, unscored } from '../../core/index.ts'
import type { ChatImage } from '../../models/chat-image.ts'
import type { Embedder } from '../../models/embedder.ts'
import { isFailed, type Outcome } from '../../models/outcome.ts'

/** A unit vector, or why there is none. */
export type Embedded = Float32Array | Unscored

/** Unit vectors of texts, in order; equal texts are embedded once. A failure stays with what failed. */
export async function embedTexts(
  embedder: Pick<Embedder, 'embedText'>,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<Embedded[]> {
  return embedOnce(texts, 'texts', signal, embedder.embedText?.bind(embedder))
}

/** Unit vectors of pictures, in order; one that occurs more than once is embedded once. */
export async function embedImages(
  embedder: Pick<Embedder, 'embedImage'>,
  images: readonly ChatImage[],
  signal?: AbortSignal,
): Promise<Embedded[]> {
  return embedOnce(images, 'images', signal, embedder.embedImage?.bind(embedder))
}

export function isVector(embedded: Embedded): embedded is Float32Array {
  return embedded instanceof Float32Array
}

async function embedOnce<Item>(
  items: readonly Item[],
  kind: string,
  signal: AbortSignal | undefined,
  embed:
    | ((items: readonly Item[], signal?: AbortSignal) => Promise<readonly Outcome<Float32Array>[]>)
    | undefined,
): Promise<Embedded[]> {
  if (items.length === 0) return []
  if (embed === undefined) {
    const missing = unscored('not-applicable', `the embedder does not embed ${kind}`)
    return items.map(() => missing)
  }
  const different = [...new Set(items)]
  try {
    const found = new Map<Item, Embedded>()
    for (const [index, outcome] of (await embed(different, signal)).entries()) {
      const vector = isFailed(outcome) ? unscored(outcome.failure.code, outcome.failure.reason) : outcome
      found.set(different[index]!, vector)
    }
    return items.map((item) => found.get(item) ?? unscored('outage', 'the embedder returned too few vectors'))
  } catch (error) {
    const failed = signal?.aborted
      ? unscored('cancelled', 'cancelled while it was embedded')
      : unscored('outage', `the embedder failed: ${messageOf(error)}`)
    return items.map(() => failed)
  }
}
