/**
 * Tells ids that were seen before, and on which line, in 12 bytes an entry (24 to 48 MiB for a million ids) however
 * long the ids are: it keeps 64-bit hashes, not the ids. Two different ids share a hash with a chance of about
 * n^2 / 2^65 (1e-7 for two million ids); they would be taken for duplicates.
 */
export class DuplicateIds {
  #slots = 1 << 12
  #used = 0
  /** Per slot: high hash, low hash, line (0 = free). */
  #table = new Uint32Array(3 * this.#slots)

  /** The line on which `id` was seen before; `undefined` when it is new, and remembers it. */
  lineOf(id: string, line: number): number | undefined {
    let high = 0x9e3779b9
    let low = 0x85ebca6b
    for (let index = 0; index < id.length; index++) {
      const code = id.charCodeAt(index)
      high = Math.imul(high ^ code, 0x01000193)
      low = Math.imul(low ^ code, 0x5bd1e995)
      low ^= low >>> 15
    }
    high = mixed(high ^ (low >>> 7))
    low = mixed(low ^ (high << 3))
    const at = this.#find(high, low)
    if (this.#table[at + 2] !== 0) return this.#table[at + 2]
    this.#put(at, high, low, line)
    if (++this.#used > 0.6 * this.#slots) this.#grow()
    return undefined
  }

  #find(high: number, low: number): number {
    const table = this.#table
    const mask = this.#slots - 1
    let slot = low & mask
    while (table[3 * slot + 2] !== 0 && !(table[3 * slot] === high && table[3 * slot + 1] === low))
      slot = (slot + 1) & mask
    return 3 * slot
  }

  #put(at: number, high: number, low: number, line: number): void {
    this.#table[at] = high
    this.#table[at + 1] = low
    this.#table[at + 2] = line
  }

  #grow(): void {
    const old = this.#table
    this.#slots *= 2
    this.#table = new Uint32Array(3 * this.#slots)
    for (let at = 0; at < old.length; at += 3)
      if (old[at + 2] !== 0)
        this.#put(this.#find(old[at]!, old[at + 1]!), old[at]!, old[at + 1]!, old[at + 2]!)
  }
}

function mixed(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
