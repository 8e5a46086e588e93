import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../../core/index.ts'
import { targetLogp } from '../../nets/cross-entropy.ts'
import { initialLinear, type Linear, linear } from '../../nets/layers.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import { backgrounds, colours, shapes, sizes } from '../../worlds/scenes/attributes.ts'
import { centreOf } from '../../worlds/scenes/graph.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'

// What an image token should say of its patch: the background, whether an object has its centre there, and what that
// object is. An encoder learns to see from it long before it could from words. The head serves training only.

/** Weight of a patch without an object beside one with: there are many of them. */
const emptyWeight = 0.1

/** Questions of every patch, and those of patches with an object; how many answers each has. */
const always = { background: backgrounds.length } as const
const ofObjects = (size: number) => ({
  ...{ shape: shapes.length, colour: colours.length, size: sizes.length },
  ...{ left: size + 1, top: size + 1, right: size + 1, bottom: size + 1 },
})
const answersOf = (size: number) => Object.values({ ...always, ...ofObjects(size) })

export type GroundingHead<Leaf> = Linear<Leaf>

/** @param width of the image tokens  @param size of the scenes [pixels] */
export function initialGroundingHead(rng: Rng, width: number, size: number): GroundingHead<Tensor> {
  return initialLinear(
    rng,
    width,
    answersOf(size).reduce((a, b) => a + b, 0),
  )
}

/**
 * The right answers for square scenes, patch by patch: Int[B, count, 9]: whether there is an object, background, then
 * the object's shape, colour, size and the four edges of its box [pixels].
 */
export function groundingLabels(scenes: readonly Scene[], patch: number): Tensor {
  const size = scenes[0]!.width
  const side = size / patch
  const fields = 1 + answersOf(size).length
  const labels = new Int32Array(scenes.length * side * side * fields)
  scenes.forEach(({ objects, background }, row) => {
    const first = row * side * side
    for (let place = first; place < first + side * side; place++)
      labels[place * fields + 1] = backgrounds.indexOf(background)
    for (const { shape, colour, size: sizeName, box } of objects) {
      const [x, y] = centreOf(box).map((at) => Math.floor(at / patch)) as [number, number]
      const what = [shapes.indexOf(shape), colours.indexOf(colour), sizes.indexOf(sizeName), ...box]
      const place = first + y * side + x
      labels[place * fields] = 1
      labels.set(what, place * fields + 2)
    }
  })
  return tensor(labels, [scenes.length, side * side, fields], 'int32')
}

/**
 * Mean over the patches of the cross-entropy of salience (whether there is an object) and background and, where there
 * is an object, of everything about it [nats]. Consumes Float[B, count, width], Float[B, count] and the labels.
 */
export function groundingLoss(
  head: GroundingHead<JaxArray>,
  { tokens, salience, labels }: { tokens: JaxArray; salience: JaxArray; labels: JaxArray },
  size: number,
): JaxArray {
  const widths = answersOf(size)
  const ends = widths.map((_, index) => widths.slice(0, index + 1).reduce((a, b) => a + b, 0)).slice(0, -1)
  const logits = np.split(linear(head, tokens), ends, -1)
  const [there, ...answers] = np
    .split(labels, widths.length + 1, -1)
    .map((answer) => answer.reshape(salience.shape)) as [JaxArray, ...JaxArray[]]
  const isThere = np.greater(there.ref, 0)
  const present = np.where(isThere.ref, 1, 0)
  const weight = np.where(isThere, 1, emptyWeight)
  const yesOrNo = np.stack([np.zeros(salience.shape), salience], -1)
  const logp = [
    targetLogp(yesOrNo, there).mul(weight.ref),
    ...logits.map((scores, index) =>
      targetLogp(scores, answers[index]!).mul(index < Object.keys(always).length ? weight.ref : present.ref),
    ),
  ]
  present.dispose()
  return np.negative(np.sum(logp.reduce((a, b) => a.add(b)))).div(np.sum(weight))
}
