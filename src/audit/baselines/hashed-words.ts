import { hash } from 'node:crypto'
import type { Embedder } from '../../models/index.ts'
import { tokenise } from '../../rewards/verifiable/text/tokens.ts'

/**
 * Texts as vectors of their words, each word hashed to a place and a sign: cosines follow shared words, weighted down
 * by how often a text repeats them. No weights and no download; blind to what words mean.
 */
export function hashedWordEmbedder(dimensions = 512): Embedder {
  const places = new Map<string, readonly [place: number, sign: number]>()
  const placeOf = (word: string) => {
    let found = places.get(word)
    if (found === undefined) {
      const digits = Number.parseInt(hash('sha256', word, 'hex').slice(0, 8), 16)
      found = [(digits >>> 1) % dimensions, digits & 1 ? 1 : -1]
      places.set(word, found)
    }
    return found
  }
  return {
    id: `hashed-words-${dimensions}`,
    dimensions,
    embedText: async (texts) =>
      texts.map((text) => {
        const vector = new Float32Array(dimensions)
        const counts = new Map<string, number>()
        for (const word of tokenise(text, 'unicode', true)) counts.set(word, (counts.get(word) ?? 0) + 1)
        for (const [word, count] of counts) {
          const [place, sign] = placeOf(word)
          vector[place]! += sign * Math.log1p(count)
        }
        const size = Math.hypot(...vector)
        if (size === 0) vector[0] = 1
        return size === 0 ? vector : vector.map((value) => value / size)
      }),
  }
}
