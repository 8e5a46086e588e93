import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor } from '../tensor/tree.ts'
import { gelu, standardise } from './derivative.ts'
import { initialLinear, type Linear, linear } from './layers.ts'
import { type ImageConfig, imagesOf, patchesOf, patchShape } from './visual-connector.ts'

/** Convolutions on a grid finer than the transformer's, in front of it and behind it. */
export interface ConvolutionsConfig {
  /** Height and width of a cell of the grid [pixels]; it divides the transformer's patches. */
  readonly patch: number
  /** Numbers per cell. */
  readonly width: number
  /** Blocks in front of the transformer. */
  readonly before: number
  /** Blocks behind it. */
  readonly after: number
}

/** A residual block: 3 x 3 convolution, GELU, linear layer; the condition shifts and scales what goes in. */
type ConvolutionBlock<Leaf> = {
  /** [condition width, 2 * width] */
  readonly modulation: Linear<Leaf>
  /** [9 * width, width] */
  readonly convolution: Linear<Leaf>
  readonly output: Linear<Leaf>
}

/**
 * A U-Net's two ends, whose middle is a transformer: what leaves the first blocks goes on to the transformer, four (or
 * more) cells a patch, and around it to the last blocks, which draw the edges.
 */
export type Convolutions<Leaf> = {
  /** [9 * numbers of a cell's pixels, width] */
  readonly input: Linear<Leaf>
  readonly before: readonly ConvolutionBlock<Leaf>[]
  /** From the transformer's width to that of a patch's cells. */
  readonly joined: Linear<Leaf>
  readonly after: readonly ConvolutionBlock<Leaf>[]
  /** [9 * width, numbers drawn for a cell's pixels] */
  readonly output: Linear<Leaf>
}

interface Around {
  readonly image: ImageConfig
  /** The transformer's, and the condition's. */
  readonly width: number
  readonly convolutions: ConvolutionsConfig
  /** Numbers drawn for each pixel. @default the image's channels */
  readonly drawn?: number
}

export function initialConvolutions(
  rng: Rng,
  { image, width: outer, convolutions, drawn }: Around,
): Convolutions<Tensor> {
  const { width, before, after } = convolutions
  const pixels = patchShape(cellsOf(image, convolutions)).width
  const outputs = patchShape(cellsOf(drawnImage(image, drawn), convolutions)).width
  const block = () => ({
    modulation: initialLinear(rng, outer, 2 * width, { gain: 0.1 }),
    convolution: initialLinear(rng, 9 * width, width),
    output: initialLinear(rng, width, width, { gain: 1 / Math.sqrt(before + after) }),
  })
  return {
    input: initialLinear(rng, 9 * pixels, width),
    before: Array.from({ length: before }, block),
    joined: initialLinear(rng, outer, patchNumbers({ image, convolutions })),
    after: Array.from({ length: after }, block),
    output: initialLinear(rng, 9 * width, outputs, { gain: 0.1 }),
  }
}

/** Numbers of all cells of one of the transformer's patches. */
export function patchNumbers({ image, convolutions }: Pick<Around, 'image' | 'convolutions'>): number {
  return (image.patch / convolutions.patch) ** 2 * convolutions.width
}

/** Cells Float[B, cells, width] of images Float[B, size, size, channels] after the first blocks. Borrows `condition`, consumes `images`. */
export function cellsBefore(
  parameters: Convolutions<JaxArray>,
  { image, convolutions }: Around,
  images: JaxArray,
  condition: JaxArray,
): JaxArray {
  const grid = cellsOf(image, convolutions)
  const cells = convolution(parameters.input, patchesOf(images, grid))
  return parameters.before.reduce((stream, block) => convolved(block, stream, condition), cells)
}

/** Cells by the transformer's patches: Float[B, patches, patchNumbers]. Consumes `cells`. */
export function patchesOfCells(cells: JaxArray, around: Around): JaxArray {
  const plane = planeOf(around)
  return patchesOf(cells.reshape([cells.shape[0]!, plane.size, plane.size, plane.channels]), plane)
}

/**
 * The images that the last blocks draw of what the transformer says, Float[B, patches, transformer's width], and of
 * the cells that went around it. Borrows `condition`, consumes the others.
 */
export function imagesAfter(
  parameters: Convolutions<JaxArray>,
  around: Around,
  patches: JaxArray,
  cells: JaxArray,
  condition: JaxArray,
): JaxArray {
  const grid = cellsOf(drawnImage(around.image, around.drawn), around.convolutions)
  const told = imagesOf(linear(parameters.joined, patches), planeOf(around)).reshape(cells.shape)
  const stream = parameters.after.reduce((all, block) => convolved(block, all, condition), cells.add(told))
  // not standardised: what noise adds to a cell is taken from it in proportion
  return imagesOf(convolution(parameters.output, stream), grid)
}

/** One block. Borrows `condition`, Float[B, 1, condition width]; consumes `stream`. */
function convolved(block: ConvolutionBlock<JaxArray>, stream: JaxArray, condition: JaxArray): JaxArray {
  const [shift, scale] = np.split(linear(block.modulation, condition.ref), 2, 2) as [JaxArray, JaxArray]
  const told = standardise(stream.ref).mul(scale.add(1)).add(shift)
  return stream.add(linear(block.output, gelu(convolution(block.convolution, told))))
}

/**
 * 3 x 3 convolution, zeros outside: Float[B, side * side, n] to Float[B, side * side, outputs], by weights [9 * n,
 * outputs] for the rows and columns of neighbours. Three products of three columns each: nine at once cost more in
 * copies than they save. Consumes `cells`.
 */
function convolution({ weight, bias }: Linear<JaxArray>, cells: JaxArray): JaxArray {
  const [batch, count, numbers] = cells.shape as [number, number, number]
  const side = Math.sqrt(count)
  const padded = np.pad(cells.reshape([batch, side, side, numbers]), [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ])
  const columns = [0, 1, 2].map((right) => padded.ref.slice([], [], [right, right + side]))
  padded.dispose()
  const wide = np.concatenate(columns, 3)
  const sums = [0, 1, 2].map((down) =>
    np.matmul(
      wide.ref.slice([], [down, down + side]),
      weight.ref.slice([3 * numbers * down, 3 * numbers * (down + 1)]),
    ),
  )
  wide.dispose()
  return sums
    .reduce((a, b) => a.add(b))
    .add(bias!.ref)
    .reshape([batch, count, weight.shape[1]!])
}

function drawnImage(image: ImageConfig, drawn: number | undefined): ImageConfig {
  return drawn === undefined ? image : { ...image, channels: drawn }
}

function cellsOf({ size, channels = 3 }: ImageConfig, { patch }: ConvolutionsConfig): ImageConfig {
  return { size, patch, channels }
}

/** The grid of cells as an image of which the transformer's patches are patches. */
function planeOf({
  image,
  convolutions,
}: Around): Required<Pick<ImageConfig, 'size' | 'patch' | 'channels'>> {
  return {
    size: image.size / convolutions.patch,
    patch: image.patch / convolutions.patch,
    channels: convolutions.width,
  }
}
