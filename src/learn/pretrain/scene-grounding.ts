import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../../core/index.ts'
import { targetLogp } from '../../nets/cross-entropy.ts'
import { initialLinear, type Linear, linear } from '../../nets/layers.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import { colours, shapes, sizes } from '../../worlds/scenes/attributes.ts'
import { centreOf } from '../../worlds/scenes/graph.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'

// What an image token should say of its patch: the object whose centre lies in it. The head that reads it is for
// training only; it teaches an encoder to see long before words could.

/** What is told of each patch, and how many answers there are. Shape 0: no object has its centre here. */
function questionsOf(size: number): readonly number[] {
  const edge = size + 1
  return [shapes.length + 1, colours.length, sizes.length, edge, edge, edge, edge]
}

/** Weight of a patch without an object beside one with: there are many of them. */
const emptyWeight = 0.1

export type GroundingHead<Leaf> = Linear<Leaf>

/** @param width of the image tokens  @param size of the image [pixels] */
export function initialGroundingHead(rng: Rng, width: number, size: number): GroundingHead<Tensor> {
  return initialLinear(
    rng,
    width,
    questionsOf(size).reduce((a, b) => a + b, 0),
  )
}

/** The answers for square scenes, patch by patch: Int[B, count, 7] (shape, colour, size, the four edges of the box). */
export function groundingLabels(scenes: readonly Scene[], patch: number): Tensor {
  const size = scenes[0]!.width
  const side = size / patch
  const fields = questionsOf(size).length
  const labels = new Int32Array(scenes.length * side * side * fields)
  scenes.forEach(({ objects }, row) => {
    for (const { shape, colour, size: sizeName, box } of objects) {
      const [x, y] = centreOf(box).map((at) => Math.floor(at / patch)) as [number, number]
      const place = (row * side + y) * side + x
      const answers = [shapes.indexOf(shape) + 1, colours.indexOf(colour), sizes.indexOf(sizeName), ...box]
      labels.set(answers, place * fields)
    }
  })
  return tensor(labels, [scenes.length, side * side, fields], 'int32')
}

/**
 * Mean over the patches of the cross-entropy of the shape (with "none") and, where there is an object, of everything
 * else [nats]. Consumes tokens Float[B, count, width] and labels.
 */
export function groundingLoss(
  head: GroundingHead<JaxArray>,
  tokens: JaxArray,
  labels: JaxArray,
  size: number,
): JaxArray {
  const widths = questionsOf(size)
  const ends = widths.map((_, index) => widths.slice(0, index + 1).reduce((a, b) => a + b, 0)).slice(0, -1)
  const logits = np.split(linear(head, tokens), ends, -1)
  const answers = np.split(labels, widths.length, -1)
  const shape = answers[0]!.shape.slice(0, 2)
  const present = np.where(np.greater(answers[0]!.ref.reshape(shape), 0), 1, 0)
  const weight = np.where(np.greater(answers[0]!.ref.reshape(shape), 0), 1, emptyWeight)
  const logp = logits.map((scores, index) =>
    targetLogp(scores, answers[index]!.reshape(shape)).mul(index === 0 ? weight.ref : present.ref),
  )
  const loss = np.negative(np.sum(logp.reduce((a, b) => a.add(b)))).div(np.sum(weight))
  present.dispose()
  return loss
}
