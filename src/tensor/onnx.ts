/** Element types that arrays and graphs share, by jax-js's names. */
export type DType = 'float32' | 'float64' | 'float16' | 'int32' | 'int64' | 'uint32' | 'bool'

/** ONNX's TensorProto.DataType. */
const dataType: Readonly<Record<DType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
}

export type Attribute = number | readonly number[] | string | { readonly float: number }

/**
 * Builds one ONNX model (IR 8, opset 18, with ONNX Runtime's own operators). Equal constants are stored once, and a
 * node that repeats an earlier one (same operator, inputs and attributes) is that node: operators are pure.
 */
export class OnnxGraph {
  readonly #nodes: Node[] = []
  readonly #initializers: Buffer[] = []
  readonly #constants = new Map<string, string>()
  readonly #known = new Map<string, string>()
  /** Of a tensor that is another one in a new shape: that one, and its shape where it is known. */
  readonly #origins = new Map<
    string,
    { readonly name: string; readonly shape: readonly number[] | undefined }
  >()
  /** Of a part: the tensor that was split, and all its parts. */
  readonly #wholes = new Map<string, { readonly name: string; readonly parts: readonly string[] }>()
  #names = 0

  get nodeCount(): number {
    return this.#nodes.length
  }

  /** Whether the name is a node's output (not an input or a constant). */
  isProduced(name: string): boolean {
    return /^t\d+$/.test(name)
  }

  /** A constant tensor; `data` in the type's own bytes (bool: one byte each). */
  constant(dtype: DType, shape: readonly number[], data: ArrayBufferView): string {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const key = `${dtype}[${shape}]${bytes.toString('latin1')}`
    const known = this.#constants.get(key)
    if (known !== undefined) return known
    const name = `c${this.#constants.size}`
    this.#initializers.push(
      Buffer.concat([
        ...shape.map((size) => integerField(1, size)),
        integerField(2, dataType[dtype]),
        bytesField(8, name),
        bytesField(9, bytes),
      ]),
    )
    this.#constants.set(key, name)
    return name
  }

  scalar(dtype: DType, value: number): string {
    return this.constant(dtype, [], typedArray(dtype, [value]))
  }

  int64s(values: readonly number[]): string {
    return this.constant('int64', [values.length], BigInt64Array.from(values.map(BigInt)))
  }

  /** One node with one output; gives the output's name. */
  emit(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): string {
    const key = JSON.stringify([operator, inputs, attributes, domain])
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const [name] = this.emitAll(operator, inputs, 1, attributes, domain)
    this.#known.set(key, name!)
    return name!
  }

  /** The tensor in another shape. `from` is its shape, where known: what gets its first shape again is that tensor. */
  reshape(name: string, shape: readonly number[], from?: readonly number[]): string {
    const origin = this.#origins.get(name) ?? { name, shape: from }
    if (origin.shape !== undefined && String(origin.shape) === String(shape)) return origin.name
    const result = this.emit('Reshape', [origin.name, this.int64s(shape)])
    this.#origins.set(result, origin)
    return result
  }

  /** A tensor taken apart along an axis. */
  split(name: string, sizes: readonly number[], axis: number): string[] {
    const parts = this.emitAll('Split', [name, this.int64s(sizes)], sizes.length, { axis })
    if (axis === 0) for (const part of parts) this.#wholes.set(part, { name, parts })
    return parts
  }

  /** Tensors joined along an axis; those that one was split into are that one. */
  concat(names: readonly string[], axis: number): string {
    const joined: string[] = []
    for (let index = 0; index < names.length; index++) {
      const whole = axis === 0 ? this.#wholes.get(names[index]!) : undefined
      if (whole?.parts.every((part, place) => names[index + place] === part)) {
        joined.push(whole.name)
        index += whole.parts.length - 1
      } else joined.push(names[index]!)
    }
    return joined.length === 1 ? joined[0]! : this.emit('Concat', joined, { axis })
  }

  /** One node with several outputs. */
  emitAll(
    operator: string,
    inputs: readonly string[],
    outputs: number | readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): string[] {
    const names =
      typeof outputs === 'number' ? Array.from({ length: outputs }, () => `t${this.#names++}`) : [...outputs]
    this.#nodes.push({
      inputs,
      outputs: names,
      bytes: Buffer.concat([
        ...inputs.map((input) => bytesField(1, input)),
        ...names.map((name) => bytesField(2, name)),
        bytesField(4, operator),
        ...Object.entries(attributes).map(([name, value]) => bytesField(5, attribute(name, value))),
        ...(domain ? [bytesField(7, domain)] : []),
      ]),
    })
    return names
  }

  /** The nodes that the outputs depend on, in order: ONNX Runtime would run the others too. */
  #needed(outputs: readonly ValueInfo[]): Node[] {
    const wanted = new Set(outputs.map(({ name }) => name))
    return this.#nodes
      .toReversed()
      .filter((node) => {
        const needed = node.outputs.some((name) => wanted.has(name))
        if (needed) for (const input of node.inputs) wanted.add(input)
        return needed
      })
      .toReversed()
  }

  model(inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Uint8Array {
    const graph = Buffer.concat([
      ...this.#needed(outputs).map(({ bytes }) => bytesField(1, bytes)),
      bytesField(2, 'guerdon'),
      ...this.#initializers.map((tensor) => bytesField(5, tensor)),
      ...inputs.map((info) => bytesField(11, valueInfo(info))),
      ...outputs.map((info) => bytesField(12, valueInfo(info))),
    ])
    const opset = (domain: string, version: number) =>
      bytesField(8, Buffer.concat([...(domain ? [bytesField(1, domain)] : []), integerField(2, version)]))
    return Buffer.concat([integerField(1, 8), bytesField(7, graph), opset('', 18), opset('com.microsoft', 1)])
  }
}

interface Node {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly bytes: Buffer
}

export interface ValueInfo {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** Numbers as the bytes of a type; booleans as 0 and 1. */
export function typedArray(dtype: DType, values: ArrayLike<number>): ArrayBufferView {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values)
    case 'float64':
      return Float64Array.from(values)
    case 'int32':
      return Int32Array.from(values)
    case 'uint32':
      return Uint32Array.from(values)
    case 'int64':
      return BigInt64Array.from(Array.from(values, BigInt))
    case 'bool':
      return Uint8Array.from(values, (value) => (value ? 1 : 0))
    case 'float16':
      throw new TypeError('float16 constants are not written; compute in float32')
  }
}

function valueInfo({ name, dtype, shape }: ValueInfo): Buffer {
  const dimensions = Buffer.concat(shape.map((size) => bytesField(1, integerField(1, size))))
  const tensor = Buffer.concat([integerField(1, dataType[dtype]), bytesField(2, dimensions)])
  return Buffer.concat([bytesField(1, name), bytesField(2, bytesField(1, tensor))])
}

function attribute(name: string, value: Attribute): Buffer {
  const head = bytesField(1, name)
  if (typeof value === 'number') return Buffer.concat([head, integerField(3, value), integerField(20, 2)])
  if (typeof value === 'string') return Buffer.concat([head, bytesField(4, value), integerField(20, 3)])
  if ('float' in value) return Buffer.concat([head, floatField(2, value.float), integerField(20, 1)])
  return Buffer.concat([head, ...value.map((item) => integerField(8, item)), integerField(20, 7)])
}

// Protocol buffers: varints, 32-bit floats and length-delimited fields are all that a model needs.

function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function integerField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)])
}

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return Buffer.concat([varint((field << 3) | 5), bytes])
}

function bytesField(field: number, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes])
}
