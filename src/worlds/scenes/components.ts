import type { Box } from './scene.ts'

/** Pixels of one label that hang together. */
export interface Component {
  readonly label: number
  readonly box: Box
  /** Indices into the image, row by row. */
  readonly pixels: readonly number[]
}

/** Connected regions (by edges, not corners) of equal labels other than 0, in reading order of their first pixels. */
export function connectedComponents(labels: Uint8Array, width: number): Component[] {
  const height = labels.length / width
  const seen = new Uint8Array(labels.length)
  const components: Component[] = []
  for (let start = 0; start < labels.length; start++) {
    const label = labels[start]!
    if (label === 0 || seen[start]) continue
    const pixels = [start]
    seen[start] = 1
    let [left, right, top, bottom] = [width, 0, height, 0]
    for (let next = 0; next < pixels.length; next++) {
      const pixel = pixels[next]!
      const x = pixel % width
      const y = (pixel - x) / width
      left = Math.min(left, x)
      right = Math.max(right, x + 1)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y + 1)
      const visit = (neighbour: number) => {
        if (seen[neighbour] || labels[neighbour] !== label) return
        seen[neighbour] = 1
        pixels.push(neighbour)
      }
      if (x > 0) visit(pixel - 1)
      if (x + 1 < width) visit(pixel + 1)
      if (y > 0) visit(pixel - width)
      if (y + 1 < height) visit(pixel + width)
    }
    components.push({ label, box: [left, top, right, bottom], pixels })
  }
  return components
}
