import type * as Jax from '@jax-js/jax'
import type { Array as JaxArray, JsTree } from '@jax-js/jax'
import { GuerdonError, messageOf } from '../core/index.ts'
import { type Entering, entering, type Leaving, leaving } from './crossing.ts'
import { productsFolded } from './fold-products.ts'
import { lower, unsupportedPrimitives } from './lower.ts'
import { type DType, OnnxGraph } from './onnx.ts'
import type { Program } from './program.ts'
import { recognised } from './recognise.ts'
import { missingModule, openSession } from './session.ts'
import { flatLeaves, leavesOf, mapLeaves, type Tensor, type TensorData, type Tree } from './tree.ts'
import { product, viewOfTensor } from './view.ts'

export interface CompileOptions {
  /**
   * `ort`: one graph in ONNX Runtime, native speed. `jax`: jax-js's own jit, the reference, which has every primitive.
   * @default 'ort'
   */
  readonly backend?: 'ort' | 'jax'
  /** Threads of one run (`ort`); 0 = one per core (in a job of `runJobs`: the pool's number). @default 0 */
  readonly threads?: number
  /** Where ONNX Runtime writes a profile of the operators (a prefix; written by `dispose`). @default none */
  readonly profile?: string
}

/** A traced function made ready to run on tensors of the shapes it was traced with. */
export interface Compiled<Args extends readonly Tree<Tensor>[], Result> {
  run(...args: Args): Promise<Result>
  readonly backend: 'ort' | 'jax'
  /** Nodes of the graph, before ONNX Runtime's own optimisation (`jax`: 0). */
  readonly nodeCount: number
  /** Releases the native session. Tensors that a run returned stay usable. */
  dispose(): Promise<void>
}

/**
 * Compiles a function of jax-js arrays. `fn` is traced once, with arrays of the shapes and types of `exampleArgs`
 * (trees of tensors; their data is not read), by jax-js's rules: it consumes its arguments, `.ref` keeps one alive,
 * and `grad`, `vmap`, `nn` and the rest may be used inside. The result runs on tensors; what one run returns may be
 * passed to the next without being copied through JavaScript, and given back with `release` when it is spent.
 *
 * Throws a `GuerdonError`: `trace-failed` (with the line of your function), `unsupported-primitive` (names them; the
 * `jax` backend runs those), `missing-module`.
 *
 * @example
 * const step = await compile((w, x) => [w.sub(grad(loss)(w.ref, x).mul(0.1))], [weights, batch])
 * const [next] = await step.run(weights, batch)
 */
export async function compile<Args extends readonly Tree<Tensor>[], Result = Tree<Tensor>>(
  fn: (...args: any[]) => JsTree<JaxArray>,
  exampleArgs: Args,
  { backend = 'ort', threads = 0, profile }: CompileOptions = {},
): Promise<Compiled<Args, Result>> {
  const jax = await loadJax()
  const example = exampleArgs as readonly Tree<Tensor>[]
  const leaves = leavesOf(example)
  const flat = (...arrays: JaxArray[]) => {
    let next = 0
    const args = (mapLeaves(example, () => arrays[next++]!) as readonly unknown[]) ?? []
    return fn(...args)
  }
  return backend === 'jax'
    ? compileWithJax<Args, Result>(jax, flat, leaves)
    : compileWithOrt<Args, Result>(jax, flat, leaves, threads, profile)
}

interface Leaf {
  readonly path: string
  readonly leaf: Tensor
}

async function compileWithOrt<Args extends readonly Tree<Tensor>[], Result>(
  jax: typeof Jax,
  flat: (...arrays: JaxArray[]) => JsTree<JaxArray>,
  leaves: readonly Leaf[],
  threads: number,
  profile: string | undefined,
): Promise<Compiled<Args, Result>> {
  const { jaxpr: closed, treedef } = trace(jax, flat, leaves)
  const jaxpr = closed.jaxpr.flatten().simplify()
  let model: Uint8Array
  let nodeCount: number
  let enter: Entering
  let leave: Leaving
  try {
    const program = productsFolded(recognised(jaxpr))
    const missing = unsupportedPrimitives(program.eqns)
    if (missing.length > 0)
      throw new GuerdonError(
        'unsupported-primitive',
        `the function uses ${missing.join(', ')}, which cannot be lowered to ONNX Runtime.`,
        { fix: 'Compile it with { backend: "jax" }, or pass random numbers in as arguments.' },
      )
    refuseEmpty(program)
    const graph = new OnnxGraph()
    const constants = closed.consts.map((constant) => {
      const array = constant as JaxArray
      const name = graph.constant(array.dtype as DType, array.shape, array.ref.dataSync())
      return viewOfTensor(graph, name, array.dtype as DType, array.shape)
    })
    enter = entering(
      graph,
      leaves.map(({ leaf }) => leaf),
    )
    const views = lower(graph, program, [...constants, ...enter.views])
    leave = leaving(
      graph,
      views,
      jaxpr.outs.map(({ aval: { dtype, shape } }) => ({ dtype: dtype as DType, shape })),
    )
    nodeCount = graph.nodeCount
    model = graph.model(enter.inputs, leave.outputs)
  } finally {
    closed.dispose()
  }

  const session = await openSession(model, { threads, profile })
  return {
    backend: 'ort',
    nodeCount,
    async run(...args: Args) {
      const { feeds, done } = enter.feed(session.ort, checkedLeaves(args, leaves))
      const results = await session.run(feeds).finally(done)
      return jax.tree.unflatten(treedef, leave.tensors(results)) as Result
    },
    dispose: () => session.release(),
  }
}

/** ONNX Runtime's operators differ in what they make of no elements at all. */
function refuseEmpty({ inBinders, eqns, outs }: Program): void {
  const used = [...inBinders, ...outs, ...eqns.flatMap(({ inputs }) => inputs)]
  const empty = used.find(({ aval }) => aval.shape.includes(0))
  if (empty === undefined) return
  throw new GuerdonError('empty-tensor', `a tensor of shape [${empty.aval.shape}] has no elements.`, {
    fix: 'Leave out what is empty before the call, or compile with { backend: "jax" }.',
  })
}

async function compileWithJax<Args extends readonly Tree<Tensor>[], Result>(
  jax: typeof Jax,
  flat: (...arrays: JaxArray[]) => JsTree<JaxArray>,
  leaves: readonly Leaf[],
): Promise<Compiled<Args, Result>> {
  trace(jax, flat, leaves).jaxpr.dispose() // for the same errors as the other backend
  const jitted = jax.jit(flat)
  return {
    backend: 'jax',
    nodeCount: 0,
    async run(...args: Args) {
      const arrays = checkedLeaves(args, leaves).map((leaf) => jaxArray(jax, leaf))
      const [results, treedef] = jax.tree.flatten(jitted(...arrays)) as [JaxArray[], Jax.JsTreeDef]
      const tensors: Tensor[] = []
      for (const result of results) {
        const { dtype, shape } = result
        const data = (await result.data()) as unknown as TensorData
        tensors.push({
          dtype: dtype as DType,
          shape,
          data: dtype === 'bool' ? Uint8Array.from(data as Int32Array) : data,
        })
      }
      return jax.tree.unflatten(treedef, tensors as never) as Result
    },
    dispose: async () => jitted.dispose(),
  }
}

function trace(jax: typeof Jax, flat: (...arrays: JaxArray[]) => JsTree<JaxArray>, leaves: readonly Leaf[]) {
  const examples = leaves.map(({ leaf }) =>
    jax.numpy.zeros([...leaf.shape], { dtype: leaf.dtype as Jax.DType }),
  )
  try {
    return jax.makeJaxpr(flat)(...examples)
  } catch (error) {
    throw new GuerdonError(
      'trace-failed',
      `the function could not be traced: ${messageOf(error)}${lineOf(error)}`,
      {
        cause: error,
      },
    )
  } finally {
    for (const example of examples) example.dispose()
  }
}

/** Where an error came from: the operation, and the line of the user's code (outside of dependencies and this folder). */
function lineOf(error: unknown): string {
  if (!(error instanceof Error) || error.stack === undefined) return ''
  const frames = error.stack.split('\n').filter((line) => /^\s*at /.test(line))
  const own = frames.findIndex(
    (line) => !/node_modules|node:|<anonymous>|[/\\]tensor[/\\](compile|tree)\.[tj]s/.test(line),
  )
  if (own < 0) return ''
  const [, operation] = /at (?:\S+\.)?([\w]+)(?: \[as \w+\])? \(/.exec(frames[own - 1] ?? '') ?? []
  return ` (${operation === undefined ? '' : `in ${operation}, `}${frames[own]!.trim()})`
}

function checkedLeaves(args: readonly Tree<Tensor>[], expected: readonly Leaf[]): Tensor[] {
  const given = flatLeaves(args)
  if (given.length !== expected.length)
    throw new GuerdonError(
      'shape-mismatch',
      `the function was compiled for ${expected.length} tensors and got ${given.length}.`,
    )
  given.forEach((leaf, index) => {
    const { leaf: wanted } = expected[index]!
    const { dtype, shape, data } = leaf
    const pathOf = () => leavesOf(args)[index]!.path
    if (
      dtype !== wanted.dtype ||
      shape.length !== wanted.shape.length ||
      shape.some((size, dim) => size !== wanted.shape[dim])
    )
      throw new GuerdonError(
        'shape-mismatch',
        `argument ${pathOf()} is ${dtype}[${shape}], but the function was compiled for ${wanted.dtype}[${wanted.shape}].`,
      )
    if (data.length === product(shape)) return
    if ((data.buffer as ArrayBuffer).detached)
      throw new GuerdonError('released', `argument ${pathOf()} was released: its memory is given back.`, {
        fix: 'Call `release` only on tensors that nothing uses any more.',
      })
    throw new GuerdonError(
      'shape-mismatch',
      `argument ${pathOf()} has the shape [${shape}] and holds ${data.length} numbers.`,
    )
  })
  return given
}

function jaxArray(jax: typeof Jax, { dtype, shape, data }: Tensor): JaxArray {
  const numbers = dtype === 'bool' ? Int32Array.from(data as Uint8Array) : data
  return jax.numpy.array(numbers as Float32Array<ArrayBuffer>, {
    shape: [...shape],
    dtype: dtype as Jax.DType,
  })
}

let jaxLoaded: Promise<typeof Jax> | undefined

/** jax-js with its WebAssembly device made ready, once. */
function loadJax(): Promise<typeof Jax> {
  jaxLoaded ??= import('@jax-js/jax').then(
    async (jax) => {
      await jax.init('wasm')
      jax.defaultDevice('wasm')
      return jax
    },
    (error) => {
      throw missingModule('@jax-js/jax', error)
    },
  )
  return jaxLoaded
}
