import { GuerdonError, type Rng } from '../core/index.ts'
import { isTensor, type PathPattern, type Tensor, type Tree, tensor } from '../tensor/tree.ts'
import { filled, normal } from './initial.ts'
import type { Linear } from './layers.ts'

export interface LoraOptions {
  /** Numbers between `down` and `up`. */
  readonly rank: number
  /** The change counts alpha / rank times. @default rank */
  readonly alpha?: number
  /** Linear layers by path, such as `transformer.blocks.0.attention.input`. @default all */
  readonly layers?: PathPattern
}

/** For `trainable`: the changes of low rank and nothing else. */
export const loraParameters = /\.lora\.(down|up)$/

/**
 * Parameters with a change of low rank beside the weights of linear layers (Hu et al., arXiv 2106.09685): at first it
 * is nothing, as `up` is 0. Train with `trainable: loraParameters`; the other parameters are shared, not copied.
 */
export function addedLora<Parameters extends Tree<Tensor>>(
  rng: Rng,
  parameters: Parameters,
  { rank, alpha = rank, layers = () => true }: LoraOptions,
): Parameters {
  const chosen = typeof layers === 'function' ? layers : (path: string) => layers.test(path)
  let count = 0
  const changed = mapLinear(parameters, '', (layer, path) => {
    if (!chosen(path)) return layer
    count++
    const [inputs, outputs] = layer.weight.shape as [number, number]
    const down = normal(rng.fork(path), [inputs, rank], 1 / Math.sqrt(inputs))
    return { ...layer, lora: { down, up: filled([rank, outputs], 0), scale: tensor([alpha / rank], []) } }
  })
  if (count === 0) throw new GuerdonError('bad-option', 'no linear layer matches `layers`.')
  return changed as Parameters
}

/** The same network without changes of low rank: they are added to the weights. */
export function mergedLora<Parameters extends Tree<Tensor>>(parameters: Parameters): Parameters {
  return mapLinear(parameters, '', ({ lora, ...layer }) =>
    lora === undefined ? layer : { ...layer, weight: shifted(layer.weight, lora, 1) },
  ) as Parameters
}

/** Weights without the change that was merged into them, and the change beside them again; `adapted` still has it. */
export function unmergedLora<Parameters extends Tree<Tensor>>(
  merged: Parameters,
  adapted: Parameters,
): Parameters {
  const changes = new Map<string, NonNullable<Linear<Tensor>['lora']>>()
  mapLinear(adapted, '', (layer, path) => {
    if (layer.lora !== undefined) changes.set(path, layer.lora)
    return layer
  })
  return mapLinear(merged, '', (layer, path) => {
    const lora = changes.get(path)
    return lora === undefined ? layer : { ...layer, weight: shifted(layer.weight, lora, -1), lora }
  }) as Parameters
}

/** weight + sign * scale * down up, in float64. */
function shifted(weight: Tensor, lora: NonNullable<Linear<Tensor>['lora']>, sign: number): Tensor {
  const [inputs, outputs] = weight.shape as [number, number]
  const rank = lora.down.shape[1]!
  const factor = sign * Number(lora.scale.data[0])
  const [down, up] = [lora.down.data as Float32Array, lora.up.data as Float32Array]
  const data = (weight.data as Float32Array).slice()
  for (let row = 0; row < inputs; row++)
    for (let column = 0; column < outputs; column++) {
      let sum = 0
      for (let k = 0; k < rank; k++) sum += down[row * rank + k]! * up[k * outputs + column]!
      data[row * outputs + column]! += factor * sum
    }
  return tensor(data, weight.shape)
}

function isLinear(tree: Tree<Tensor>): tree is Linear<Tensor> {
  const { weight } = tree as Partial<Linear<Tensor>>
  return !isTensor(tree) && weight !== undefined && isTensor(weight) && weight.shape.length === 2
}

function mapLinear(
  tree: Tree<Tensor>,
  path: string,
  change: (layer: Linear<Tensor>, path: string) => Linear<Tensor>,
): Tree<Tensor> {
  if (isTensor(tree)) return tree
  if (isLinear(tree)) return change(tree, path) as Tree<Tensor>
  const under = (key: string | number) => (path === '' ? `${key}` : `${path}.${key}`)
  if (Array.isArray(tree)) return tree.map((item, index) => mapLinear(item, under(index), change))
  return Object.fromEntries(
    Object.entries(tree).map(([key, item]) => [key, mapLinear(item as Tree<Tensor>, under(key), change)]),
  )
}
