import { Rng } from '../../core/index.ts'
import { guidedLogp } from '../../nets/guided-decoder.ts'

const tokens = 4
const length = 3

/**
 * Total variation between what guided decoding draws and p_base * p_guide^weight, normalised over all strings of three
 * tokens. Token by token it is exact only where all continuations of a prefix have one partition sum: `even` draws the same
 * next-token distributions after every prefix of a length, so that they do.
 */
export function decodingError(
  seed: string,
  { even, weight = 1 }: { even: boolean; weight?: number },
): number {
  const rng = new Rng(`genarm/tabular/${seed}`)
  const logits = (model: string, prefix: readonly number[]) => {
    const own = rng.fork(`${model} ${even ? prefix.length : prefix.join(' ')}`)
    return Array.from({ length: tokens }, () => 1.5 * own.normal())
  }
  const strings = Array.from({ length: tokens ** length }, (_, index) =>
    Array.from({ length }, (_, place) => Math.floor(index / tokens ** place) % tokens),
  )
  const along = (string: readonly number[], logp: (prefix: readonly number[]) => ArrayLike<number>) =>
    string.reduce((sum, token, place) => sum + logp(string.slice(0, place))[token]!, 0)
  const drawn = strings.map((string) =>
    Math.exp(
      along(string, (prefix) =>
        guidedLogp(logits('base', prefix), [{ logits: logits('guide', prefix), weight }]),
      ),
    ),
  )
  const tilted = strings.map((string) => {
    const base = along(string, (prefix) => guidedLogp(logits('base', prefix), []))
    const guide = along(string, (prefix) => guidedLogp(logits('guide', prefix), []))
    return Math.exp(base + weight * guide)
  })
  const whole = tilted.reduce((a, b) => a + b, 0)
  return drawn.reduce((sum, p, index) => sum + Math.abs(p - tilted[index]! / whole), 0) / 2
}
