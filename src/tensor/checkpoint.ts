import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { GuerdonError, messageOf } from '../core/index.ts'
import { halfBits, halfValues } from './half.ts'
import type { DType } from './onnx.ts'
import { leavesOf, type Tensor, type TensorData, type Tree } from './tree.ts'

const typeNames: Readonly<Record<DType, string>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  int32: 'I32',
  int64: 'I64',
  uint32: 'U32',
  bool: 'BOOL',
}

export interface SaveOptions {
  /** Text kept beside the weights (safetensors' `__metadata__`): command, seed, step, metrics. */
  readonly metadata?: Readonly<Record<string, string>>
  /** How float32 weights are stored; float16 halves the file and keeps 3 digits. @default 'float32' */
  readonly precision?: 'float32' | 'float16'
}

/**
 * Writes a tree of tensors as a safetensors file, each under its path (`layers.0.weight`); every safetensors reader
 * can read it. SHA-256 of data and header stand in the metadata. The file appears whole or not at all.
 */
export async function saveCheckpoint(
  path: string,
  tensors: Tree<Tensor>,
  options: SaveOptions = {},
): Promise<void> {
  const { metadata = {}, precision = 'float32' } = options
  const header: Record<string, unknown> = {}
  const chunks: Buffer[] = []
  let offset = 0
  for (const { path: name, leaf } of leavesOf(tensors)) {
    const half = precision === 'float16' && leaf.dtype === 'float32'
    const bytes = bytesOf(half ? halfBits(leaf.data as Float32Array) : leaf.data)
    header[name] = {
      dtype: half ? 'F16' : typeNames[leaf.dtype],
      shape: leaf.shape,
      data_offsets: [offset, offset + bytes.length],
    }
    chunks.push(bytes)
    offset += bytes.length
  }
  const digest = createHash('sha256')
  for (const chunk of chunks) digest.update(chunk)
  const marks = { ...metadata, sha256: digest.digest('hex'), headerSha256: noDigest }
  const unmarked = JSON.stringify({ __metadata__: marks, ...header })
  const text = Buffer.from(unmarked.replace(marked(noDigest), marked(digestOf(unmarked))))
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))

  await mkdir(dirname(path), { recursive: true })
  const partial = `${path}.${process.pid}.partial`
  const file = await open(partial, 'w')
  try {
    for (const part of [length, padded, ...chunks]) await file.write(part)
    await file.sync()
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await rename(partial, path)
}

export interface Checkpoint {
  /** By path; half precision is widened to float32. */
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Reads a safetensors file. Throws a `GuerdonError` (`checkpoint-missing`, `checkpoint-damaged`) when it is absent,
 * cut off, inconsistent, or differs from the checksums that it was saved with (files of others may have none).
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new GuerdonError('checkpoint-missing', `the checkpoint cannot be read: ${messageOf(error)}`, {
      place: { file: path },
    })
  })
  const damaged = (what: string): never => {
    throw new GuerdonError('checkpoint-damaged', what, {
      place: { file: path },
      fix: 'Copy the file again, or train it anew.',
    })
  }
  if (bytes.length < 8) damaged('the file is shorter than a safetensors header.')
  const headerLength = Number(bytes.readBigUInt64LE(0))
  if (8 + headerLength > bytes.length) damaged('the file ends inside its header.')
  let header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
  let metadata: Record<string, string>
  try {
    const parsed = JSON.parse(bytes.subarray(8, 8 + headerLength).toString('utf8'))
    ;({ __metadata__: metadata = {}, ...header } = parsed)
  } catch {
    return damaged('the header is not JSON.')
  }
  const data = bytes.subarray(8 + headerLength)
  const { sha256, headerSha256 } = metadata
  const text = bytes
    .subarray(8, 8 + headerLength)
    .toString('utf8')
    .trimEnd()
  if (
    headerSha256 !== undefined &&
    digestOf(text.replace(marked(headerSha256), marked(noDigest))) !== headerSha256
  )
    damaged('the header differs from its checksum: names, shapes or metadata were changed.')
  if (sha256 !== undefined && digestOf(data) !== sha256)
    damaged('the data differ from their checksum: the file is cut off or was changed.')
  const tensors = new Map<string, Tensor>()
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    const [start, end] = data_offsets
    if (!(start >= 0 && start <= end && end <= data.length)) damaged(`tensor ${name} lies outside the file.`)
    const size = shape.reduce((a, b) => a * b, 1)
    const copy = Uint8Array.from(data.subarray(start, end)).buffer
    const made = typed(dtype, copy)
    if (made === undefined) return damaged(`tensor ${name} has the unknown type ${dtype}.`)
    if (made.data.length !== size)
      damaged(`tensor ${name} holds ${made.data.length} numbers, its shape [${shape}] ${size}.`)
    tensors.set(name, { ...made, shape })
  }
  return { tensors, metadata }
}

function typed(dtype: string, buffer: ArrayBuffer): { dtype: DType; data: TensorData } | undefined {
  switch (dtype) {
    case 'F32':
      return { dtype: 'float32', data: new Float32Array(buffer) }
    case 'F16':
      return { dtype: 'float32', data: halfValues(new Uint16Array(buffer)) }
    case 'F64':
      return { dtype: 'float64', data: new Float64Array(buffer) }
    case 'I32':
      return { dtype: 'int32', data: new Int32Array(buffer) }
    case 'U32':
      return { dtype: 'uint32', data: new Uint32Array(buffer) }
    case 'I64':
      return { dtype: 'int64', data: new BigInt64Array(buffer) }
    case 'BOOL':
      return { dtype: 'bool', data: new Uint8Array(buffer) }
    default:
      return undefined
  }
}

/**
 * The tensors of a checkpoint in the structure of `like`. Throws a `GuerdonError` (`checkpoint-mismatch`) that names
 * the first tensor that is missing, left over or of another shape.
 */
export function restored(like: Tree<Tensor>, { tensors }: Checkpoint): Tree<Tensor> {
  const leaves = leavesOf(like)
  const paths = new Set(leaves.map(({ path }) => path))
  const surplus = [...tensors.keys()].find((name) => !paths.has(name))
  const mismatch = (what: string): never => {
    throw new GuerdonError('checkpoint-mismatch', what, {
      fix: 'Use the checkpoint with the network it was saved from.',
    })
  }
  if (surplus !== undefined) mismatch(`the checkpoint holds ${surplus}, which the network has not.`)
  const rebuilt = (tree: Tree<Tensor>, path: string): Tree<Tensor> => {
    if ('dtype' in (tree as object) && 'data' in (tree as object)) {
      const wanted = tree as Tensor
      const found = tensors.get(path)
      if (found === undefined) return mismatch(`the checkpoint lacks ${path}.`)
      if (String(found.shape) !== String(wanted.shape))
        mismatch(`${path} is [${found.shape}] in the checkpoint and [${wanted.shape}] in the network.`)
      return found
    }
    const under = (key: string | number) => (path === '' ? `${key}` : `${path}.${key}`)
    return Array.isArray(tree)
      ? tree.map((item, index) => rebuilt(item, under(index)))
      : Object.fromEntries(
          Object.entries(tree).map(([key, item]) => [key, rebuilt(item as Tree<Tensor>, under(key))]),
        )
  }
  return rebuilt(like, '')
}

/** Stands in the header in place of its digest while that is taken. */
const noDigest = '0'.repeat(64)

const marked = (digest: string) => `"headerSha256":"${digest}"`

const digestOf = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')

function bytesOf(data: ArrayBufferView): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
