// Half precision without `Float16Array`, which Node has from version 24 on.

const words = new Uint32Array(1)
const number = new Float32Array(words.buffer)

/** Bits of the nearest half-precision numbers (ties to even); what is too large becomes infinite. */
export function halfBits(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, halfBitsOf)
}

function halfBitsOf(value: number): number {
  number[0] = value
  const bits = words[0]!
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00 // rounds beyond 65504
  if (magnitude < 0x38800000) {
    // Below 2^-14: a multiple of 2^-24; adding 1/2 leaves that multiple, rounded, in the fraction.
    number[0] = Math.abs(value) + 0.5
    return sign | (words[0]! - 0x3f000000)
  }
  const odd = (magnitude >>> 13) & 1
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13)
}

/** The numbers with these half-precision bits. */
export function halfValues(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const exponent = (half >>> 10) & 0x1f
    const fraction = half & 0x3ff
    const sign = half & 0x8000 ? -1 : 1
    if (exponent === 0) return sign * fraction * 2 ** -24
    if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  })
}
