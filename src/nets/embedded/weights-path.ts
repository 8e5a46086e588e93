import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The file of an embedded model's weights: `weights/NAME.safetensors` of this package, the same from the sources and
 * from the build. A path (with a slash, or ending in `.safetensors`) is taken as it is.
 */
export function weightsPath(name: string): string {
  if (/[/\\]|\.safetensors$/.test(name)) return name
  return fileURLToPath(new URL(`../../../weights/${name}.safetensors`, import.meta.url))
}

export function hasWeights(name: string): boolean {
  return existsSync(weightsPath(name))
}
