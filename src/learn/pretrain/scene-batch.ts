import { type Tensor, tensor } from '../../tensor/tree.ts'
import { renderInto } from '../../worlds/scenes/raster.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'

/** Scenes of one size as Float[B, size, size, 3] in [0, 1]. */
export function sceneImages(scenes: readonly Scene[]): Tensor {
  const size = scenes[0]!.width
  const bytes = new Uint8Array(scenes.length * size * size * 3)
  scenes.forEach((scene, row) => {
    renderInto(scene, bytes, row * size * size * 3)
  })
  // A loop: `Float32Array.from` with a function takes as long as a step of training.
  const values = new Float32Array(bytes.length)
  for (let index = 0; index < bytes.length; index++) values[index] = bytes[index]! / 255
  return tensor(values, [scenes.length, size, size, 3])
}
