// The reference step of bench/tensor.ts: forward, backward and SGD of a small pre-norm decoder.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import { Rng } from '../src/core/index.ts'
import { gelu, softmax, standardise } from '../src/nets/derivative.ts'
import { compile } from '../src/tensor/compile.ts'
import { type Tensor, tensor } from '../src/tensor/tree.ts'
import { type Engine, median, repeated, tensorflowEngine, torchEngine } from './_tensor-peers.ts'

export const decoderSizes = {
  width: 128,
  heads: 4,
  layers: 4,
  vocabulary: 256,
  length: 96,
  batch: 16,
  inner: 512,
}
const { width, heads, layers, vocabulary, length, batch, inner } = decoderSizes

interface Functions {
  gelu(x: any): any
  softmax(x: any): any
  standardise(x: any): any
  /** The causal mask is chosen by `where`, or added. */
  readonly choose: boolean
}

/** jax-js's functions as they come, differentiated by jax-js. */
const plain: Functions = {
  choose: true,
  gelu: (x) => nn.gelu(x),
  softmax: (x) => nn.softmax(x, -1),
  standardise: (x) => nn.standardize(x, -1),
}

/** Those of `src/nets/`. */
const own: Functions = { choose: false, gelu, softmax, standardise }

function forward(parameters: any, ids: any, functions: Functions) {
  let x = np.matmul(ids, parameters.embedding).add(parameters.positions)
  const visible = np.tri(length, length, 0, { dtype: np.bool })
  const hidden = np.array(
    Float32Array.from({ length: length ** 2 }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0)),
    { shape: [length, length] },
  )
  for (const layer of parameters.layers) {
    const joined = np.matmul(functions.standardise(x.ref), layer.qkv)
    const [q, k, v] = np
      .split(joined.reshape([batch, length, 3, heads, width / heads]), 3, 2)
      .map((part: any) => part.reshape([batch, length, heads, width / heads])) as any[]
    const scores = np.einsum('bthd,bshd->bhts', q, k).mul(1 / Math.sqrt(width / heads))
    const masked = functions.choose ? np.where(visible.ref, scores, -1e9) : scores.add(hidden.ref)
    const map = functions.softmax(masked)
    const seen = np.einsum('bhts,bshd->bthd', map, v).reshape([batch, length, width])
    x = x.add(np.matmul(seen, layer.o))
    const inside = np.matmul(functions.standardise(x.ref), layer.w1)
    x = x.add(np.matmul(functions.gelu(inside), layer.w2))
  }
  visible.dispose()
  hidden.dispose()
  return np.matmul(functions.standardise(x), parameters.output)
}

/** (parameters, ids, targets) to [loss, parameters after one step of SGD]. */
const decoderStep = (functions: Functions) => (parameters: any, ids: any, targets: any) => {
  const loss = (p: any) =>
    nn
      .logSoftmax(forward(p, ids, functions), -1)
      .mul(targets)
      .sum()
      .mul(-1 / (batch * length))
  const [value, gradients] = valueAndGrad(loss)(tree.ref(parameters)) as any
  return [value, tree.map((a: any, b: any) => a.sub(b.mul(0.1)), parameters, gradients)] as any
}

function decoderArguments(): [any, Tensor, Tensor] {
  const rng = new Rng('bench')
  const weights = (...shape: number[]) =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (rng.uniform() * 2 - 1) * 0.05),
      shape,
    )
  const hot = new Float32Array(batch * length * vocabulary)
  for (let row = 0; row < batch * length; row++) hot[row * vocabulary + ((row * 7) % vocabulary)] = 1
  const oneHot = tensor(hot, [batch, length, vocabulary])
  const parameters = {
    embedding: weights(vocabulary, width),
    positions: weights(length, width),
    output: weights(width, vocabulary),
    layers: Array.from({ length: layers }, () => ({
      qkv: weights(width, 3 * width),
      o: weights(width, width),
      w1: weights(width, inner),
      w2: weights(inner, width),
    })),
  }
  return [parameters, oneHot, oneHot]
}

/** Ours, ours of jax-js's functions, and the peers that are there; `skipped` gets a sentence for each that is not. */
export async function decoderEngines(
  threads: number,
  tensorflow: string | undefined,
  skipped: string[],
): Promise<Engine[]> {
  const args = decoderArguments()
  const engine = async (name: string, functions: Functions, backend: 'ort' | 'jax') =>
    repeated(name, await compile<any, any>(decoderStep(functions), args, { threads, backend }), args)
  const peers = [await torchEngine(threads), await tensorflowEngine(tensorflow)]
  if (peers[0] === undefined) skipped.push('PyTorch: /usr/bin/python3 has no torch')
  if (peers[1] === undefined)
    skipped.push('TensorFlow.js: give a folder where it is installed with --tensorflow FOLDER')
  return [
    await engine('guerdon', own, 'ort'),
    await engine("guerdon, jax-js's nn functions", plain, 'ort'),
    await engine('jax-js', plain, 'jax'),
    ...peers.filter((peer) => peer !== undefined),
  ]
}

/**
 * Share of each operator in the time of a step, by ONNX Runtime's profiler: the sum over nodes of their median time
 * in the steps after the first ten. Largest first.
 */
export async function operatorShares(threads: number): Promise<[string, number][]> {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-profile-'))
  try {
    const args = decoderArguments()
    const step = await compile<any, any>(decoderStep(own), args, {
      threads,
      profile: join(folder, 'step'),
    })
    const engine = repeated('profiled', step, args, 25)
    await engine.take()
    await engine.end()
    const [file] = readdirSync(folder)
    const events: any[] = JSON.parse(readFileSync(join(folder, file!), 'utf8'))
    const nodes = new Map<string, { readonly operator: string; readonly times: number[] }>()
    for (const { cat, name, dur, args: node } of events) {
      if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue
      const seen = nodes.get(name) ?? { operator: node.op_name, times: [] as number[] }
      nodes.set(name, seen)
      seen.times.push(dur)
    }
    const spent = new Map<string, number>()
    for (const { operator, times } of nodes.values())
      spent.set(operator, (spent.get(operator) ?? 0) + median(times.slice(10)))
    const total = [...spent.values()].reduce((a, b) => a + b, 0)
    return [...spent]
      .map(([operator, time]): [string, number] => [operator, time / total])
      .sort((a, b) => b[1] - a[1])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
